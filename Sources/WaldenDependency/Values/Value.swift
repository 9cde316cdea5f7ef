/// A column value in a form whose Swift equality and order are those of PostgreSQL for the column's family.
///
/// Families that Walden cannot compare exactly have no value; what has none is *unknown*, and unknown counts as a
/// match. Null has no value either: it is told apart by `FieldValue`.
public enum Value: Hashable, Sendable {
    /// int2, int4, int8, oid, bool (0, 1), date (days since 2000-01-01), timestamp and timestamptz (microseconds
    /// since 2000-01-01; the infinities are the extreme integers, as PostgreSQL stores them), float4 and float8 (an
    /// encoding in their order).
    case integer(Int64)
    /// text, varchar, name and enum labels (equality only), bpchar without trailing spaces, bytea and uuid (byte order), numeric (an encoding whose
    /// byte order is the numeric order and which is the same for every scale).
    case bytes([UInt8])
}

extension Value: Comparable {
    public static func < (lhs: Value, rhs: Value) -> Bool {
        switch (lhs, rhs) {
        case (.integer(let left), .integer(let right)): left < right
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        case (.integer, .bytes): true
        case (.bytes, .integer): false
        }
    }
}

/// Types whose values compare alike once decoded; a predicate compares within one family only.
public enum ValueFamily: UInt8, Hashable, Sendable {
    case integer, oid, boolean, date, timestamp, timestamptz, numeric, text, bytea, uuid, enumeration, bpchar, float

    /// Whether `<` on values is PostgreSQL's order. Text order depends on the collation and an enum's on its
    /// catalog rows, so those families know equality alone.
    public var isOrdered: Bool {
        switch self {
        case .text, .enumeration, .bpchar: false
        default: true
        }
    }

    /// Whether equality is a matter of the collation.
    public var isCollated: Bool { self == .text || self == .bpchar }
}

/// What is known of one column in one row image.
public enum FieldValue: Hashable, Sendable {
    case known(Value)
    case null
    case unknown
}
