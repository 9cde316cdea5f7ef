/// A block of addresses in CIDR notation: an address and how many of its leading bits count.
public struct AddressRange: Hashable, Sendable {
    /// The first address; the bits beyond the prefix are zero.
    public let base: IPAddress
    /// 0 … 32 or 0 … 128.
    public let prefixLength: Int

    /// Nil when the prefix is longer than the address. Bits beyond it are cleared, as in pg_hba.conf.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.bitWidth).contains(prefixLength) else { return nil }
        base = address.masked(to: prefixLength)
        self.prefixLength = prefixLength
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bitWidth)
            return
        }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1])
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// Never for an address of the other version.
    public func contains(_ address: IPAddress) -> Bool {
        address.bitWidth == base.bitWidth && address.masked(to: prefixLength) == base
    }
}

extension AddressRange: CustomStringConvertible {
    public var description: String { "\(base)/\(prefixLength)" }
}

extension IPAddress {
    /// - Parameter length: 0 … `bitWidth`. A shift by the whole width gives zero.
    fileprivate func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let bits): .v4(bits & (UInt32.max << (32 - length)))
        case .v6(let high, let low):
            .v6(
                high: high & (UInt64.max << (64 - min(length, 64))),
                low: low & (UInt64.max << (64 - max(length - 64, 0))))
        }
    }
}
