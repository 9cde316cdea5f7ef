import WaldenCore

/// An IPv4 or IPv6 address, as its 4 or 16 bytes.
public struct IPAddress: Hashable, Sendable {
    public let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16, in network byte order; nil for any other count. An IPv4 address mapped into IPv6 is
    ///   the IPv4 address, so that one rule serves both sorts of sockets.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let isMapped =
            bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// Reads `192.0.2.1` or `2001:db8::1` (RFC 4291, section 2.2), without a zone.
    public init?(_ text: some StringProtocol) {
        let bytes = text.contains(":") ? Self.sixteen(Substring(text)) : Self.four(Substring(text))
        guard let bytes else { return nil }
        self.init(bytes: bytes)
    }

    private static func four(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } && part.utf8.count <= 3 ? UInt8(part) : nil
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func sixteen(_ text: Substring) -> [UInt8]? {
        let halves = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        guard let head = groups(halves[0]) else { return nil }
        if halves.count == 1 { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard let last = four(part) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }
}

/// The addresses that share the first `prefix` bits with one (RFC 4632).
struct AddressRange: Hashable, Sendable {
    let base: IPAddress
    let prefix: Int

    init?(base: IPAddress, prefix: Int) {
        guard (0...base.bytes.count * 8).contains(prefix) else { return nil }
        self.base = base
        self.prefix = prefix
    }

    /// With a mask such as 255.255.255.0; nil for one with a hole.
    init?(base: IPAddress, mask: IPAddress) {
        guard base.bytes.count == mask.bytes.count else { return nil }
        var prefix = 0
        for byte in mask.bytes where byte == 0xFF && prefix.isMultiple(of: 8) { prefix += 8 }
        let whole = prefix / 8
        if whole < mask.bytes.count { prefix += (~mask.bytes[whole]).leadingZeroBitCount }
        self.init(base: base, prefix: prefix)
        let range = AddressRange.maskBytes(prefix, count: mask.bytes.count)
        guard range == mask.bytes else { return nil }
    }

    private static func maskBytes(_ prefix: Int, count: Int) -> [UInt8] {
        (0..<count).map { index in
            let bits = min(8, max(0, prefix - index * 8))
            return bits == 0 ? 0 : 0xFF << UInt8(8 - bits)
        }
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        let mask = Self.maskBytes(prefix, count: base.bytes.count)
        return base.bytes.indices.allSatisfy { (base.bytes[$0] ^ address.bytes[$0]) & mask[$0] == 0 }
    }
}
