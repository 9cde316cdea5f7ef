public import WaldenCore

/// One failover or switchover, from its reason to its end.
public struct Incident: Hashable, Sendable, Codable {
    public enum Cause: Hashable, Sendable, Codable {
        case found(Finding)
        /// Ordered; nil: to whichever node is best.
        case switchover(to: NodeID?)
        /// Ordered although what is acknowledged may be lost.
        case forced
    }

    public let term: Term
    public let cause: Cause
    /// The primary that is to be replaced.
    public let old: NodeID
    /// The end of its log, as far as known.
    public var oldEnd: LSN
    /// Of a switchover: that is where it ended when nothing was under way any more.
    public var isEndKnown = false
    /// Its timeline, on which alone positions are compared.
    public let timeline: TimelineID?
    /// Rules that severing must prove: the old primary's, up to the point of no return (`follow`).
    public private(set) var rules: SynchronousRules
    /// Seen severed twice, with what they had received then. Never shrinks.
    public var severed: [NodeID: Position] = [:]
    /// Whom the census chose.
    public var candidate: NodeID?
    /// Why it was given up.
    public var refusal: String?
    /// The sentinel was restarted in the middle.
    public var isInterrupted = false

    public struct Position: Hashable, Sendable, Codable {
        public var timeline: TimelineID
        public var received: LSN
        public var replayed: LSN

        public init(timeline: TimelineID, received: LSN, replayed: LSN) {
            self.timeline = timeline
            self.received = received
            self.replayed = replayed
        }

        static let none = Position(timeline: TimelineID(0), received: .zero, replayed: .zero)
    }

    public init(
        term: Term, cause: Cause, old: NodeID, oldEnd: LSN, timeline: TimelineID?, rules: SynchronousRules
    ) {
        self.term = term
        self.cause = cause
        self.old = old
        self.oldEnd = oldEnd
        self.timeline = timeline
        self.rules = rules
    }

    func interrupted() -> Incident {
        var copy = self
        copy.isInterrupted = true
        copy.refusal = refusal ?? "the sentinel was restarted before the point of no return"
        return copy
    }

    /// The old primary tells the rules that count now. Where it has none, the last one stays, lest none be asked for: the
    /// incident is given up then (`Situation.isRuleLost`).
    mutating func follow(_ told: SynchronousRules) {
        guard told.current != nil || rules.current == nil else { return }
        rules = told
    }

    /// The rule that the candidate gets before it is promoted: the members but for itself, and the old primary once it is
    /// back. Nil: none, or nobody is chosen.
    public var nextRule: SynchronousRule? {
        guard let candidate, let rule = rules.current else { return nil }
        let members = rule.members.subtracting([candidate]).union([old])
        return try? SynchronousRule(required: min(rule.required, members.count), of: members)
    }

    public var isSwitchover: Bool {
        if case .switchover = cause { true } else { false }
    }

    public var isForced: Bool { cause == .forced }

    /// Whether nobody may be promoted without proof.
    var needsProof: Bool { !isForced && rules.current != nil }

    /// Whether the most advanced of the severed holds every acknowledged commit.
    ///
    /// One on a later timeline does not count: its log cannot be compared, and it may hold what was acknowledged before it
    /// left. One on an earlier timeline has received nothing of this one yet.
    public var isProven: Bool {
        let comparable = severed.filter { node, position in timeline.map { position.timeline <= $0 } ?? true }
        return rules.isProven(bySevered: Set(comparable.keys))
    }
}
