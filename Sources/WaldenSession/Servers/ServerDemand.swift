public import WaldenCore

/// Which server a session needs for what it is about to send.
public enum ServerDemand: Hashable, Sendable {
    /// Anything that is not proven to be a read.
    case primary
    /// One autocommitted statement, proven to be a read that any node answers alike.
    case read(ReadNeeds)
    /// A transaction that the client declared READ ONLY: all of it on one node.
    case readTransaction(ReadNeeds)

    /// What a node other than the primary must have replayed to serve it; nil: no such node may.
    public var needs: ReadNeeds? {
        switch self {
        case .primary: nil
        case .read(let needs), .readTransaction(let needs): needs
        }
    }
}

/// How fresh a node must be for a session's next read, and where it read last.
public struct ReadNeeds: Hashable, Sendable {
    /// The session's level, or the one that the statement itself names.
    public let level: ConsistencyLevel
    /// When the session's last write ended.
    public let wroteAt: Instant
    /// When the session was last shown a state of the database, by the primary, a replica or the cache.
    public let sawAt: Instant
    /// The replica that the session read from last.
    public let sticky: NodeID?
    /// The same as `sawAt` without what `sticky` itself has shown: to stay there never goes back in time.
    public let sawElsewhereAt: Instant

    public init(
        level: ConsistencyLevel, wroteAt: Instant, sawAt: Instant, sticky: NodeID? = nil,
        sawElsewhereAt: Instant? = nil
    ) {
        self.level = level
        self.wroteAt = wroteAt
        self.sawAt = sawAt
        self.sticky = sticky
        self.sawElsewhereAt = sawElsewhereAt ?? sawAt
    }

    /// What `node` must have replayed.
    ///
    /// - Parameter arrivedAt: When the request was read.
    public func freshness(on node: NodeID, arrivedAt: Instant) -> FreshnessNeeds {
        FreshnessNeeds(
            level: level, wroteAt: wroteAt, sawAt: node == sticky ? sawElsewhereAt : sawAt, arrivedAt: arrivedAt)
    }
}
