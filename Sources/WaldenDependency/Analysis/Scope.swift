import WaldenCore

/// A column that a query or a FROM item gives.
struct OutputColumn: Hashable, Sendable {
    /// Nil when the server's choice of a name is not followed.
    var name: String?
    /// Nil when it cannot be told.
    var type: TypeID?
    /// Columns of base relations that are read only if this one is; they are not yet noted.
    var pending: [ColumnSource] = []
    /// The input column whose values it shows as they are.
    var origin: ColumnSource?
}

/// The output of a query or FROM item; nil: not known, so that it may have a column of any name.
typealias OutputColumns = [OutputColumn]?

/// Something in FROM that column names can refer to.
struct ScopeItem: Sendable {
    /// The alias, or the table's name; nil for a subquery without a name.
    let name: String?
    let schema: String?
    let columns: OutputColumns
    /// What is read of table occurrences when a column is referred to; by column name.
    let sources: [String: [ColumnSource]]
    /// The table occurrences whose rows it hands out as a whole.
    let tables: [Int]
    /// Its place for conditions (`JoinTree`); nil when nothing is concluded about its columns.
    var slot: Int?

    /// Whether it may have columns that are not listed.
    var isOpen: Bool { columns?.contains { $0.name == nil } ?? true }

    func column(named name: String) -> OutputColumn? {
        columns?.first { $0.name == name }
    }

    /// Whether a column's qualifier means it.
    func answers(to qualifier: ArraySlice<String>) -> Bool {
        switch qualifier.count {
        case 0: true
        case 1: name == qualifier.first
        case 2: name == qualifier.last && schema == qualifier.first
        default: false
        }
    }

    /// The column of that name, as conditions know it.
    func source(of name: String) -> ColumnSource? {
        guard let slot, columns?.count(where: { $0.name == name }) == 1 else { return nil }
        return slot >= 0 ? sources[name]?.first : ColumnSource(table: slot, column: name)
    }
}

/// A column of an item at one place of the statement.
struct ColumnSource: Hashable, Sendable {
    /// Position among the statement's table occurrences; in conditions also the slot of a subquery (`JoinTree`).
    let table: Int
    let column: String
}

/// What names mean within one SELECT. Scopes of outer queries are asked after it.
struct Scope: Sendable {
    var items: [ScopeItem] = []
    /// Names of the select list, to which ORDER BY and GROUP BY may refer.
    var outputNames: Set<String> = []
    /// What a name that USING or NATURAL made one column of means without a qualifier; absent when it is neither side's.
    var merged: [String: ColumnSource] = [:]
    /// Some join merged columns, so that `*` is not all columns of all items.
    var hasMergedColumns = false
    /// Columns that only pass through the select list are read only if someone reads the output.
    var isLazy = false
    /// Its number in the `ConditionTree`.
    var select = 0
    var place = ConditionTree.Place.apart
}

/// One place in a statement where a base relation is read.
struct TableOccurrence: Sendable {
    let relation: RelationEntry
    /// The relation with its ancestors and descendants.
    let family: [RelationEntry]
    /// Columns that the statement refers to.
    var columns: Set<String> = []
    /// Some reference is to the row as a whole.
    var isWhole = false
}

/// Where parameters stand, and what types the server will give those that have none.
struct ParameterTable: Sendable {
    private(set) var highest = 0
    /// By number: the types that its places suggest; nil among them when a place suggests none.
    private(set) var suggestions: [Int: Set<TypeID?>] = [:]
    /// Numbers with a place where a special date would be read as one.
    private(set) var exposed: Set<Int> = []

    mutating func note(_ number: Int, suggested: TypeID?, isPlain: Bool) {
        highest = max(highest, number)
        suggestions[number, default: []].insert(suggested)
        if !isPlain { exposed.insert(number) }
    }

    /// The type of an untyped parameter, when all its places agree.
    func inferredType(_ number: Int) -> TypeID? {
        guard let types = suggestions[number], types.count == 1, let type = types.first else { return nil }
        return type
    }

    var plain: Set<Int> { Set(suggestions.keys).subtracting(exposed) }
}
