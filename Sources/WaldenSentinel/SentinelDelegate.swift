public import WaldenCore
public import WaldenFailover

/// Those who do what is not done at a node by SQL: the proxies (`hold`, `drain`, `raiseTerm`, `closeConnections`,
/// `beginEpoch`, `release`), the stream (`createSlot`: a temporary slot lives in the connection that reads it), the
/// operator's fence (`fenceHook`) and the agent (`rejoin`).
///
/// Called on the sentinel's thread: nothing here may wait.
public protocol SentinelDelegate: Sendable {
    /// To be begun; `answer` is called once, from any thread, when it is done or has failed. Orders come again when they
    /// are not answered, and each must do no harm the second time.
    func carryOut(_ order: Order, answer: @escaping @Sendable (StepOutcome) -> Void)
    /// A row of the table was taken.
    func noted(_ note: FailoverNote)
    /// The node is about to be promoted.
    ///
    /// - Parameters:
    ///   - next: It gives identifiers below this one to no transaction of its own.
    ///   - sightings: What has been seen of all nodes.
    func promoting(
        _ node: NodeID, in term: Term, nextTransaction next: TransactionID, _ sightings: Sightings
    )
    /// The evidence says something else of the primary than before. Most of it leads to no row: for logs and alerts.
    func found(_ finding: Finding)
}

extension SentinelDelegate {
    public func found(_ finding: Finding) {}

    public func promoting(
        _ node: NodeID, in term: Term, nextTransaction next: TransactionID, _ sightings: Sightings
    ) {}
}

/// What the sentinel has seen begin at each node.
public struct Sightings: Sendable {
    /// Its last session there.
    var sessions: [NodeID: Instant] = [:]
    /// The last process that received the log there.
    var receivers: [NodeID: Instant] = [:]

    /// Since when at the latest all that `standby` received came from one run of `primary`, as far as has been seen: a server
    /// that crashes loses the sentinel's session and its standbys' connections. Nil: it was never seen.
    public func oneRun(of primary: NodeID, seenBy standby: NodeID) -> Instant? {
        guard let session = sessions[primary], let receiver = receivers[standby] else { return nil }
        return max(session, receiver)
    }
}
