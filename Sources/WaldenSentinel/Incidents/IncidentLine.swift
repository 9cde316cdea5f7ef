public import WaldenCore
public import WaldenFailover

/// One line of the incidents' history: a row of the table that was taken, or what became of an order.
///
/// Times are of the wall clock, in microseconds since 2000-01-01 UTC: the history is read by people, and outlives the
/// process whose monotonic clock it would need.
public struct IncidentLine: Hashable, Sendable, Codable {
    public let at: Int64
    /// Of the incident; that of the newest one where the line belongs to none.
    public let term: Term
    /// One of the two is there.
    public let row: Row?
    public let step: StepTaken?

    public struct Row: Hashable, Sendable, Codable {
        public let number: Int
        public let from: FailoverState
        public let to: FailoverState
        public let primary: NodeID
        public let finding: Finding
        public let reason: String
        /// What was known of each node.
        public let evidence: [String]
        /// Of the row that begins the incident.
        public let cause: Incident.Cause?
        public let old: NodeID?
        public let candidate: NodeID?
        /// Whether the severed standbys prove that nothing acknowledged is lost.
        public let isProven: Bool?
        /// Log that the old primary is known to have written and the candidate did not receive.
        public let missingBytes: UInt64?
        /// Why the incident was given up.
        public let refusal: String?
        /// For how long the primary had not been heard of.
        public let silentMicroseconds: Int64?
    }

    public struct StepTaken: Hashable, Sendable, Codable {
        public let name: String
        public let node: NodeID?
        /// `done`, `failed`, `refused`, or `unanswered` when its state ended first.
        public let outcome: String
        public let reason: String?
        public let microseconds: Int64
        /// Tries up to and with this one.
        public let tries: Int
    }

    init(at: Int64, term: Term, row: Row) {
        self.at = at
        self.term = term
        self.row = row
        step = nil
    }

    init(at: Int64, term: Term, step: StepTaken) {
        self.at = at
        self.term = term
        row = nil
        self.step = step
    }

    /// - Parameters:
    ///   - term: Of the incident, which a doubt is older than.
    ///   - isFirst: It begins the incident.
    init(_ note: FailoverNote, of term: Term, isFirst: Bool, wall: Int64, now: Instant) {
        let incident = note.incident
        let received = incident?.candidate.flatMap { incident?.severed[$0]?.received }
        let row = Row(
            number: note.row, from: note.from, to: note.to, primary: note.primary, finding: note.finding,
            reason: note.reason, evidence: note.details, cause: isFirst ? incident?.cause : nil, old: incident?.old,
            candidate: incident?.candidate, isProven: incident?.isProven,
            missingBytes: received.flatMap { received in incident.map { $0.oldEnd.bytes(since: received) } },
            refusal: incident?.refusal,
            silentMicroseconds: note.primarySeenAt.map { now.elapsed(since: $0).wholeNanoseconds / 1_000 })
        self.init(at: wall, term: term, row: row)
    }
}
