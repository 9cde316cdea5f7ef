/// A position in the write-ahead log: a byte offset since the cluster was made (PostgreSQL `access/xlogdefs.h`,
/// `XLogRecPtr`). Printed as PostgreSQL prints it, two hexadecimal halves: `16/B374D848`.
public struct LSN: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// `InvalidXLogRecPtr`: no position. It orders before every valid one.
    public static let zero = LSN(0)

    @inlinable
    public static func < (lhs: LSN, rhs: LSN) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    /// The bytes of log from `start` up to here; zero when `start` is ahead.
    public func bytes(since start: LSN) -> UInt64 {
        rawValue > start.rawValue ? rawValue - start.rawValue : 0
    }
}

extension LSN: LosslessStringConvertible {
    /// Parses PostgreSQL's text form; nil unless both halves are 1 to 8 hexadecimal digits.
    public init?(_ text: String) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ (1...8).contains($0.utf8.count) }),
            halves.allSatisfy({ $0.allSatisfy(\.isHexDigit) }),
            let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16)
        else { return nil }
        self.init(UInt64(high) << 32 | UInt64(low))
    }

    public var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }
}
