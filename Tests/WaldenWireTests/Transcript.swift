import WaldenCore
import WaldenWire

/// Reads a recorded session message by message and tells each in a line of text.
///
/// A recording has three kinds of lines: `F` and hexadecimal bytes for what the client sent, `B` for what the server
/// sent, and `=` for what that was. Both may go on in lines that begin with a space.
struct Transcript {
    struct Entry: Sendable {
        let isFrontend: Bool
        let bytes: [UInt8]
        let expected: String
    }

    /// What the tag `p` means now.
    private var lastAuthentication: Authentication?
    private var isStarted: Bool

    /// - Parameter isStarted: the recording begins after the startup packet.
    init(isStarted: Bool) {
        self.isStarted = isStarted
    }

    static func entries(of recording: String) -> [Entry] {
        var entries: [Entry] = []
        var isFrontend = true
        var digits = ""
        var words: [Substring] = []
        func finish() {
            if !words.isEmpty {
                let expected = words.joined(separator: " ")
                entries.append(Entry(isFrontend: isFrontend, bytes: bytes(digits), expected: expected))
            }
            digits = ""
            words = []
        }
        for line in recording.split(separator: "\n") {
            switch line.first {
            case "F", "B":
                finish()
                isFrontend = line.first == "F"
                digits = String(line.dropFirst(2))
            case "=": words = [line.dropFirst(2)]
            default:
                let more = line.drop { $0 == " " }
                if words.isEmpty { digits += more } else { words.append(more) }
            }
        }
        finish()
        return entries
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(digits)
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    /// The message in words, and its bytes as the encoder writes them.
    mutating func read(_ entry: Entry) throws -> (text: String, encoded: [UInt8]) {
        if entry.isFrontend, !isStarted { return try startup(entry.bytes) }
        guard let header = try MessageHeader.parse(entry.bytes.span.bytes, at: 0, limit: 1 << 20),
            header.byteCount == entry.bytes.count
        else { return ("not one whole message", []) }
        let message =
            entry.isFrontend
            ? try frontend(FrontendTag(rawValue: header.tag), body(of: entry.bytes))
            : try backend(BackendTag(rawValue: header.tag), body(of: entry.bytes))
        return (words(message), message.encoded())
    }

    private mutating func startup(_ bytes: [UInt8]) throws -> (text: String, encoded: [UInt8]) {
        guard let (packet, byteCount) = try StartupPacket.parse(bytes.span.bytes, at: 0), byteCount == bytes.count
        else { return ("not one whole packet", []) }
        var encoded: [UInt8] = []
        packet.encode(into: &encoded)
        switch packet {
        case .sslRequest: return ("SSLRequest", encoded)
        case .gssEncRequest: return ("GSSENCRequest", encoded)
        case .cancelRequest(let processID, let secret): return ("CancelRequest \(processID) \(secret)", encoded)
        case .startup(let message):
            isStarted = true
            let parameters = message.parameters.map { " \($0.name)=\($0.value)" }.joined()
            return ("StartupMessage \(message.version)\(parameters)", encoded)
        }
    }

    private func frontend(_ tag: FrontendTag, _ body: [UInt8]) throws -> any Message {
        switch tag {
        case .query: try decoded(Query.self, body)
        case .parse: try decoded(Parse.self, body)
        case .bind: try decoded(Bind.self, body)
        case .describe: try decoded(Describe.self, body)
        case .execute: try decoded(Execute.self, body)
        case .close: try decoded(Close.self, body)
        case .sync: try decoded(Sync.self, body)
        case .flush: try decoded(Flush.self, body)
        case .functionCall: try decoded(FunctionCall.self, body)
        case .copyData: try decoded(CopyData.self, body)
        case .copyDone: try decoded(CopyDone.self, body)
        case .copyFail: try decoded(CopyFail.self, body)
        case .password:
            switch lastAuthentication {
            case .sasl: try decoded(SASLInitialResponse.self, body)
            case .saslContinue: try decoded(SASLResponse.self, body)
            default: try decoded(PasswordMessage.self, body)
            }
        case .terminate: try decoded(Terminate.self, body)
        default: throw WireError.unknownTag(tag.rawValue)
        }
    }

    private mutating func backend(_ tag: BackendTag, _ body: [UInt8]) throws -> any Message {
        switch tag {
        case .authentication:
            let authentication = try decoded(Authentication.self, body)
            lastAuthentication = authentication
            return authentication
        case .parameterStatus: return try decoded(ParameterStatus.self, body)
        case .backendKeyData: return try decoded(BackendKeyData.self, body)
        case .readyForQuery: return try decoded(ReadyForQuery.self, body)
        case .rowDescription: return try decoded(RowDescription.self, body)
        case .dataRow: return try decoded(DataRow.self, body)
        case .commandComplete: return try decoded(CommandComplete.self, body)
        case .emptyQueryResponse: return try decoded(EmptyQueryResponse.self, body)
        case .errorResponse: return try decoded(ErrorResponse.self, body)
        case .noticeResponse: return try decoded(NoticeResponse.self, body)
        case .parseComplete: return try decoded(ParseComplete.self, body)
        case .bindComplete: return try decoded(BindComplete.self, body)
        case .copyInResponse: return try decoded(CopyInResponse.self, body)
        case .copyOutResponse: return try decoded(CopyOutResponse.self, body)
        case .copyData: return try decoded(CopyData.self, body)
        case .copyDone: return try decoded(CopyDone.self, body)
        case .notificationResponse: return try decoded(NotificationResponse.self, body)
        case .functionCallResponse: return try decoded(FunctionCallResponse.self, body)
        default: throw WireError.unknownTag(tag.rawValue)
        }
    }

    private func decoded<M: Message>(_ type: M.Type, _ body: [UInt8]) throws -> M {
        try M(decoding: body.span.bytes)
    }

    private func words(_ message: any Message) -> String {
        switch message {
        case let query as Query: "Query \(query.text)"
        case let parse as Parse: "Parse \(parse.name): \(parse.query) types \(parse.parameterTypes)"
        case let bind as Bind:
            "Bind portal '\(bind.portal)' to \(bind.statement): formats \(words(bind.parameterFormats))"
                + " values \(words(bind.values)) results \(words(bind.resultFormats))"
        case let describe as Describe: "Describe \(describe.kind) '\(describe.name)'"
        case let execute as Execute: "Execute '\(execute.portal)' rows \(execute.maxRows)"
        case let call as FunctionCall:
            "FunctionCall \(call.function): formats \(words(call.argumentFormats)) arguments \(words(call.arguments))"
                + " result \(call.resultFormat)"
        case let copy as CopyData: "CopyData \(words(copy.data))"
        case let initial as SASLInitialResponse:
            "SASLInitialResponse \(initial.mechanism) \(initial.data.map(words) ?? "none")"
        case let response as SASLResponse: "SASLResponse \(words(response.data))"
        case let authentication as Authentication: words(authentication)
        case let status as ParameterStatus: "ParameterStatus \(status.name)=\(status.value)"
        case let key as BackendKeyData: "BackendKeyData \(key.processID) \(key.secret)"
        case let ready as ReadyForQuery: "ReadyForQuery \(ready.status)"
        case let rows as RowDescription: "RowDescription " + rows.columns.map(words).joined(separator: "; ")
        case let row as DataRow: "DataRow \(words(row.values))"
        case let complete as CommandComplete: "CommandComplete \(complete.tag)"
        case let error as ErrorResponse: "ErrorResponse " + words(error.fields)
        case let notice as NoticeResponse: "NoticeResponse " + words(notice.fields)
        case let copy as CopyInResponse: "CopyInResponse \(copy.formats.overall) \(words(copy.formats.columns))"
        case let copy as CopyOutResponse: "CopyOutResponse \(copy.formats.overall) \(words(copy.formats.columns))"
        case let notification as NotificationResponse:
            "NotificationResponse from \(notification.processID) on \(notification.channel): \(notification.payload)"
        case let response as FunctionCallResponse: "FunctionCallResponse \(words([response.value]))"
        default: "\(type(of: message))"
        }
    }

    private func words(_ authentication: Authentication) -> String {
        switch authentication {
        case .sasl(let mechanisms): "Authentication SASL \(mechanisms)"
        case .saslContinue(let data): "Authentication SASLContinue \(words(data))"
        case .saslFinal(let data): "Authentication SASLFinal \(words(data))"
        default: "Authentication \(authentication)"
        }
    }

    private func words(_ column: RowDescription.Column) -> String {
        "\(column.name) relation \(column.relation) attribute \(column.attributeNumber) type \(column.type)"
            + " size \(column.typeSize) modifier \(column.typeModifier) \(column.format)"
    }

    private func words(_ formats: [FormatCode]) -> String {
        "[" + formats.map { "\($0)" }.joined(separator: ", ") + "]"
    }

    private func words(_ fields: ResponseFields) -> String {
        "\(fields.severity.map { $0.rawValue } ?? "-") \(fields.sqlState.map { $0.code } ?? "-") \(fields.message)"
    }

    private func words(_ values: [[UInt8]?]) -> String {
        "[" + values.map { $0.map(words) ?? "null" }.joined(separator: ", ") + "]"
    }

    /// Text where it is UTF-8 without control characters, bytes in hexadecimal where not.
    private func words(_ value: [UInt8]) -> String {
        if let text = String(validating: value, as: UTF8.self), value.allSatisfy({ $0 >= 0x20 }) { return text }
        return "0x" + value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
