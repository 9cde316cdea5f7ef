public import WaldenCore

/// Which transactions a standby shows.
public struct ReplayedTransactions: Hashable, Sendable {
    /// One past the newest whose end was replayed.
    public let xmax: TransactionID
    /// Of those that it was asked about (`NodeSample.question`): whose commit was replayed.
    public let committed: [TransactionID]

    public init(xmax: TransactionID, committed: [TransactionID] = []) {
        self.xmax = xmax
        self.committed = committed
    }

    /// `xmax` and the others, separated by commas.
    init?(_ xmax: String?, _ committed: String?) {
        guard let xmax = xmax.flatMap({ UInt64($0) }) else { return nil }
        let xids = committed.map { $0.split(separator: ",") } ?? []
        let parsed = xids.compactMap { UInt64($0) }
        guard parsed.count == xids.count else { return nil }
        self.init(xmax: TransactionID(xmax), committed: parsed.map(TransactionID.init))
    }
}

/// What one node said of itself at one moment.
public struct NodeFacts: Hashable, Sendable {
    public let system: SystemIdentity
    public let isInRecovery: Bool
    /// Where a primary writes; nil on a standby.
    public let insertLSN: LSN?
    /// Received from upstream, and flushed as well where the role may not see more (`pg_stat_wal_receiver` shows its
    /// columns to members of `pg_read_all_stats`). Nil on a primary and on a standby that reads an archive only.
    public let receivedLSN: LSN?
    /// On disk; nil on a standby that reads an archive only.
    public let flushedLSN: LSN?
    /// Applied and visible to readers; nil on a primary.
    public let replayedLSN: LSN?
    /// Age of the last transaction applied, zero when all that was received is applied; nil on a primary, and while
    /// nothing has been applied yet. By the clocks of two hosts, and an idle primary makes it no older: for a person's
    /// first impression only.
    public let replayDelay: Duration?
    /// What readers of a primary see; nil on a standby, whose snapshot is not told.
    public let snapshot: Snapshot?
    /// Nil on a primary.
    public let transactions: ReplayedTransactions?
    /// `pg_wal_replay_pause()` holds it back.
    public let isReplayPaused: Bool
    /// `streaming` …; nil on a primary, without a receiver, and where the role may not see it.
    public let receiverStatus: String?
    /// The upstream slot that the receiver uses, as far as the role may see it.
    public let receiverSlot: String?
    /// `pg_postmaster_start_time()` in microseconds since 1970.
    public let startedAt: Int64
    /// From question to answer.
    public let roundTrip: Duration

    public init(
        system: SystemIdentity, isInRecovery: Bool, insertLSN: LSN?, receivedLSN: LSN?, flushedLSN: LSN? = nil,
        replayedLSN: LSN?, replayDelay: Duration?, snapshot: Snapshot? = nil,
        transactions: ReplayedTransactions? = nil, isReplayPaused: Bool, receiverStatus: String? = nil,
        receiverSlot: String? = nil, startedAt: Int64, roundTrip: Duration
    ) {
        self.system = system
        self.isInRecovery = isInRecovery
        self.insertLSN = insertLSN
        self.receivedLSN = receivedLSN
        self.flushedLSN = flushedLSN
        self.replayedLSN = replayedLSN
        self.replayDelay = replayDelay
        self.snapshot = snapshot
        self.transactions = transactions
        self.isReplayPaused = isReplayPaused
        self.receiverStatus = receiverStatus
        self.receiverSlot = receiverSlot
        self.startedAt = startedAt
        self.roundTrip = roundTrip
    }
}

/// One look at a node, successful or not.
public struct NodeSample: Hashable, Sendable {
    public enum Answer: Hashable, Sendable {
        case facts(NodeFacts)
        case unreachable(PostgresError)
    }

    public let node: NodeID
    /// Before the question was sent, or before the attempt to connect.
    public let askedAt: Instant
    public let answeredAt: Instant
    public let answer: Answer
    /// Of which transactions a standby was asked: those that this lists as running at the primary.
    public let question: Snapshot?
    /// The node's replication slots; nil when they were not asked for this time.
    public let slots: [SlotFacts]?

    public init(
        node: NodeID, askedAt: Instant, answeredAt: Instant, answer: Answer, question: Snapshot? = nil,
        slots: [SlotFacts]? = nil
    ) {
        self.node = node
        self.askedAt = askedAt
        self.answeredAt = answeredAt
        self.answer = answer
        self.question = question
        self.slots = slots
    }
}

