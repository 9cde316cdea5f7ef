import WaldenCore
import WaldenPostgres

/// The look at the primary with which the cache starts after a slot was made: a transaction identifier taken
/// afterwards, then a snapshot and the insert position.
struct StartProbe: Sendable {
    private static let ceilingSQL = "SELECT pg_catalog.pg_current_xact_id()::text"
    private static let probeSQL =
        "SELECT pg_catalog.pg_current_snapshot()::text, pg_catalog.pg_current_wal_insert_lsn()::text"

    let dsn: DSN

    /// Opens a connection of its own for two statements: starts are rare.
    func take() throws(PostgresError) -> (probe: Probe, ceiling: TransactionID) {
        var options = Connection.Options()
        options.settings = [("synchronous_commit", "off"), ("default_transaction_read_only", "off")]
        let connection = try Connection.open(dsn, options)
        defer { connection.close() }
        let timeout = Duration.seconds(2)
        let ceiling = try connection.execute(Self.ceilingSQL, timeout: timeout).rows.first?.first ?? nil
        let startedAt = MonotonicClock.now()
        let row = try connection.execute(Self.probeSQL, timeout: timeout).rows.first ?? []
        guard let ceiling = ceiling.flatMap({ UInt64($0) }), row.count == 2,
            let snapshot = row[0].flatMap(Snapshot.init), let position = row[1].flatMap(LSN.init)
        else { throw PostgresError(.unexpectedReply, "the server gave no snapshot and position") }
        return (
            Probe(startedAt: startedAt, snapshot: snapshot, insertLSN: position), TransactionID(ceiling)
        )
    }
}
