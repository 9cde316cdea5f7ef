/// A column of a generated table.
struct Column: Hashable, Sendable {
    let name: String
    let type: ColumnType
    var isNullable = true
    /// The expression of a stored generated column.
    var generated: String?

    var declaration: String {
        var words = "\(name) \(type.declaration)"
        if let generated { words += " GENERATED ALWAYS AS (\(generated)) STORED" }
        if !isNullable { words += " NOT NULL" }
        return words
    }
}

/// What a table's updates and deletes say of the old row.
enum Identity: String, Hashable, Sendable {
    case primaryKey, full, index
}

/// A relation that statements may read and write: a table, a partitioned table, a partition, a parent or child by
/// inheritance.
struct Table: Hashable, Sendable {
    let name: String
    let columns: [Column]
    /// Empty: no primary key.
    let key: [String]
    let identity: Identity
    /// Names of tables that hold its rows: itself, or its partitions.
    var isPartitioned = false
    var isPartition = false

    var writable: [Column] { columns.filter { $0.generated == nil } }
}

struct View: Hashable, Sendable {
    let name: String
    let definition: String
    let columns: [Column]
    /// Tables read by it, also by views that it reads.
    let reads: Set<String>

    var statement: String {
        "CREATE VIEW \(name) (\(columns.map(\.name).joined(separator: ", "))) AS \(definition)"
    }
}

/// The shape of a world: the statements that make it and what there is to read and write.
struct Schema: Sendable {
    var statements: [String] = []
    var tables: [Table] = []
    var views: [View] = []

    /// What every world has beside its tables.
    static let common = [
        "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE COLLATION icu (provider = icu, locale = 'en')",
        "CREATE TYPE mood AS ENUM ('low', 'mid', 'high', 'top')",
        "CREATE DOMAIN count_domain AS int CHECK (VALUE > -100)",
        "CREATE DOMAIN word_domain AS text",
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'",
    ]

    func table(named name: String) -> Table? { tables.first { $0.name == name } }
}
