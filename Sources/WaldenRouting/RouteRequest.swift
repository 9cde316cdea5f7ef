public import WaldenCore

/// What one read, or one transaction of reads, demands of the node that runs it.
public struct RouteRequest: Hashable, Sendable {
    /// Whether a read that no replica may serve goes to the primary.
    public enum Fallback: Hashable, Sendable {
        case primary
        /// The client came by the read-only address, which never leads to the primary.
        case none
    }

    /// A read that a replica answered for this session.
    public struct LastRead: Hashable, Sendable {
        public let node: NodeID
        /// When the answer ended.
        public let endedAt: Instant
        /// The primary has been asked since, so whether it shows as much is of no interest any more.
        public let isSettled: Bool

        public init(node: NodeID, endedAt: Instant, isSettled: Bool = false) {
            self.node = node
            self.endedAt = endedAt
            self.isSettled = isSettled
        }
    }

    public var preference: RoutePreference
    public var fallback: Fallback
    /// All that had been committed by then must be shown, by the session's level (ADR 0012) and its writes. What replicas
    /// have shown to the session is in `lastRead`.
    public var needs: Instant
    /// The log must be applied up to here: what the cache has shown to the session (`zero`: nothing).
    public var shown = LSN.zero
    /// The session's last read on a replica, where its level promises never to go back. That node never does; others
    /// must have all that the primary had when that read ended. Nil: it may go back.
    public var lastRead: LastRead?
    /// The state shown may be this old at most; nil: any age.
    public var maxLag: Duration?
    /// How long the request may wait for a replica.
    public var patience: Duration
    /// How long it may wait until the primary shows what a replica has shown to the session.
    public var settling = Duration.zero
    /// It has waited.
    public var hasWaited = false
    /// The replica that could not serve this very read when it was asked.
    public var avoided: NodeID?
    /// The session is bound to this one; nil: to none.
    public var only: NodeID?
    public var now: Instant

    public init(
        needs: Instant, now: Instant, preference: RoutePreference = .auto, fallback: Fallback = .primary,
        lastRead: LastRead? = nil, maxLag: Duration? = nil, patience: Duration = .zero
    ) {
        self.needs = needs
        self.now = now
        self.preference = preference
        self.fallback = fallback
        self.lastRead = lastRead
        self.maxLag = maxLag
        self.patience = patience
    }

    /// Whether the request may be sent to the replica at all.
    func admits(_ node: NodeID) -> Bool { node != avoided && (only == nil || node == only) }
}

/// What a replica must have applied.
public struct CoverageDemand: Hashable, Sendable {
    /// All that the primary had committed by then.
    public let instant: Instant
    /// And the log up to here.
    public let position: LSN

    public init(_ instant: Instant, through position: LSN = .zero) {
        self.instant = instant
        self.position = position
    }
}

/// Where a read goes.
public enum RouteDecision: Hashable, Sendable {
    case replica(NodeID, RouteReason)
    case primary(RouteReason)
    /// Ask again, without patience, as soon as some replica meets `demand`, or at `deadline`.
    case wait(for: CoverageDemand, deadline: Instant)
    /// Ask again as soon as the primary shows what this read has shown, or at `deadline`.
    case settle(RouteRequest.LastRead, deadline: Instant)
    /// No replica may serve it, and the primary is not to.
    case refused(RouteReason)
}

/// Why a read goes where it goes. The raw value is the label in metrics.
public enum RouteReason: String, Hashable, Sendable, CaseIterable {
    /// Of all nodes that may serve it, the one with the least work for its weight.
    case balanced
    /// Only the node of the session's last read is as fresh as the session has seen.
    case sticky
    /// The session or the statement asks for the primary.
    case preferred
    /// `routing.reads` is off.
    case off
    /// No replica is configured with a weight.
    case noReplica = "no_replica"
    /// None can be used: `NodeStanding.Obstacle` says why.
    case unusable
    /// None has applied all that the request must show, nor is one about to.
    case notCovered = "not_covered"
    /// One was about to, but had not when the wait budget was spent.
    case overdue
    /// None is as young as the bound on its age asks for.
    case maxLag = "max_lag"
    /// The replica found that the statement writes (SQLSTATE 25006), so it was run anew.
    case rerun
    /// The transaction or the session is bound to the primary.
    case bound
}
