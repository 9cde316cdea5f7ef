/// A parameter of a generated query as it stands in Parse and Bind.
struct Parameter: Hashable, Sendable {
    /// Zero leaves the type to the server.
    let type: UInt32
    let isBinary: Bool
    /// Nil for null.
    let bytes: [UInt8]?
    /// For people.
    let shown: String
}

/// What kind of statement a query is, by the hardest thing in it: classes by which precision is counted.
enum QueryShape: String, CaseIterable, Hashable, Sendable {
    case single, limit, join, aggregate, distinct, window, subquery, derived, commonTable = "cte", setOperation = "set"
    case view
}

/// One SELECT and the values of its parameters.
struct GeneratedQuery: Sendable {
    let sql: String
    let parameters: [Parameter]
    let shape: QueryShape
    /// Names of the tables that it reads.
    let reads: Set<String>
    /// Whether equal rows come in an order that the statement fixes.
    let isOrdered: Bool
    /// Whether the columns of its result are asked for in binary form.
    let isBinary: Bool
    /// Whether an update of each table that it reads tells the whole old row.
    let hasFullIdentity: Bool
}

/// A column that FROM offers.
struct Offered: Hashable, Sendable {
    let name: String
    let type: ColumnType
}

/// Something in FROM.
struct Source: Sendable {
    let sql: String
    let alias: String
    let columns: [Offered]

    func reference(_ column: Offered) -> String { "\(alias).\(column.name)" }
}

/// A SELECT without ORDER BY, and what it gives.
struct Block: Sendable {
    let sql: String
    let columns: [Offered]
}
