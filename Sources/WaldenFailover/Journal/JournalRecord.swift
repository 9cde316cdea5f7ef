public import WaldenCore

/// What must be on disk before a state's side effects begin, complete in itself: the newest one is all that a restart needs.
///
/// Each side effect is idempotent and belongs to one state, so the record of the state entered is the record of the
/// effects that may have been tried.
public struct JournalRecord: Hashable, Sendable, Codable {
    /// 1, 2, …
    public var sequence: UInt64
    /// The row that led here (`TransitionTable`).
    public var row: Int
    public var state: FailoverState
    /// The highest term ever used.
    public var term: Term
    public var primary: NodeID
    /// Of the primary; nil: nobody has asked it yet.
    public var timeline: TimelineID?
    /// Of the cluster; nil: nobody has asked it yet.
    public var systemIdentifier: String?
    /// Those that count for the primary.
    public var rules: SynchronousRules
    public var incident: Incident?
    /// Severed by an incident and not yet following anybody.
    public var detached: Set<NodeID>
    /// Nodes whose log has parted from the primary's: to be rewound, not followed.
    public var parted: Set<NodeID>
    public var history: TimelineHistory

    public init(
        sequence: UInt64, row: Int, state: FailoverState, term: Term, primary: NodeID, timeline: TimelineID?,
        systemIdentifier: String? = nil, rules: SynchronousRules, incident: Incident?, detached: Set<NodeID>,
        parted: Set<NodeID>, history: TimelineHistory
    ) {
        self.sequence = sequence
        self.row = row
        self.state = state
        self.term = term
        self.primary = primary
        self.timeline = timeline
        self.systemIdentifier = systemIdentifier
        self.rules = rules
        self.incident = incident
        self.detached = detached
        self.parted = parted
        self.history = history
    }
}
