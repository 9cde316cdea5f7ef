internal import WaldenCore

/// What the doctor knows of a primary before it judges.
public struct ServerFacts: Hashable, Sendable {
    public struct Role: Hashable, Sendable {
        public var name: String
        public var isSuperuser: Bool
        public var canReplicate: Bool
    }

    public struct Publication: Hashable, Sendable {
        public var coversAllTables: Bool
        /// All of insert, update, delete and truncate.
        public var publishesAll: Bool
    }

    /// `pg_event_trigger.evtenabled`.
    public struct EventTrigger: Hashable, Sendable {
        public var name: String
        public var enabled: String
    }

    /// Of a pool with a limit, e.g. replication slots.
    public struct Pool: Hashable, Sendable {
        public var limit: Int
        public var used: Int
        /// Those among `used` that a running Walden holds.
        public var ownedByWalden: Int
    }

    public var serverVersion: Int
    public var isGreenplum: Bool
    public var isInRecovery: Bool
    public var database: String
    public var role: Role
    public var walLevel: String
    public var slots: Pool
    public var senders: Pool
    /// Functions that the role may not execute, as GRANT names them.
    public var forbiddenFunctions: [String]
    /// Why a replication connection was refused; nil when it was accepted.
    public var replicationRefusal: PostgresError?
    public var publicationName: String
    public var publication: Publication?
    public var tables: [TableFacts]
    public var eventTriggers: [EventTrigger]
    /// `walden.schema_version()`; nil when it is not there.
    public var schemaVersion: Int?
    /// `max_slot_wal_keep_size` as SHOW prints it; `-1` is no limit.
    public var slotKeepSize: String
    /// Walden's slots that no connection uses.
    public var orphanSlots: [String]
    public var synchronousStandbyNames: String
    /// The server's clock minus this machine's.
    public var clockOffset: Duration
}

extension ServerFacts {
    /// Gathers everything over two short connections.
    ///
    /// - Throws: when the server cannot be reached or is no PostgreSQL that can be asked.
    public static func read(
        _ dsn: DSN, publication: String, interrupt: Interrupt? = nil
    ) throws(PostgresError) -> ServerFacts {
        let connection = try Connection.open(dsn, interrupt: interrupt)
        var facts = try general(connection, publication)
        guard facts.serverVersion >= ReplicationCommands.oldestVersion, !facts.isGreenplum else { return facts }
        try facts.addPublication(connection)
        facts.tables = try TableFacts.read(connection, publication: publication)
        try facts.addInstallation(connection)
        facts.forbiddenFunctions = try forbiddenFunctions(connection)
        facts.replicationRefusal = replicationRefusal(dsn, interrupt)
        return facts
    }

    private static let generalSQL = """
        SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_database(), r.rolname, r.rolsuper, r.rolreplication, \
        pg_catalog.current_setting('wal_level'), pg_catalog.current_setting('max_replication_slots'), \
        (SELECT count(*) FROM pg_catalog.pg_replication_slots), \
        (SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE 'walden\\_%' AND active), \
        pg_catalog.current_setting('max_wal_senders'), (SELECT count(*) FROM pg_catalog.pg_stat_replication), \
        (SELECT pg_catalog.string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_catalog.pg_replication_slots \
        WHERE slot_name LIKE 'walden\\_%' AND NOT active AND NOT temporary), \
        pg_catalog.current_setting('max_slot_wal_keep_size', true), \
        pg_catalog.current_setting('synchronous_standby_names'), \
        (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint - 946684800000000 \
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
        """

    private static func general(_ connection: Connection, _ publication: String) throws(PostgresError) -> ServerFacts {
        let asked = WallClock.microseconds()
        let result = try connection.execute(generalSQL)
        let answered = WallClock.microseconds()
        guard let row = result.rows.first, row.count == 15 else {
            throw PostgresError(.unexpectedReply, "the server gave no facts")
        }
        func number(_ index: Int) -> Int { row[index].flatMap { Int($0) } ?? 0 }
        let ownSenders = number(8)
        return ServerFacts(
            serverVersion: connection.serverVersion,
            isGreenplum: connection.parameterStatus("gp_server_version") != nil, isInRecovery: row[0] == "t",
            database: row[1] ?? "",
            role: Role(name: row[2] ?? "", isSuperuser: row[3] == "t", canReplicate: row[4] == "t"),
            walLevel: row[5] ?? "", slots: Pool(limit: number(6), used: number(7), ownedByWalden: ownSenders),
            senders: Pool(limit: number(9), used: number(10), ownedByWalden: ownSenders), forbiddenFunctions: [],
            replicationRefusal: nil, publicationName: publication, publication: nil, tables: [], eventTriggers: [],
            schemaVersion: nil, slotKeepSize: row[12] ?? "-1",
            orphanSlots: row[11].map { $0.split(separator: " ").map(String.init) } ?? [],
            synchronousStandbyNames: row[13] ?? "",
            clockOffset: .microseconds(Int64(number(14)) - (asked + (answered - asked) / 2)))
    }

    private mutating func addPublication(_ connection: Connection) throws(PostgresError) {
        let sql = """
            SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate \
            FROM pg_catalog.pg_publication WHERE pubname = $1
            """
        guard let row = try connection.execute(sql, [publicationName]).rows.first, row.count == 2 else { return }
        publication = Publication(coversAllTables: row[0] == "t", publishesAll: row[1] == "t")
    }

    private mutating func addInstallation(_ connection: Connection) throws(PostgresError) {
        let triggers = try connection.execute(
            "SELECT evtname, evtenabled::text FROM pg_catalog.pg_event_trigger "
                + "WHERE evtname IN ('walden_ddl', 'walden_drop', 'walden_start') ORDER BY 1")
        eventTriggers = triggers.rows.compactMap { row in
            guard row.count == 2, let name = row[0], let enabled = row[1] else { return nil }
            return EventTrigger(name: name, enabled: enabled)
        }
        // The body is read instead of called, which would need USAGE on the schema.
        let version = try connection.execute(
            "SELECT pg_catalog.substr(prosrc, 8) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n "
                + "ON n.oid = p.pronamespace WHERE n.nspname = 'walden' AND p.proname = 'schema_version'")
        schemaVersion = version.firstValue.flatMap { Int($0) }
    }

    private static let neededFunctions = [
        "pg_current_snapshot()", "pg_current_wal_insert_lsn()", "pg_logical_emit_message(boolean, text, text)",
        "pg_control_system()", "pg_control_checkpoint()", "pg_walfile_name(pg_lsn)", "pg_postmaster_start_time()",
    ]

    private static func forbiddenFunctions(_ connection: Connection) throws(PostgresError) -> [String] {
        var forbidden: [String] = []
        for function in neededFunctions {
            let may = try connection.execute(
                "SELECT pg_catalog.has_function_privilege('pg_catalog.' || $1, 'EXECUTE')", [function])
            if may.firstValue != "t" { forbidden.append("pg_catalog.\(function)") }
        }
        return forbidden
    }

    private static func replicationRefusal(_ dsn: DSN, _ interrupt: Interrupt?) -> PostgresError? {
        var options = Connection.Options()
        options.isReplication = true
        do throws(PostgresError) {
            _ = try Connection.open(dsn, options, interrupt: interrupt).executeSimple("IDENTIFY_SYSTEM")
            return nil
        } catch {
            return error
        }
    }
}
