import Glibc
import WaldenPostgres
import WaldenRejoin

/// The primary that a node is to follow, asked by SQL.
struct Source {
    let dsn: DSN
    let interrupt: Interrupt

    /// The service that programs are told of instead of a connection string.
    static let service = "walden_source"

    init(_ request: RejoinRequest, _ interrupt: Interrupt) throws(AgentError) {
        dsn = try Self.check(request)
        self.interrupt = interrupt
    }

    /// Reads the request's connection strings; the source's.
    @discardableResult
    static func check(_ request: RejoinRequest) throws(AgentError) -> DSN {
        do throws(PostgresError) {
            _ = try DSN(request.upstream)
            return try DSN(request.source)
        } catch {
            throw .refused("a connection string of the request: \(error)")
        }
    }

    func look() throws(PostgresError) -> RejoinFacts.Source {
        let connection = try open()
        defer { connection.close() }
        let found = try ask(connection)
        guard !found.isStandby, found.checkpointTimeline != found.timeline else { return found }
        // Right after a promotion the control file tells of the timeline before. Who may not make a checkpoint gets the
        // refusal of the plan.
        do throws(PostgresError) {
            _ = try connection.executeSimple("CHECKPOINT", timeout: Self.checkpointTimeout)
        } catch {
            guard error.sqlState == "42501" else { throw error }
        }
        return try ask(connection)
    }

    /// Makes the slot unless it is there.
    func makeSlot(_ name: String) throws(PostgresError) {
        let connection = try open()
        defer { connection.close() }
        _ = try connection.execute(
            """
            SELECT pg_catalog.pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS \
            (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)
            """, [name])
    }

    private static let checkpointTimeout = Duration.seconds(600)
    /// Sizes of databases are read from the disk, file by file.
    private static let lookTimeout = Duration.seconds(120)

    private static let question = """
        SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()), pg_catalog.pg_is_in_recovery(), \
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN 0 ELSE \
        ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::int8 END, \
        (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()), \
        (SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid)) FROM pg_catalog.pg_database)
        """

    private func open() throws(PostgresError) -> Connection {
        var options = Connection.Options()
        options.applicationName = "walden agent"
        options.connectTimeout = .seconds(10)
        return try Connection.open(dsn, options, interrupt: interrupt)
    }

    private func ask(_ connection: Connection) throws(PostgresError) -> RejoinFacts.Source {
        let row = try connection.execute(Self.question, timeout: Self.lookTimeout).rows.first ?? []
        guard row.count == 5, let identifier = row[0], let timeline = row[2].flatMap({ UInt64($0) }),
            let checkpoint = row[3].flatMap({ UInt64($0) })
        else { throw PostgresError(.unexpectedReply, "the source does not tell its timeline") }
        return RejoinFacts.Source(
            systemIdentifier: identifier, timeline: timeline, isStandby: row[1] == "t",
            checkpointTimeline: checkpoint, bytes: row[4].flatMap { UInt64($0) } ?? 0)
    }
}

/// The node's own server, asked by SQL.
struct LocalServer {
    let node: Node
    let interrupt: Interrupt

    /// Whether it receives the primary's log.
    func streams() throws(PostgresError) -> Bool {
        var options = Connection.Options()
        options.applicationName = "walden agent"
        let connection = try Connection.open(try dsn(), options, interrupt: interrupt)
        defer { connection.close() }
        let status = try connection.execute(
            "SELECT status FROM pg_catalog.pg_stat_wal_receiver WHERE pg_catalog.pg_is_in_recovery()",
            timeout: .seconds(5))
        return status.firstValue == "streaming"
    }

    private func dsn() throws(PostgresError) -> DSN {
        if let server = node.options.server { return try DSN(server) }
        guard let file = node.postmaster, let port = file.port, let directory = file.socketDirectory,
            let user = getpwuid(getuid()).map({ String(cString: $0.pointee.pw_name) })
        else { throw PostgresError(.unreachable, "the server has no socket that is known; name --server") }
        return try DSN("host='\(directory)' port=\(port) dbname=postgres user='\(user)'")
    }
}
