import WaldenCore

/// Authentication: what the server asks the client to prove, or that it is satisfied (protocol chapter, Start-up and
/// SASL Authentication; Message Formats, AuthenticationOk and those after it).
public enum Authentication: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.authentication.rawValue }

    case ok
    case cleartextPassword
    /// Four bytes.
    case md5Password(salt: [UInt8])
    /// Mechanism names in the server's order of preference.
    case sasl(mechanisms: [String])
    case saslContinue(data: [UInt8])
    case saslFinal(data: [UInt8])
    /// Kerberos, GSSAPI, SSPI and what may come; `code` is none of those above.
    case other(code: Int32, data: [UInt8])

    /// `AUTH_REQ_*` of `libpq/protocol.h`.
    private enum Code {
        static let ok: Int32 = 0
        static let cleartextPassword: Int32 = 3
        static let md5Password: Int32 = 5
        static let sasl: Int32 = 10
        static let saslContinue: Int32 = 11
        static let saslFinal: Int32 = 12
    }

    /// - Throws: `truncated`, `unterminatedString`, `invalidText` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        switch try reader.read(Int32.self, in: bytes) {
        case Code.ok: self = .ok
        case Code.cleartextPassword: self = .cleartextPassword
        case Code.md5Password: self = .md5Password(salt: bytes.copy(try reader.take(4)))
        case Code.sasl: self = .sasl(mechanisms: try reader.readStringList(in: bytes))
        case Code.saslContinue: self = .saslContinue(data: bytes.copy(reader.takeRest()))
        case Code.saslFinal: self = .saslFinal(data: bytes.copy(reader.takeRest()))
        case let code: self = .other(code: code, data: bytes.copy(reader.takeRest()))
        }
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        switch self {
        case .ok: bytes.appendInteger(Code.ok)
        case .cleartextPassword: bytes.appendInteger(Code.cleartextPassword)
        case .md5Password(let salt): Self.append(Code.md5Password, salt, into: &bytes)
        case .sasl(let mechanisms):
            bytes.appendInteger(Code.sasl)
            for mechanism in mechanisms {
                bytes.appendCString(mechanism)
            }
            bytes.append(0)
        case .saslContinue(let data): Self.append(Code.saslContinue, data, into: &bytes)
        case .saslFinal(let data): Self.append(Code.saslFinal, data, into: &bytes)
        case .other(let code, let data): Self.append(code, data, into: &bytes)
        }
    }

    private static func append(_ code: Int32, _ data: [UInt8], into bytes: inout [UInt8]) {
        bytes.appendInteger(code)
        bytes.append(contentsOf: data)
    }
}

extension BodyReader {
    /// Reads strings up to an empty one.
    fileprivate mutating func readStringList(in bytes: borrowing RawSpan) throws(WireError) -> [String] {
        var list: [String] = []
        while true {
            let text = try readCString(in: bytes)
            if text.isEmpty { return list }
            list.append(text)
        }
    }
}
