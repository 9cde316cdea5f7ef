/// The types that columns and outputs of generated worlds have.
enum ColumnType: String, Hashable, CaseIterable, Sendable {
    case smallint, integer, bigint, numeric, scaled, float, text, varchar, char, folded, icu, big, bool, date
    case timestamp, timestamptz, uuid, bytea, mood, count, word, intArray

    /// As a column is declared.
    var declaration: String {
        switch self {
        case .scaled: "numeric(8,2)"
        case .float: "float8"
        case .varchar: "varchar(6)"
        case .char: "char(4)"
        // Equal under this collation does not mean the same letters.
        case .folded: "text COLLATE folded"
        case .icu: "text COLLATE icu"
        case .big: "text"
        // Domains, over integer and text.
        case .count: "count_domain"
        case .word: "word_domain"
        case .intArray: "int[]"
        default: rawValue
        }
    }

    /// As a cast names it.
    var castName: String {
        switch self {
        case .folded, .icu, .big, .word: "text"
        case .scaled: "numeric"
        case .float: "float8"
        case .count: "int"
        case .varchar: "varchar"
        case .char: "char(4)"
        default: declaration
        }
    }

    /// In `pg_type`; nil for types that a world makes.
    var oid: UInt32? {
        switch self {
        case .smallint: 21
        case .integer, .count: 23
        case .bigint: 20
        case .numeric, .scaled: 1700
        case .float: 701
        case .text, .folded, .icu, .big, .word: 25
        case .varchar: 1043
        case .char: 1042
        case .bool: 16
        case .date: 1082
        case .timestamp: 1114
        case .timestamptz: 1184
        case .uuid: 2950
        case .bytea: 17
        case .intArray: 1007
        case .mood: nil
        }
    }

    var arrayOID: UInt32? {
        switch self {
        case .smallint: 1005
        case .integer, .count: 1007
        case .bigint: 1016
        case .text, .word, .folded, .icu: 1009
        case .uuid: 2951
        case .date: 1182
        case .numeric, .scaled: 1231
        case .timestamp: 1115
        default: nil
        }
    }

    var isInteger: Bool { [.smallint, .integer, .bigint, .count].contains(self) }
    var isNumber: Bool { isInteger || [.numeric, .scaled, .float].contains(self) }
    var isText: Bool { [.text, .varchar, .char, .folded, .icu, .big, .word].contains(self) }

    /// Whether two values can be equal and look different, so that DISTINCT may give either.
    var isFuzzy: Bool { self == .numeric || self == .folded }

    var hasMinimum: Bool { ![.bool, .uuid, .bytea].contains(self) }

    /// Whether values of both compare by `=` without a cast.
    func compares(with other: ColumnType) -> Bool {
        if self == other { return true }
        if isNumber && other.isNumber { return true }
        let plainText: Set<ColumnType> = [.text, .varchar, .big, .word]
        if plainText.contains(self) && plainText.contains(other) { return true }
        let times: Set<ColumnType> = [.date, .timestamp]
        return times.contains(self) && times.contains(other)
    }

    /// An expression whose values look the same when they are equal.
    func canonical(_ expression: String) -> String {
        switch self {
        case .numeric: "trim_scale(\(expression))"
        case .folded: "lower(\(expression))"
        default: expression
        }
    }
}
