public import WaldenCore
public import WaldenFailover

/// What the sentinel knows and does at one moment. It holds no reference to anything live.
public struct SentinelView: Hashable, Sendable {
    public let state: FailoverState
    public let stateSince: Instant
    public let term: Term
    /// Whom proxies are to serve.
    public let primary: NodeID
    public let timeline: TimelineID?
    public let finding: Finding
    public let findingSince: Instant
    /// What would happen if the primary died now.
    public let readiness: Readiness
    public let estimate: FailoverEstimate
    /// The one under way.
    public let incident: Incident?
    /// What went wrong with orders of the present state.
    public let problems: [String]
    /// An order of people that no row has taken yet.
    public let request: FailoverRequest?
    /// Events that were lost because too many waited, since the start.
    public let droppedEvents: UInt64
    /// Lines of the incidents' history that could not be written, since the start.
    public let unwrittenLines: UInt64
    public let counts: IncidentCounts
    /// When the sentinel's thread last looked. Long ago: it waits for its disk, or has ended.
    public let lookedAt: Instant

    init(_ published: SentinelBoard.Published, droppedEvents: UInt64, now: Instant) {
        let machine = published.machine
        state = machine.state
        stateSince = machine.enteredAt
        term = machine.term
        primary = machine.evidence.primary
        timeline = machine.evidence.timeline
        finding = machine.finding
        findingSince = machine.findingSince
        readiness = machine.readiness(at: now)
        estimate = machine.estimate
        incident = machine.incident
        problems = machine.problems
        request = machine.request
        self.droppedEvents = droppedEvents
        unwrittenLines = published.unwrittenLines
        counts = published.history.counts
        lookedAt = published.lookedAt
    }
}
