/// What a client may send first: packets without a type byte, told apart by a number where the version stands (protocol
/// chapter, Start-up and SSL Session Encryption; PostgreSQL `ProcessStartupPacket`).
public enum StartupPacket: Hashable, Sendable {
    case sslRequest
    case gssEncRequest
    case cancelRequest(processID: Int32, secret: [UInt8])
    case startup(StartupMessage)

    /// `MAX_STARTUP_PACKET_LENGTH`: bytes after the length field.
    public static let bodyByteLimit = 10_000

    /// The numbers in the place of a protocol version (`libpq/pqcomm.h`).
    enum Code {
        static let cancelRequest = ProtocolVersion(major: 1234, minor: 5678).rawValue
        static let sslRequest = ProtocolVersion(major: 1234, minor: 5679).rawValue
        static let gssEncRequest = ProtocolVersion(major: 1234, minor: 5680).rawValue
    }

    /// Reads the packet at `offset`.
    ///
    /// As in PostgreSQL the requests for encryption may be longer than they need be. Parameters must be UTF-8.
    ///
    /// - Returns: the packet and its length in bytes; nil while it has not all arrived.
    /// - Throws: `startup`, `unsupportedProtocol` for a major version other than 3, or `invalidText`.
    public static func parse(
        _ bytes: borrowing RawSpan, at offset: Int
    ) throws(WireError) -> (packet: StartupPacket, byteCount: Int)? {
        var head = BodyReader(bytes, body: max(0, offset)..<max(offset, bytes.byteCount, 0), tag: 0)
        guard head.remaining >= 4 else { return nil }
        let start = head.offset
        let byteCount = Int(try head.read(Int32.self, in: bytes))
        guard (8...(bodyByteLimit + 4)).contains(byteCount) else { throw WireError(.startup(.invalidLength)) }
        guard head.end - start >= byteCount else { return nil }
        let body = BodyReader(bytes, body: (start + 4)..<(start + byteCount), tag: 0)
        return (try parse(body: body, in: bytes), byteCount)
    }

    private static func parse(
        body: consuming BodyReader, in bytes: borrowing RawSpan
    ) throws(WireError) -> StartupPacket {
        let version = ProtocolVersion(rawValue: try body.read(UInt32.self, in: bytes))
        switch version.rawValue {
        case Code.sslRequest: return .sslRequest
        case Code.gssEncRequest: return .gssEncRequest
        case Code.cancelRequest:
            let request = try CancelRequest(reader: body, in: bytes)
            return .cancelRequest(processID: request.processID, secret: request.secret)
        default:
            guard version.major == 3 else {
                throw WireError(.unsupportedProtocol(major: version.major, minor: version.minor))
            }
            return .startup(try StartupMessage(version: version, reader: body, in: bytes))
        }
    }

    /// Appends the whole packet, with its length.
    public func encode(into bytes: inout [UInt8]) {
        switch self {
        case .sslRequest: Self.append(code: Code.sslRequest, into: &bytes)
        case .gssEncRequest: Self.append(code: Code.gssEncRequest, into: &bytes)
        case .cancelRequest(let processID, let secret):
            CancelRequest(processID: processID, secret: secret).encode(into: &bytes)
        case .startup(let message): message.encode(into: &bytes)
        }
    }

    private static func append(code: UInt32, into bytes: inout [UInt8]) {
        MessageWriter.appendUntagged(into: &bytes) { $0.appendInteger(code) }
    }
}
