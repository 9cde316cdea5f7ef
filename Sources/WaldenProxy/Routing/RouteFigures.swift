public import WaldenDependency
public import WaldenRouting

/// Where reads went since the process started.
public struct RouteFigures: Hashable, Sendable {
    public struct Node: Hashable, Sendable {
        /// Sent there by the router.
        public let reads: UInt64
        /// Under way now.
        public let outstanding: Int
        /// Why none may go there; nil for the primary.
        public let obstacle: NodeStanding.Obstacle?
    }

    public var replica: [RouteReason: UInt64] = [:]
    public var primary: [RouteReason: UInt64] = [:]
    public var refused: [RouteReason: UInt64] = [:]
    /// Statements that stayed on the primary because they are not proven to be replica-safe.
    public var unproven: [Refusal.Rule: UInt64] = [:]
    /// Requests that waited for a replica.
    public var waited: UInt64 = 0
    /// Requests that waited until the primary showed what a replica had shown to their session.
    public var settled: UInt64 = 0
    /// Requests sent to the primary although that was not known, counted each time they were decided.
    public var unsettled: UInt64 = 0
    /// Those that wait now.
    public var waiting = 0
    /// By `NodeID.index`.
    public var nodes: [Node] = []

    public init() {}

    mutating func count(_ reason: RouteReason, isReplica: Bool) {
        if isReplica { replica[reason, default: 0] += 1 } else { primary[reason, default: 0] += 1 }
    }
}
