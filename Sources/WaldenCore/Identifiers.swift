/// The OID of a relation in `pg_class`.
public struct RelationID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (lhs: RelationID, rhs: RelationID) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    public var description: String { String(rawValue) }
}

/// The OID of a type in `pg_type`. Constants are those of `catalog/pg_type.dat`, fixed for all versions.
public struct TypeID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Zero in Parse: the server is to infer the type.
    public static let unspecified = TypeID(0)
    public static let bool = TypeID(16)
    public static let bytea = TypeID(17)
    public static let name = TypeID(19)
    public static let int8 = TypeID(20)
    public static let int2 = TypeID(21)
    public static let int4 = TypeID(23)
    public static let text = TypeID(25)
    public static let oid = TypeID(26)
    public static let unknown = TypeID(705)
    public static let bpchar = TypeID(1042)
    public static let varchar = TypeID(1043)
    public static let date = TypeID(1082)
    public static let time = TypeID(1083)
    public static let timestamp = TypeID(1114)
    public static let timestamptz = TypeID(1184)
    public static let timetz = TypeID(1266)
    public static let numeric = TypeID(1700)
    public static let uuid = TypeID(2950)

    public var description: String { String(rawValue) }
}

/// A timeline of the write-ahead log; a promotion begins a new one (PostgreSQL `access/xlogdefs.h`, `TimeLineID`).
public struct TimelineID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static func < (lhs: TimelineID, rhs: TimelineID) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    public var description: String { String(rawValue) }
}
