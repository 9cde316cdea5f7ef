import Glibc

/// An address of the Internet Protocol, version 4 or 6, without zone.
public enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Four or sixteen bytes in network order, else nil. An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4
    /// address: it is the same peer, seen through a socket that serves both.
    public init?(networkOrder bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            let high = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let low = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let isMapped = high == 0 && low >> 32 == 0xFFFF
            self = isMapped ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
        default: return nil
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, as `inet_pton` does.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(networkOrder: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// Four or sixteen bytes.
    public var networkOrder: [UInt8] {
        switch self {
        case .v4(let bits): (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
        case .v6(let high, let low):
            [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// In the shortest form (RFC 5952), as `inet_ntop` prints it.
    public var description: String {
        let bytes = networkOrder
        // Room for the longest form of IPv6 and its final zero (INET6_ADDRSTRLEN).
        var text = [CChar](repeating: 0, count: 46)
        let isPrinted = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil
        return isPrinted ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "?"
    }
}
