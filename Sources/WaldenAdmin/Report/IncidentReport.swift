/// One failover or switchover, from its reason to its end.
public struct IncidentReport: Hashable, Sendable {
    /// A row that was taken, or what became of an order.
    public struct Event: Hashable, Sendable {
        /// Since the incident began; below zero for the doubt before it.
        public var seconds = 0.0
        public var text = ""
        /// What was known of each node.
        public var evidence: [String] = []

        public init() {}
    }

    /// The term.
    public var number: UInt64 = 0
    /// UTC, as ISO 8601 has it.
    public var beganAt = ""
    public var cause = ""
    /// What was known of each node then.
    public var evidence: [String] = []
    public var oldPrimary = ""
    public var newPrimary: String?
    /// `replaced`, `undone`, `superseded`; `under_way` or `needs_human` while it lasts.
    public var outcome = ""
    /// Why it was given up.
    public var refusal: String?
    /// How long clients may have waited for a primary; nil while it lasts.
    public var outageSeconds: Double?
    /// Log that may be lost, as far as is known; nil: nobody was chosen.
    public var lostBytes: UInt64?
    public var isProven = false
    public var events: [Event] = []

    public init() {}
}
