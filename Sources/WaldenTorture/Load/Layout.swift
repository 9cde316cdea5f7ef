/// The tables that are worked on. All have the same columns; row `table * rowsPerTable + id` of the history is the row
/// `id` of the table.
struct Layout: Sendable {
    static let tables = ["plain", "whole", "split"]
    static let groupCount = 5
    static let blockSize = 5

    let rowsPerTable: Int

    var rowCount: Int { Self.tables.count * rowsPerTable }

    func table(of row: Int) -> Int { row / rowsPerTable }
    func name(of row: Int) -> String { Self.tables[table(of: row)] }
    func id(of row: Int) -> Int { row % rowsPerTable }
    func row(_ table: Int, _ id: Int) -> Int { table * rowsPerTable + id }
    func rows(ofTable table: Int) -> Range<Int> { (table * rowsPerTable)..<((table + 1) * rowsPerTable) }

    /// Rows begin in turns in the groups.
    func initialState(of row: Int) -> RowState { .present(group: id(of: row) % Self.groupCount) }

    /// One table whose stream tells of keys only, one that tells of whole old rows, one with a partition for each group;
    /// a view on each; and ballast for transactions that the walsender streams before they commit.
    var schema: String {
        let columns = "id int, grp int NOT NULL, version int NOT NULL, pad text"
        let partitions = (0..<Self.groupCount).map {
            "CREATE TABLE split_\($0) PARTITION OF split FOR VALUES IN (\($0));"
        }
        let rows = Self.tables.map {
            """
            INSERT INTO \($0) SELECT id, id % \(Self.groupCount), 0, 'x' FROM generate_series(0, \(rowsPerTable - 1)) AS id;
            CREATE VIEW \($0)_view AS SELECT id, grp, version FROM \($0);
            """
        }
        return """
            CREATE TABLE plain (\(columns), PRIMARY KEY (id));
            CREATE TABLE whole (\(columns), PRIMARY KEY (id));
            ALTER TABLE whole REPLICA IDENTITY FULL;
            CREATE TABLE split (\(columns), PRIMARY KEY (id, grp)) PARTITION BY LIST (grp);
            \(partitions.joined(separator: "\n"))
            \(rows.joined(separator: "\n"))
            CREATE TABLE ballast (id int PRIMARY KEY, pad text);
            INSERT INTO ballast SELECT id, '' FROM generate_series(1, 400) AS id
            """
    }
}
