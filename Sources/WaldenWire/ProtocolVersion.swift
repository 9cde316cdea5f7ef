/// A version of the frontend/backend protocol: major in the high 16 bits, minor in the low (`libpq/pqcomm.h`).
public struct ProtocolVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Both halves are taken modulo 65,536.
    public init(major: Int, minor: Int) {
        rawValue = UInt32(truncatingIfNeeded: major) << 16 | UInt32(UInt16(truncatingIfNeeded: minor))
    }

    /// The first version of protocol 3, and the last with cancel keys of four bytes only.
    public static let earliest = ProtocolVersion(major: 3, minor: 0)
    /// The version of PostgreSQL 18, which lengthened the cancel key. 3.1 was never used.
    public static let latest = ProtocolVersion(major: 3, minor: 2)

    public var major: Int { Int(rawValue >> 16) }
    public var minor: Int { Int(rawValue & 0xFFFF) }

    public static func < (lhs: ProtocolVersion, rhs: ProtocolVersion) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    public var description: String { "\(major).\(minor)" }
}
