internal import WaldenCore

/// Which run of which server the control connection speaks to.
public struct ServerIdentity: Hashable, Sendable {
    public let system: SystemIdentity
    /// `pg_postmaster_start_time()` in microseconds since 1970.
    public let startedAt: Int64

    public init(system: SystemIdentity, startedAt: Int64) {
        self.system = system
        self.startedAt = startedAt
    }

    /// What a new control connection found, compared with the one before.
    public enum Change: String, Hashable, Sendable {
        /// The first connection of this process.
        case first
        /// The same run. A crash of one backend looks so too (the postmaster lives on), and takes the stream with it.
        case none
        /// Commits that were visible and not yet flushed may be gone.
        case restarted
        /// A promotion: the end of the old timeline may be gone.
        case otherTimeline = "other_timeline"
        /// Another cluster answers under the name.
        case otherSystem = "other_system"
    }

    public func change(from previous: ServerIdentity?) -> Change {
        guard let previous else { return .first }
        if previous.system.systemIdentifier != system.systemIdentifier { return .otherSystem }
        if previous.system.timeline != system.timeline { return .otherTimeline }
        return previous.startedAt == startedAt ? .none : .restarted
    }
}

extension ServerIdentity {
    /// The timeline is read off a log file's name: the control file's moves on with a checkpoint only.
    static let sql = """
        SELECT (pg_catalog.pg_control_system()).system_identifier, \
        CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
        THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) END, \
        (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint
        """

    /// - Throws: `unsupported` with SQLSTATE 25006 when the server is a standby.
    init(asking connection: Connection) throws(PostgresError) {
        let row = try connection.execute(Self.sql).rows.first ?? []
        try self.init(row: row, serverVersion: connection.serverVersion)
    }

    init(row: [String?], serverVersion: Int) throws(PostgresError) {
        guard row.count == 3, let system = row[0], let startedAt = row[2].flatMap({ Int64($0) }) else {
            throw PostgresError(.unexpectedReply, "the server gave no identity")
        }
        guard let file = row[1] else {
            throw PostgresError(.unsupported, "the server is a standby", sqlState: "25006")
        }
        guard let timeline = UInt32(file.prefix(8), radix: 16) else {
            throw PostgresError(.unexpectedReply, "the server gave no timeline")
        }
        self.init(
            system: SystemIdentity(
                systemIdentifier: system, timeline: TimelineID(timeline), serverVersion: serverVersion),
            startedAt: startedAt)
    }
}
