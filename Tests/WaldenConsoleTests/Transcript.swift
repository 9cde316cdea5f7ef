import WaldenConsole
import WaldenCore
import WaldenWire

/// One console session as a text: what the client sends, what the machine answers, what the shell is asked to do.
struct Transcript {
    var machine: ConsoleMachine
    var lines: [String] = []
    /// What the shell answers, in the order asked; done, when it has run out.
    var outcomes: [ConsoleOutcome] = []

    init(_ role: ConsoleRole = .admin, limits: ConsoleLimits = ConsoleLimits(), outcomes: [ConsoleOutcome] = []) {
        machine = ConsoleMachine(role: role, limits: limits)
        self.outcomes = outcomes
    }

    /// Sends messages and notes what comes of them until all are consumed, or the session has ended.
    mutating func send(_ messages: [UInt8]...) {
        var input = messages.flatMap { $0 }
        while true {
            let step = machine.nextStep(input.span.bytes)
            note(machine.takeOutput())
            switch step {
            case .needMore: return
            case .handled(let byteCount): input.removeFirst(byteCount)
            case .execute(let byteCount, let request):
                input.removeFirst(byteCount)
                lines.append("! \(Self.words(request))")
                machine.answered(outcomes.isEmpty ? .done(remarks: []) : outcomes.removeFirst())
                note(machine.takeOutput())
            case .close:
                lines.append("closed")
                return
            }
        }
    }

    mutating func query(_ text: String) -> [String] {
        send(Query(text).encoded())
        defer { lines.removeAll() }
        return lines
    }

    static func words(_ request: ConsoleRequest) -> String {
        switch request {
        case .show(let view): "show \(view.rawValue)"
        case .command(let command): "\(command)"
        }
    }

    private mutating func note(_ output: [UInt8]) {
        lines += BackendReader.messages(in: output).map(\.text)
    }
}

/// Reads back what the machine writes.
enum BackendReader {
    struct Message {
        let tag: BackendTag
        let body: [UInt8]

        var text: String {
            let span = body.span.bytes
            do throws(WireError) {
                switch tag {
                case .readyForQuery: return "Ready \(try ReadyForQuery(decoding: span).status)"
                case .commandComplete: return "Complete \(try CommandComplete(decoding: span).tag)"
                case .rowDescription:
                    let columns = try RowDescription(decoding: span).columns
                    return "Columns "
                        + columns.map { "\($0.name):\($0.type)\($0.format == .binary ? "b" : "")" }
                        .joined(separator: " ")
                case .dataRow:
                    let values = try DataRow(decoding: span).values
                    return "Row "
                        + values.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
                        .joined(separator: "|")
                case .errorResponse:
                    let error = try ErrorResponse(decoding: span)
                    let severity = error.severity == .fatal ? "FATAL " : ""
                    return "Error \(severity)\(error.sqlState?.code ?? "") \(error.message)"
                case .noticeResponse: return "Notice \(try NoticeResponse(decoding: span).message)"
                case .parameterStatus:
                    let status = try ParameterStatus(decoding: span)
                    return "Status \(status.name)=\(status.value)"
                case .parameterDescription:
                    return "Parameters \(try ParameterDescription(decoding: span).types.map(\.rawValue))"
                case .authentication: return "Authentication \(try Authentication(decoding: span))"
                default: return Self.names[tag] ?? "tag \(tag.rawValue)"
                }
            } catch {
                return "unreadable: \(error)"
            }
        }

        private static let names: [BackendTag: String] = [
            .parseComplete: "ParseComplete", .bindComplete: "BindComplete", .closeComplete: "CloseComplete",
            .noData: "NoData", .portalSuspended: "Suspended", .emptyQueryResponse: "Empty",
        ]
    }

    static func messages(in bytes: [UInt8]) -> [Message] {
        var messages: [Message] = []
        var offset = 0
        while offset < bytes.count, let header = try? MessageHeader.parse(bytes.span.bytes, at: offset, limit: 1 << 30)
        {
            messages.append(Message(tag: BackendTag(rawValue: header.tag), body: Array(bytes[header.body(at: offset)])))
            offset += header.byteCount
        }
        return messages
    }
}
