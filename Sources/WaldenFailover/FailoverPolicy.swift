public import WaldenCore

/// What the operator has decided.
public struct FailoverPolicy: Hashable, Sendable {
    /// Failovers without an order.
    public var isAutomatic = true
    /// Whether a crash is failed over from although no quorum proves that nothing acknowledged is lost.
    public var mayLoseUnacknowledged = true
    /// Preference of each node; 100 where none is named, 0 for one that is never promoted.
    public var priorities: [NodeID: Int] = [:]
    /// The stream needs a slot on the new primary.
    public var needsSlot = true
    public var hasFenceHook = false
    /// An agent can stop, rewind and start nodes.
    public var hasAgent = false

    public init() {}

    func priority(of node: NodeID) -> Int { priorities[node] ?? 100 }
}
