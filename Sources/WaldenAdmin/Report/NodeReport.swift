/// The connection that probes the primary and writes heartbeats.
public struct ControlReport: Hashable, Sendable {
    public var probes: UInt64 = 0
    public var heartbeats: UInt64 = 0
    /// Why probes fail now; nil when they succeed.
    public var problem: String?

    public init() {}
}

/// One watched node.
public struct NodeReport: Hashable, Sendable {
    /// Unique among the nodes.
    public var name = ""
    /// `primary`, `replica`, or `unknown` before the first sample.
    public var role = "unknown"
    public var reachable = false
    /// Why it was not reached the last time.
    public var problem: String?
    /// Why no read may go to the replica, a word of a few (`NodeStanding.Obstacle`); nil when reads may, and for the
    /// primary.
    public var obstacle: String?
    /// Log received from upstream; on a primary, written. Nil before the first sample.
    public var receivedLSN: String?
    /// Log on disk.
    public var flushedLSN: String?
    /// Log replayed; on a primary, written.
    public var replayedLSN: String?
    /// Log the primary has written beyond `replayedLSN`; nil while unknown.
    public var lagBytes: UInt64?
    /// The age of the state that a read there sees, at the last look; nil while unknown.
    public var lagSeconds: Double?
    /// The highest of the last ten minutes.
    public var peakLagBytes: UInt64?
    public var peakLagSeconds: Double?
    /// All that was committed this long ago is known to be visible there; nil while nothing is.
    public var coveredSeconds: Double?
    public var timeline: UInt32 = 0
    /// What its WAL receiver does (`streaming` …); nil where that cannot be seen.
    public var receiver: String?
    /// The upstream slot that it receives through; nil where that cannot be seen.
    public var slot: String?
    /// Reads sent there by the router.
    public var reads: UInt64 = 0
    /// Those it is working on.
    public var outstanding = 0

    public init() {}
}

/// A replication slot of the primary.
public struct SlotReport: Hashable, Sendable {
    public var name = ""
    public var isLogical = false
    public var isActive = false
    /// Log that it keeps the primary from removing; nil when it keeps none or was lost.
    public var retainedBytes: UInt64?
    /// `reserved`, `extended`, `unreserved` or `lost`.
    public var state: String?

    public init() {}
}
