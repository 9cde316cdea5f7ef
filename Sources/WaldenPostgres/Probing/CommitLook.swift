internal import WaldenCore

/// Asks a server whether one of its processes waits for standbys to confirm a commit, over connections of its own that
/// stay open (`ConnectionShelf`). Calls block and may come from several threads at once.
public final class CommitLook: Sendable {
    public enum Finding: Hashable, Sendable {
        /// Outside of a commit, as far as can be seen.
        case elsewhere
        /// In the wait for standbys.
        case awaitsStandbys
        /// Writing or flushing the log each time it was looked at, which the wait may follow at once.
        case flushes
        /// The server has no process of that number.
        case gone
        /// The role may not see what processes of other roles do.
        case hidden
    }

    private let timeout: Duration
    private let shelf: ConnectionShelf

    /// The function behind `pg_stat_activity`: a look at one process. What may not be seen is null.
    private static let sql = """
        SELECT state IS NULL, CASE lower(wait_event) WHEN 'syncrep' THEN 'standbys' WHEN 'walsync' THEN 'log' \
        WHEN 'walwrite' THEN 'log' ELSE '' END FROM pg_catalog.pg_stat_get_activity($1::int)
        """
    private static let pause = Duration.milliseconds(1)

    /// - Parameter timeout: For connecting, and for all looks of one call. Default 1 s.
    public init(_ dsn: DSN, timeout: Duration = .seconds(1)) throws(PostgresError) {
        self.timeout = timeout
        var options = Connection.Options()
        options.applicationName = "walden cancel"
        options.connectTimeout = timeout
        shelf = try ConnectionShelf(dsn, options)
    }

    /// What the process is at. One that flushes the log is looked at until it does not.
    public func find(_ processID: Int32) throws(PostgresError) -> Finding {
        try shelf.ask { (connection) throws(PostgresError) in try look(processID, over: connection) }
    }

    private func look(_ processID: Int32, over connection: Connection) throws(PostgresError) -> Finding {
        let deadline = MonotonicClock.now() + timeout
        while true {
            let left = deadline.elapsed(since: MonotonicClock.now())
            let row = try connection.execute(Self.sql, ["\(processID)"], timeout: left).rows.first
            let finding = Self.finding(row)
            guard finding == .flushes, MonotonicClock.now() + Self.pause < deadline else { return finding }
            Polling.pause(Self.pause)
        }
    }

    private static func finding(_ row: [String?]?) -> Finding {
        guard let row, row.count == 2 else { return .gone }
        if row[0] != "f" { return .hidden }
        return switch row[1] {
        case "standbys": .awaitsStandbys
        case "log": .flushes
        default: .elsewhere
        }
    }

    /// Ends calls that wait. Returns at once.
    public func stop() {
        shelf.stop()
    }
}
