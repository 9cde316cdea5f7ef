import WaldenCore

/// What is fixed about PostgreSQL's built-in types.
enum TypeProperties {
    /// The family in which values of a type are compared; nil when Walden does not reproduce the comparison.
    static func family(of type: TypeID, in catalog: CatalogSnapshot) -> ValueFamily? {
        switch type {
        case .int2, .int4, .int8: .integer
        case .oid: .oid
        case .bool: .boolean
        case .date: .date
        case .timestamp: .timestamp
        case .timestamptz: .timestamptz
        case .numeric: .numeric
        case .text, .varchar, .name: .text
        case .bpchar: .bpchar
        case .float4, .float8: .float
        case .bytea: .bytea
        case .uuid: .uuid
        default: catalog.type(type)?.kind == .enumeration ? .enumeration : nil
        }
    }

    /// Whether a column of the one type that equals a column of the other satisfies the same conditions.
    static func compareAlike(_ left: TypeID, _ right: TypeID, in catalog: CatalogSnapshot) -> Bool {
        guard let family = family(of: left, in: catalog), family == self.family(of: right, in: catalog) else {
            return false
        }
        // Strings beside a `name` are cut; all other types of a family read them alike.
        return left == right || family == .integer || family == .text && left != .name && right != .name
    }

    static func isDateOrTime(_ type: TypeID) -> Bool {
        switch type {
        case .date, .time, .timestamp, .timestamptz, .interval: true
        default: false
        }
    }

    /// Whether the binary form of a type is never the text of a date.
    static func hasNoText(_ type: TypeID) -> Bool {
        switch type {
        case .int2, .int4, .int8, .oid, .bool, .float4, .float8, .numeric, .uuid, .bytea: true
        default: isDateOrTime(type)
        }
    }
}

extension TypeID {
    static let float4 = TypeID(700)
    static let float8 = TypeID(701)
    static let interval = TypeID(1186)
}
