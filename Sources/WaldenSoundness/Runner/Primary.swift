import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenTestKit

/// The server under the fuzzer: one database with a publication of all tables, the stream of its changes, and the
/// sessions that write, read and look.
final class Primary {
    let cluster: Cluster
    let reader: Reader
    private let writer: SQLClient
    private let catalogConnection: Connection
    private let stream: ReplicationStream
    private let feed = ChangeFeed()
    private var catalogs: UInt64 = 0

    init(seed: UInt64) throws {
        cluster = try Cluster.start(
            .init(settings: [
                // So that every look at the server sees all that went before.
                "autovacuum": "off",
                // Small, so that transactions with long values are streamed before they end.
                "logical_decoding_work_mem": "64kB",
                "full_page_writes": "off", "jit": "off",
            ]))
        let dsn = cluster.primary.socketDSN()
        writer = try SQLClient(dsn)
        try writer.query("CREATE PUBLICATION walden FOR ALL TABLES")
        try writer.query("SET client_min_messages = error")
        reader = try Reader(dsn)
        catalogConnection = try Connection.open(DSN(dsn))
        stream = try ReplicationStream(.init(dsn: DSN(dsn)), seed: seed, delegate: feed)
        try stream.start()
        try feed.waitForStart()
    }

    func end() {
        stream.stop()
        stream.join()
        cluster.end()
    }

    // MARK: Worlds

    /// Replaces the world before by an empty one of this shape. The server refuses none of the statements.
    func build(_ schema: Schema) throws {
        try writer.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for statement in schema.statements {
            do {
                try writer.query(statement)
            } catch {
                throw TestKitError("the world cannot be made: \(statement): \(error)")
            }
        }
        try reader.reset()
    }

    /// Runs a statement that the server may refuse. Whether it did not.
    func attempt(_ statement: String) -> Bool {
        (try? writer.query(statement)) != nil
    }

    func catalog() throws -> CatalogSnapshot {
        catalogs += 1
        return try CatalogReader.read(catalogConnection, publication: "walden", generation: catalogs)
    }

    // MARK: Looks

    struct Look {
        let snapshot: Snapshot
        let insertLSN: LSN
    }

    func look() throws -> Look {
        let row = try writer.query("SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text").texts.first
        guard let row, row.count == 2, let snapshot = row[0].flatMap(Snapshot.init), let lsn = row[1].flatMap(LSN.init)
        else { throw TestKitError("the server gave no snapshot and position") }
        return Look(snapshot: snapshot, insertLSN: lsn)
    }

    /// An identifier from now, after which no transaction is unknown to the stream.
    func ceiling() throws -> TransactionID {
        guard let text = try writer.scalar("SELECT pg_current_xact_id()::text"), let number = UInt64(text) else {
            throw TestKitError("the server gave no transaction identifier")
        }
        return TransactionID(number)
    }

    // MARK: Changes

    /// Makes the change and gives what the stream tells of it; nil when the server refused it as a whole. What the
    /// stream delivered before, of the world's making, is thrown away.
    func make(_ change: Change) throws -> CommittedTransaction? {
        // So that also a transaction without changes comes through the stream.
        let begin =
            "BEGIN; SELECT pg_logical_emit_message(true, 'walden', 'heartbeat'); "
            + "SELECT pg_current_xact_id()::text"
        guard let text = try writer.query(begin).texts.first?.first, let text, let number = UInt64(text) else {
            throw TestKitError("the server gave no transaction identifier")
        }
        for step in change.steps { try perform(step) }
        guard try finish(change.ending) else { return nil }
        return try feed.take(upTo: UInt32(truncatingIfNeeded: number)).last
    }

    private func perform(_ step: Step) throws {
        switch step {
        case .savepoint, .rollback, .release: try writer.query(step.text)
        case .statement(let sql): try guarded { try writer.query(sql) }
        case .copy(let sql, let data): try guarded { try writer.copyIn(sql, Array(data.utf8)) }
        }
    }

    private func guarded(_ body: () throws -> Void) throws {
        try writer.query("SAVEPOINT guard")
        do {
            try body()
            try writer.query("RELEASE SAVEPOINT guard")
        } catch let error as SQLError where error.sqlState != nil {
            try writer.query("ROLLBACK TO SAVEPOINT guard; RELEASE SAVEPOINT guard")
        }
    }

    private func finish(_ ending: Change.Ending) throws -> Bool {
        do {
            switch ending {
            case .commit: try writer.query("COMMIT")
            case .twoPhase:
                try writer.query("PREPARE TRANSACTION 'walden'")
                try writer.query("COMMIT PREPARED 'walden'")
            }
            return true
        } catch let error as SQLError where error.sqlState != nil {
            _ = try? writer.query("ROLLBACK")
            return false
        }
    }
}
