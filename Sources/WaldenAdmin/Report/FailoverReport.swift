/// What the sentinel knows and does.
public struct FailoverReport: Hashable, Sendable {
    /// A word of a few (`FailoverState`), and for how long it has been that.
    public var state = ""
    public var stateSeconds = 0.0
    public var term: UInt64 = 0
    public var primary = ""
    public var timeline: UInt32?
    /// What is found of the primary, a word of a few (`Finding`), and for how long.
    public var finding = ""
    public var findingSeconds = 0.0
    /// Who would be promoted if the primary died now; nil: nobody.
    public var candidate: String?
    /// Log that the candidate is known to lack.
    public var missingBytes: UInt64 = 0
    /// Whether the quorum proves that nothing acknowledged would be lost.
    public var isProven = false
    /// Log that the candidate has yet to apply.
    public var unappliedBytes: UInt64 = 0
    /// From the primary's death to writes at the new one.
    public var estimatedSeconds = 0.0
    /// Whether the estimate rests on a takeover that was measured here.
    public var isEstimateMeasured = false
    /// What keeps a failover from going by itself, a word of a few (`Readiness.Block`) and in words; nil: nothing does.
    public var blockedBy: String?
    public var obstacle: String?
    /// What went wrong with orders of the present state.
    public var problems: [String] = []
    /// An order of people that is not taken yet.
    public var request: String?
    /// The number of the incident under way.
    public var incident: UInt64?
    public var failovers: UInt64 = 0
    public var switchovers: UInt64 = 0
    public var aborted: UInt64 = 0
    /// Of the newest incident that is over.
    public var lastOutageSeconds: Double?
    public var droppedEvents: UInt64 = 0
    public var unwrittenLines: UInt64 = 0
    /// What became of the events that hooks were to be told: `told`, `failed`, `dropped`.
    public var hookEvents: [String: UInt64] = [:]
    /// Since the sentinel's thread last looked: it does so many times a second.
    public var silentSeconds = 0.0

    public init() {}

    /// Log that would be lost, as far as is known; nil: nobody would be promoted.
    public var bytesLostIfNow: UInt64? { candidate == nil ? nil : isProven ? 0 : missingBytes }

    /// One line for people.
    public var outlook: String {
        guard let candidate, let lost = bytesLostIfNow, obstacle == nil else {
            return "if the primary died now: no failover by itself: \(obstacle ?? "no standby may be promoted")"
        }
        let loss = isProven ? "0 bytes lost" : "\(lost) bytes lost or more, for no quorum proves otherwise"
        return "if the primary died now: node \(candidate), \(loss), about \(Self.spelled(estimatedSeconds)) s"
    }

    /// Seconds to a tenth, as estimates deserve.
    public static func spelled(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e15 else { return "?" }
        let tenths = (seconds * 10).rounded()
        return "\(Int(tenths) / 10).\(abs(Int(tenths) % 10))"
    }
}
