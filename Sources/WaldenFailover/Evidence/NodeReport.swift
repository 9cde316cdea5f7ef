public import WaldenCore

/// What one node told of itself in one answer.
public struct NodeReport: Hashable, Sendable {
    /// `pg_control_system()`: nodes of one cluster have the same.
    public var systemIdentifier: String
    /// Of the log it writes or receives (`pg_control_checkpoint()`, `pg_stat_wal_receiver`).
    public var timeline: TimelineID
    /// `pg_is_in_recovery()`.
    public var isInRecovery: Bool
    /// On a standby what is received and flushed (`pg_last_wal_receive_lsn()`, or replayed where that is further), on a
    /// primary the end of its log (`pg_current_wal_flush_lsn()`).
    public var received: LSN
    /// On a standby `pg_last_wal_replay_lsn()`, on a primary as `received`.
    public var replayed: LSN
    /// Its connection to the node it follows; nil when it has none.
    public var receiver: Receiver?
    /// Whether `primary_conninfo` names anybody.
    public var hasUpstream: Bool
    /// `synchronous_standby_names`, as text.
    public var synchronousStandbyNames: String
    /// `max_replication_slots` less those in use.
    public var freeSlots: Int
    /// `pg_wal_replay_pause()` holds it back.
    public var isReplayPaused: Bool
    /// What the sentinel's role would need there and does not have, as `GRANT` writes it; empty: nothing.
    public var missingRights: String
    /// Before the question was sent.
    public var askedAt: Instant

    public struct Receiver: Hashable, Sendable {
        /// `pg_stat_wal_receiver.status` is `streaming`; says little, for it stays so while the primary is frozen.
        public var isStreaming: Bool
        /// Since the last message, by the node's own clock.
        public var silentFor: Duration

        public init(isStreaming: Bool, silentFor: Duration) {
            self.isStreaming = isStreaming
            self.silentFor = silentFor
        }
    }

    public init(
        systemIdentifier: String, timeline: TimelineID, isInRecovery: Bool, received: LSN, replayed: LSN,
        receiver: Receiver? = nil, hasUpstream: Bool = false, synchronousStandbyNames: String = "", freeSlots: Int = 1,
        isReplayPaused: Bool = false, missingRights: String = "", askedAt: Instant
    ) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.isInRecovery = isInRecovery
        self.received = received
        self.replayed = replayed
        self.receiver = receiver
        self.hasUpstream = hasUpstream
        self.synchronousStandbyNames = synchronousStandbyNames
        self.freeSlots = freeSlots
        self.isReplayPaused = isReplayPaused
        self.missingRights = missingRights
        self.askedAt = askedAt
    }

    /// Nothing reaches it from another node, nor will until somebody orders it.
    public var isSevered: Bool { isInRecovery && !hasUpstream && receiver == nil }
}

/// How an attempt to reach a node ended.
public enum Contact: Hashable, Sendable {
    case answered
    /// Nobody listens there, or what listened hung up (ECONNREFUSED, ECONNRESET).
    case refused
    /// No answer in time.
    case silent
    /// 53300. `replication`: whether a replication connection, which has places of its own, was answered.
    case full(replication: Bool)
    /// 57P03: it starts or shuts down.
    case starting
    /// It answered, and does not let the sentinel in.
    case denied(sqlState: String)
}
