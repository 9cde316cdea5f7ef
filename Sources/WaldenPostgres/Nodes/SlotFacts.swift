/// A replication slot and the log that it keeps the server from removing.
public struct SlotFacts: Hashable, Sendable {
    public let name: String
    public let isLogical: Bool
    public let isActive: Bool
    /// Log kept for it, bytes; nil while it keeps none, and when it was lost.
    public let retainedBytes: UInt64?
    /// `pg_replication_slots.wal_status`: reserved, extended, unreserved, lost.
    public let state: String?

    public init(name: String, isLogical: Bool, isActive: Bool, retainedBytes: UInt64?, state: String?) {
        self.name = name
        self.isLogical = isLogical
        self.isActive = isActive
        self.retainedBytes = retainedBytes
        self.state = state
    }
}

extension SlotFacts {
    /// `max_replication_slots` may be anything; more than a thousand nobody looks at.
    private static let sql = """
        SELECT slot_name, slot_type = 'logical', active, \
        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), restart_lsn)::bigint, wal_status \
        FROM pg_catalog.pg_replication_slots ORDER BY slot_name LIMIT 1000
        """

    /// The slots of a primary.
    static func read(_ connection: Connection, timeout: Duration) throws(PostgresError) -> [SlotFacts] {
        try connection.execute(sql, timeout: timeout).rows.compactMap(SlotFacts.init(row:))
    }

    init?(row: [String?]) {
        guard row.count == 5, let name = row[0] else { return nil }
        self.init(
            name: name, isLogical: row[1] == "t", isActive: row[2] == "t",
            retainedBytes: row[3].flatMap { Int64($0) }.map { UInt64(max(0, $0)) }, state: row[4])
    }
}
