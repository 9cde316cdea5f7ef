/// What became of an order to the sentinel.
public struct FailoverAnswer: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        case done
        /// It would go; nothing was done.
        case rehearsed
        case refused
        /// It takes longer than the answer waits.
        case underWay = "under_way"
    }

    public var outcome: Outcome
    /// In words for people.
    public var message: String
    /// What helps, where it was refused.
    public var cure: String?
    /// The number of the incident.
    public var incident: UInt64?
    /// Who is the primary now, or would be.
    public var node: String?
    public var outageSeconds: Double?
    /// Log that the node had not received at the last look.
    public var missingBytes: UInt64?
    public var estimatedSeconds: Double?

    public init(_ outcome: Outcome, _ message: String) {
        self.outcome = outcome
        self.message = message
    }
}

/// What people can order of the sentinel, and ask it. Called from any thread.
public protocol FailoverControl: Sendable {
    func report() -> FailoverReport
    /// Newest first.
    func incidents() -> [IncidentReport]
    func incident(_ number: UInt64) -> IncidentReport?
    /// To a node by its name; nil: to the best. Answers when it is over.
    func switchover(to node: String?) async -> FailoverAnswer
    /// Whom it would choose, what stands in its way, and about how long it would take.
    func rehearsal(of node: String?) -> FailoverAnswer
    /// A failover that may lose acknowledged commits. Answers when it is over.
    func force() async -> FailoverAnswer
    /// The sentinel stays out until `resume`.
    func pause() async -> FailoverAnswer
    func resume() async -> FailoverAnswer
}
