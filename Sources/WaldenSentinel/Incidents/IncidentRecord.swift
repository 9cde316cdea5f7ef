public import WaldenCore
public import WaldenFailover

/// One incident as people read it, put together from its lines.
public struct IncidentRecord: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// Another node is the primary.
        case replaced
        /// Given up before the point of no return; the old primary stayed.
        case undone
        /// Another incident took its place.
        case superseded
    }

    /// Lines of one incident that are kept in memory; of more the first and the newest.
    static let lineLimit = 1_000

    public let term: Term
    public let cause: Incident.Cause
    public let old: NodeID
    /// When its first row was taken; of one that followed another at once, that one's beginning.
    public let beganAt: Int64
    /// For how long the primary had not been heard of by then.
    public let silence: Duration
    /// What was known of each node then.
    public let evidence: [String]
    public internal(set) var endedAt: Int64?
    /// Nil: under way, or the sentinel was ended in the middle of it.
    public internal(set) var outcome: Outcome?
    /// It waits for an order of people.
    public internal(set) var needsHuman = false
    public internal(set) var candidate: NodeID?
    public internal(set) var isProven = false
    public internal(set) var missingBytes: UInt64?
    public internal(set) var refusal: String?
    public internal(set) var lines: [IncidentLine] = []

    /// How long clients may have waited for the primary: from its last sign of life, in a switchover from the moment at
    /// which work was held, until held work was let go. At most that, for the last sign may be older than the death. Nil
    /// while it lasts.
    public var outage: Duration? {
        guard let endedAt else { return nil }
        let lasted = Duration.microseconds(max(0, endedAt - beganAt))
        if case .switchover = cause { return lasted }
        return lasted + silence
    }

    /// Log that may be lost with it, unless proven otherwise.
    public var lostBytes: UInt64? { isProven ? 0 : missingBytes }

    mutating func add(_ line: IncidentLine) {
        if lines.count >= Self.lineLimit { lines.remove(at: Self.lineLimit / 2) }
        lines.append(line)
        guard let row = line.row else { return }
        candidate = row.candidate ?? candidate
        isProven = row.isProven ?? isProven
        missingBytes = row.missingBytes ?? missingBytes
        refusal = row.refusal ?? refusal
        needsHuman = row.to == .needsHuman
        guard row.ends else { return }
        endedAt = line.at
        outcome = row.from == .open ? .replaced : .undone
    }
}

extension IncidentLine.Row {
    /// The incident is over with it.
    var ends: Bool {
        switch from {
        case .open, .aborting: to == .steady || to == .suspect
        case .needsHuman: to != .hold && to != .needsHuman
        case .discover, .steady, .suspect, .hold, .sever, .census, .fence, .promote, .opening, .maintenance: false
        }
    }
}

/// How many came to an end since the sentinel was started.
public struct IncidentCounts: Hashable, Sendable {
    public internal(set) var failovers: UInt64 = 0
    public internal(set) var switchovers: UInt64 = 0
    /// Undone or superseded, whatever they were.
    public internal(set) var aborted: UInt64 = 0
}
