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
    /// Log received from the primary and flushed; on a primary, flushed. Nil before the first sample.
    public var receivedLSN: String?
    /// Log replayed; on a primary, written.
    public var replayedLSN: String?
    /// Log the primary has written beyond `replayedLSN`; nil while unknown.
    public var lagBytes: UInt64?
    /// The age of the state that a read there sees; nil while unknown.
    public var lagSeconds: Double?
    public var timeline: UInt32 = 0

    public init() {}
}
