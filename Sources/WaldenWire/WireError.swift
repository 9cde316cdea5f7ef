public import WaldenCore

/// Why bytes from a peer are not the protocol that they claim to be. Every one is fatal to its connection.
///
/// It carries no byte of what the peer sent but tags, codes and lengths, so its description is safe to log.
public struct WireError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// The length field is below 4 or above the limit given, both counted as the field counts.
        case lengthOutOfRange(declared: Int, limit: Int)
        /// A field of the message with this tag does not fit its body. Startup packets have the tag 0.
        case malformed(tag: UInt8, ByteError)
        /// Bytes follow the last field of the message.
        case trailingBytes(tag: UInt8)
        /// A field holds a value that the protocol does not define.
        case unexpectedValue(tag: UInt8, field: Field, value: Int)
        /// Bind names neither no format, one format, nor one for each parameter.
        case parameterFormatCount(formats: Int, parameters: Int)
        /// No message of this direction has this tag.
        case unknownTag(UInt8)
        /// The startup packet asks for a protocol other than 3.x.
        case unsupportedProtocol(major: Int, minor: Int)
        case startup(StartupFault)
    }

    /// The fields whose values are checked while decoding.
    public enum Field: String, Hashable, Sendable {
        case subtype
        case formatCode = "format code"
        case transactionStatus = "transaction status"
    }

    /// What is wrong with a startup packet (PostgreSQL `ProcessStartupPacket`).
    public enum StartupFault: Hashable, Sendable {
        case invalidLength
        case invalidCancelRequestLength
        case invalidCancelKeyLength
        case missingTerminator
        case missingUser
    }

    public let code: Code

    @inlinable
    public init(_ code: Code) {
        self.code = code
    }

    public static func unknownTag(_ tag: UInt8) -> WireError {
        WireError(.unknownTag(tag))
    }
}

extension WireError {
    /// The SQLSTATE that PostgreSQL reports for the same fault.
    public var sqlState: SQLState {
        switch code {
        case .unsupportedProtocol: .featureNotSupported
        case .startup(.missingUser): .invalidAuthorizationSpecification
        case .unexpectedValue(_, .formatCode, _): .invalidParameterValue
        case .malformed(_, .invalidText): .characterNotInRepertoire
        default: .protocolViolation
        }
    }

    /// The text for an ErrorResponse, in PostgreSQL's words where it has any (`pqformat.c`, `backend_startup.c`).
    public var message: String {
        switch code {
        case .lengthOutOfRange: "invalid message length"
        case .malformed(_, .truncated), .malformed(_, .lengthOutOfRange): "insufficient data left in message"
        case .malformed(_, .unterminatedString): "invalid string in message"
        case .malformed(_, .invalidText): "invalid byte sequence for encoding \"UTF8\""
        case .trailingBytes: "invalid message format"
        case .unexpectedValue(let tag, .subtype, let value):
            "invalid \(tag == UInt8(ascii: "C") ? "CLOSE" : "DESCRIBE") message subtype \(value)"
        case .unexpectedValue(_, .formatCode, let value): "unsupported format code: \(value)"
        case .unexpectedValue(_, .transactionStatus, _): "invalid message format"
        case .parameterFormatCount(let formats, let parameters):
            "bind message has \(formats) parameter formats but \(parameters) parameters"
        case .unknownTag(let tag): "invalid frontend message type \(tag)"
        case .unsupportedProtocol(let major, let minor):
            "unsupported frontend protocol \(major).\(minor): server supports "
                + "\(ProtocolVersion.earliest) to \(ProtocolVersion.latest)"
        case .startup(let fault): fault.message
        }
    }
}

extension WireError.StartupFault {
    var message: String {
        switch self {
        case .invalidLength: "invalid length of startup packet"
        case .invalidCancelRequestLength: "invalid length of cancel request packet"
        case .invalidCancelKeyLength: "invalid length of cancel key in cancel request packet"
        case .missingTerminator: "invalid startup packet layout: expected terminator as last byte"
        case .missingUser: "no PostgreSQL user name specified in startup packet"
        }
    }
}

extension WireError: CustomStringConvertible {
    /// The message with the tag and the lengths concerned; safe to log.
    public var description: String {
        switch code {
        case .lengthOutOfRange(let declared, let limit): "\(message): \(declared), limit \(limit)"
        case .malformed(let tag, let error): "\(message) (\(Self.printable(tag)), \(error))"
        case .trailingBytes(let tag): "\(message) (\(Self.printable(tag)), bytes after the last field)"
        case .unexpectedValue(let tag, let field, let value):
            "\(message) (\(Self.printable(tag)), \(field.rawValue) \(value))"
        case .parameterFormatCount, .unknownTag, .unsupportedProtocol, .startup: message
        }
    }

    private static func printable(_ tag: UInt8) -> String {
        if tag == 0 { return "startup packet" }
        return (0x21...0x7E).contains(tag) ? "'\(Character(Unicode.Scalar(tag)))'" : "tag \(tag)"
    }
}
