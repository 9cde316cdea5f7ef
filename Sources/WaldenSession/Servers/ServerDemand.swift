public import WaldenCore
public import WaldenDependency

/// Which server a session needs for what it is about to send.
public enum ServerDemand: Hashable, Sendable {
    /// Anything that is not proven to be a read.
    case primary
    /// One autocommitted statement, proven to be a read that any node answers alike.
    case read(ReadNeeds)
    /// A transaction that is READ ONLY: all of it on one node.
    case readTransaction(ReadNeeds)
    /// The server that the session has and is bound to, which is not the primary, if it is as fresh; else the statement
    /// is refused.
    case confirm(ReadNeeds)

    /// What a node other than the primary must have replayed to serve it; nil: no such node may.
    public var needs: ReadNeeds? {
        switch self {
        case .primary: nil
        case .read(let needs), .readTransaction(let needs), .confirm(let needs): needs
        }
    }
}

/// Why a read runs on the primary without having been offered a choice.
public enum UnroutedRead: Hashable, Sendable {
    /// It is not proven to be one that any node answers alike.
    case unproven(Refusal.Rule)
    /// The session, its transaction, or what it has sent before holds it there.
    case bound
    /// A replica found that it cannot run it.
    case rerun
}

/// How fresh a node must be for a session's next read, and where it read last.
public struct ReadNeeds: Hashable, Sendable {
    /// The session's level, or the one that the statement itself names.
    public var level: ConsistencyLevel
    /// When the session's last write ended.
    public var wroteAt: Instant
    /// When the session was last shown a state of the database by the primary.
    public var sawAt: Instant
    /// The position whose state the cache has shown to the session last; `zero`: nothing.
    public var shown = LSN.zero
    /// The replica that the session read from last, which never shows less than it did then.
    public var lastReplica: NodeID?
    /// When that read ended.
    public var lastReplicaAt = Instant.distantPast
    /// The session has read at the primary since, or nowhere else.
    public var isSettled = true
    public var preference = RoutePreference.auto
    /// The replica that could not serve this very read.
    public var avoided: NodeID?
    /// How old the state shown may be; nil: as the instance has it.
    public var maxLag: Duration?

    public init(level: ConsistencyLevel, wroteAt: Instant, sawAt: Instant) {
        self.level = level
        self.wroteAt = wroteAt
        self.sawAt = sawAt
    }

    /// What a node must have replayed, as far as it is not `lastReplica` that has shown it.
    ///
    /// - Parameter arrivedAt: When the request was read.
    public func instant(arrivedAt: Instant) -> Instant {
        FreshnessNeeds(level: level, wroteAt: wroteAt, sawAt: sawAt, arrivedAt: arrivedAt).instant()
    }
}
