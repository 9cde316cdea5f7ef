public import WaldenCore

/// What a load balancer says of the client whose connection it passes on, before the client's first byte (HAProxy, "The
/// PROXY protocol", versions 1 and 2).
public struct ProxyHeader: Hashable, Sendable {
    /// Nil where the balancer speaks for itself (LOCAL, UNKNOWN, an unspecified family) or for a process on its own
    /// machine (a Unix-domain socket, which rules for *our* machine must not take for one of ours): the socket's peer
    /// counts then.
    public let source: ClientAddress?

    /// The longest header of version 1, with its line end.
    static let textByteLimit = 107
    /// What may follow the fixed part of version 2: addresses, and extensions that are passed over. 216 bytes are the
    /// longest addresses; balancers add some hundred bytes of extensions. Range of the field: 0 … 65,535.
    public static let extensionByteLimit = 4_096

    public enum Found: Hashable, Sendable {
        /// The bytes so far may be the beginning of a header.
        case incomplete
        /// They are none.
        case absent
        case header(ProxyHeader, byteCount: Int)
    }

    /// Why what begins as a header is none. It holds nothing that the peer sent.
    public enum Fault: String, Error, Hashable, Sendable {
        case lineTooLong = "the line is longer than 107 bytes"
        case malformedLine = "the line is not PROXY, a protocol, two addresses and two ports"
        case unknownVersion = "the version is not 2 or the command neither LOCAL nor PROXY"
        case unknownFamily = "the address family is none of IPv4, IPv6 and Unix, over a stream"
        case addressesTooShort = "the addresses are shorter than their family's"
        case tooLong = "the addresses and extensions are longer than 4,096 bytes"
    }

    private static let textSignature = Array("PROXY ".utf8)
    private static let binarySignature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Looks for a header at the front of what a connection has sent so far.
    public static func find(in bytes: borrowing RawSpan) throws(Fault) -> Found {
        if bytes.begins(with: textSignature) { return try findText(in: bytes) }
        if bytes.begins(with: binarySignature) { return try findBinary(in: bytes) }
        return .absent
    }

    // MARK: Version 1

    private static func findText(in bytes: borrowing RawSpan) throws(Fault) -> Found {
        let searched = min(bytes.byteCount, textByteLimit)
        var end: Int?
        for offset in 0..<searched where bytes.byte(at: offset) == UInt8(ascii: "\n") {
            end = offset
            break
        }
        guard let end else {
            guard bytes.byteCount < textByteLimit else { throw .lineTooLong }
            return .incomplete
        }
        guard end > textSignature.count, bytes.byte(at: end - 1) == UInt8(ascii: "\r") else { throw .malformedLine }
        let line = bytes.copy(textSignature.count..<(end - 1))
        return .header(ProxyHeader(source: try source(ofLine: line)), byteCount: end + 1)
    }

    private static func source(ofLine line: [UInt8]) throws(Fault) -> ClientAddress? {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        // What follows UNKNOWN is to be ignored.
        if words[0] == "UNKNOWN" { return nil }
        guard words.count == 5, let source = address(words[1], of: words[0]), address(words[2], of: words[0]) != nil,
            let port = portNumber(words[3]), portNumber(words[4]) != nil
        else { throw .malformedLine }
        return .ip(source, port: port)
    }

    private static func address(_ text: Substring, of protocol: Substring) -> IPAddress? {
        guard let address = IPAddress(text) else { return nil }
        switch `protocol` {
        case "TCP4" where address.bitWidth == 32 && !text.contains(":"): return address
        // An IPv4 address mapped into IPv6 has become the former.
        case "TCP6" where text.contains(":"): return address
        default: return nil
        }
    }

    private static func portNumber(_ text: Substring) -> Int? {
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard (1...5).contains(text.utf8.count), isNumber else { return nil }
        return Int(text).flatMap { $0 <= 65_535 ? $0 : nil }
    }

    // MARK: Version 2

    private static func findBinary(in bytes: borrowing RawSpan) throws(Fault) -> Found {
        let head = binarySignature.count + 4
        guard bytes.byteCount >= head else { return .incomplete }
        let command = bytes.byte(at: 12)
        guard command == 0x20 || command == 0x21 else { throw .unknownVersion }
        let length = Int(bytes.byte(at: 14)) << 8 | Int(bytes.byte(at: 15))
        guard length <= extensionByteLimit else { throw .tooLong }
        guard bytes.byteCount >= head + length else { return .incomplete }
        let body = bytes.copy(head..<(head + length))
        let source = command == 0x20 ? nil : try source(family: bytes.byte(at: 13), body)
        return .header(ProxyHeader(source: source), byteCount: head + length)
    }

    private static func source(family: UInt8, _ body: [UInt8]) throws(Fault) -> ClientAddress? {
        switch family {
        case 0x00: return nil
        case 0x11: return try source(body, addressByteCount: 4)
        case 0x21: return try source(body, addressByteCount: 16)
        case 0x31:
            guard body.count >= 216 else { throw .addressesTooShort }
            return nil
        default: throw .unknownFamily
        }
    }

    /// Source and destination address, then the two ports.
    private static func source(_ body: [UInt8], addressByteCount: Int) throws(Fault) -> ClientAddress? {
        guard body.count >= 2 * addressByteCount + 4 else { throw .addressesTooShort }
        let port = Int(body[2 * addressByteCount]) << 8 | Int(body[2 * addressByteCount + 1])
        return IPAddress(networkOrder: body[..<addressByteCount]).map { .ip($0, port: port) }
    }
}

extension ProxyHeader.Fault: CustomStringConvertible {
    public var description: String { rawValue }
}

extension RawSpan {
    fileprivate func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Whether nothing here speaks against `signature`; with fewer bytes than it has, only these are compared.
    fileprivate func begins(with signature: [UInt8]) -> Bool {
        for offset in 0..<Swift.min(byteCount, signature.count) where byte(at: offset) != signature[offset] {
            return false
        }
        return true
    }
}
