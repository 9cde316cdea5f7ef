import WaldenCore

/// How closely two results of one statement in one state of the database must agree.
public enum AuditGrade: UInt8, Hashable, Sendable {
    /// Not at all: which rows there are, or what stands in them, may depend on the order in which they were read.
    case none
    /// In the number of rows: LIMIT without an order that is known to be total.
    case count
    /// In the rows, in any order: rows that the order leaves alike may change places.
    case rows
}

/// Reads the grade off a shape's text and the columns it reads. It errs towards `none`: a false alarm would take a
/// statement out of the cache.
struct AuditGrader {
    /// Of these every call gives the same for the same rows, whatever their order.
    private static let functions: Set<String> = [
        "count", "bool_and", "bool_or", "every", "abs", "lower", "upper", "length", "char_length", "octet_length",
        "substring", "substr", "left", "right", "trim", "btrim", "ltrim", "rtrim", "replace", "date_trunc", "date_part",
        "extract", "round", "floor", "ceil", "coalesce", "nullif", "greatest", "least", "md5",
    ]
    /// The same, if no column can hold values that are equal but printed differently, nor floating-point numbers.
    private static let exactFunctions: Set<String> = ["sum", "avg", "min", "max"]
    private static let exactKeywords: Set<String> = ["distinct", "group", "union", "intersect", "except", "having"]
    /// What may stand before a parenthesis without being a function.
    private static let keywords: Set<String> = [
        "select", "from", "where", "and", "or", "not", "in", "exists", "any", "all", "some", "values", "on", "using",
        "by", "as", "when", "then", "else", "case", "join", "between", "like", "ilike", "is", "row", "array",
        "distinct", "group", "union", "intersect", "except", "having",
    ]
    private static let limiting: Set<String> = ["limit", "offset", "fetch"]
    private static let refused: Set<String> = [
        "over", "window", "lateral", "rollup", "cube", "grouping", "within", "filter", "recursive", "tablesample",
        "float", "float4", "float8", "real", "double", "cast",
    ]

    static func grade(_ text: String, columnsAreExact: Bool) -> AuditGrade {
        let bytes = Array(text.utf8)
        if bytes.isEmpty || text.hasSuffix("…") { return .none }
        var grade = AuditGrade.rows
        var depth = 0
        var position = 0
        var former = ""
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += 1 }
                former = ""
            } else if isNameStart(byte) {
                let start = position
                while position < bytes.count, isName(bytes[position]) { position += 1 }
                let word = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
                let isCall = nextAfterBlank(bytes, position) == UInt8(ascii: "(")
                guard isHarmless(word, isCall: isCall, after: former, columnsAreExact) else { return .none }
                if limiting.contains(word) {
                    guard depth == 0 else { return .none }
                    grade = .count
                }
                former = word
                continue
            } else if byte == UInt8(ascii: "(") {
                depth += 1
            } else if byte == UInt8(ascii: ")") {
                depth -= 1
            } else if byte == UInt8(ascii: ":") {
                return .none
            }
            position += 1
        }
        return grade
    }

    private static func isHarmless(_ word: String, isCall: Bool, after former: String, _ isExact: Bool) -> Bool {
        if refused.contains(word) || (former == "distinct" && word == "on") { return false }
        if exactKeywords.contains(word), !isExact { return false }
        guard isCall else { return true }
        if exactFunctions.contains(word) { return isExact }
        return functions.contains(word) || keywords.contains(word) || limiting.contains(word)
    }

    private static func nextAfterBlank(_ bytes: [UInt8], _ position: Int) -> UInt8 {
        let next = position < bytes.count && bytes[position] == UInt8(ascii: " ") ? position + 1 : position
        return next < bytes.count ? bytes[next] : 0
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func isName(_ byte: UInt8) -> Bool {
        isNameStart(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$")
    }
}

extension CachePlan {
    /// Types whose values are printed alike whenever they are equal, and whose sums do not depend on order.
    private static let exactTypes: Set<TypeID> = [
        .bool, .int2, .int4, .int8, .oid, .text, .varchar, .date, .bytea, TypeID(1114), TypeID(1184), TypeID(2950),
    ]

    /// How closely two results must agree.
    public func auditGrade(of shape: StatementShape, in catalog: CatalogSnapshot) -> AuditGrade {
        let areExact = tables.allSatisfy { table in
            guard let relation = catalog.relation(table.relation) else { return false }
            return relation.columns.allSatisfy { column in
                if let read = table.columns, !read.contains(column.name) { return true }
                return Self.exactTypes.contains(column.type) && column.hasDeterministicCollation
            }
        }
        return AuditGrader.grade(shape.text, columnsAreExact: areExact)
    }
}