extension NodeFacts {
    /// The timeline of a primary is read off a log file's name. A standby's comes from its receiver, which only some
    /// roles may see, else from what recovery last wrote down, which may be one promotion behind. `$1`: an array of
    /// transactions of which a standby is asked whether it shows them; of one that it has not heard of it must not be.
    static let sql = """
        SELECT (pg_catalog.pg_control_system()).system_identifier, r.standby, \
        CASE WHEN NOT r.standby THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) END, \
        COALESCE(w.received_tli, GREATEST((pg_catalog.pg_control_checkpoint()).timeline_id, \
        (pg_catalog.pg_control_recovery()).min_recovery_end_timeline)), \
        CASE WHEN NOT r.standby THEN pg_catalog.pg_current_wal_insert_lsn() END, \
        CASE WHEN r.standby THEN GREATEST(w.written_lsn, pg_catalog.pg_last_wal_receive_lsn()) END, \
        CASE WHEN r.standby THEN pg_catalog.pg_last_wal_replay_lsn() END, \
        CASE WHEN r.standby THEN (extract(epoch FROM CASE \
        WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN interval '0' \
        ELSE pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp() END) * 1000000)::bigint END, \
        CASE WHEN r.standby THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END, \
        (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint, \
        CASE WHEN r.standby THEN pg_catalog.pg_last_wal_receive_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END, \
        w.status, w.slot_name, \
        CASE WHEN NOT r.standby THEN pg_catalog.pg_current_snapshot() END, \
        CASE WHEN r.standby THEN pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) END, \
        CASE WHEN r.standby THEN (SELECT pg_catalog.string_agg(x::text, ',') \
        FROM pg_catalog.unnest($1::pg_catalog.xid8[]) x \
        WHERE CASE WHEN x < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) \
        THEN pg_catalog.pg_xact_status(x) = 'committed' END) END \
        FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true
        """

    /// Asks once.
    public static func read(_ connection: Connection, timeout: Duration = .seconds(5)) throws(PostgresError)
        -> NodeFacts
    {
        let asked = MonotonicClock.now()
        return try NodeFacts(try connection.execute(sql, [nil], timeout: timeout), connection, askedAt: asked)
    }

    /// More are not asked of.
    private static let maxQuestion = 256

    /// `$1` of `sql`; nil: too many.
    static func parameter(asking snapshot: Snapshot) -> String? {
        guard snapshot.inProgress.count <= maxQuestion else { return nil }
        return "{\(snapshot.inProgress.map(\.description).joined(separator: ","))}"
    }

    /// The answer to `sql`.
    init(_ result: QueryResult, _ connection: Connection, askedAt: Instant) throws(PostgresError) {
        let roundTrip = MonotonicClock.now().elapsed(since: askedAt)
        let row = result.rows.first ?? []
        guard let facts = NodeFacts(row: row, serverVersion: connection.serverVersion, roundTrip: roundTrip) else {
            throw PostgresError(.unexpectedReply, "the node gave no facts")
        }
        self = facts
    }

    init?(row: [String?], serverVersion: Int, roundTrip: Duration) {
        guard row.count == 16, let system = row[0], let startedAt = row[9].flatMap({ Int64($0) }) else { return nil }
        let written = row[2].flatMap { UInt32($0.prefix(8), radix: 16) }
        guard let timeline = written ?? row[3].flatMap({ UInt32($0) }) else { return nil }
        self.init(
            system: SystemIdentity(
                systemIdentifier: system, timeline: TimelineID(timeline), serverVersion: serverVersion),
            isInRecovery: row[1] == "t", insertLSN: row[4].flatMap(LSN.init), receivedLSN: row[5].flatMap(LSN.init),
            flushedLSN: row[10].flatMap(LSN.init), replayedLSN: row[6].flatMap(LSN.init),
            replayDelay: row[7].flatMap { Int64($0) }.map { .microseconds(max(0, $0)) },
            snapshot: row[13].flatMap(Snapshot.init), transactions: ReplayedTransactions(row[14], row[15]),
            isReplayPaused: row[8] == "t",
            receiverStatus: row[11], receiverSlot: row[12], startedAt: startedAt, roundTrip: roundTrip)
    }
}
