/// How long writes would wait if the primary's processes died now.
///
/// An estimate from what is known before it happens, and no promise. Not counted, for nobody knows beforehand: the operator's
/// fence hook, log that the candidate has yet to apply (`Readiness.unappliedBytes`), a standby that answers slowly. A primary
/// that falls silent rather than dies takes `FailoverTimings.silence` and `confirmation` longer.
public struct FailoverEstimate: Hashable, Sendable {
    /// From the death to the decision: the next look at the primary and its standbys, and without a quorum the time that a
    /// restart is waited for.
    public let detection: Duration
    /// From severing to the opening of the new primary.
    public let takeover: Duration
    /// Whether the takeover is that of the newest failover or switchover here, rather than a typical one.
    public let isMeasured: Bool

    public var total: Duration { detection + takeover }
}

extension FailoverMachine {
    public var estimate: FailoverEstimate {
        FailoverEstimate(
            detection: timings.heartbeat + (evidence.rules.current == nil ? timings.restartGrace : .zero),
            takeover: lastTakeover ?? timings.typicalTakeover, isMeasured: lastTakeover != nil)
    }

    /// Of a switchover ordered now nothing has to be found out; what is under way at the primary is waited for besides, at
    /// most `FailoverTimings.switchover`.
    public var switchoverEstimate: FailoverEstimate {
        FailoverEstimate(
            detection: .zero, takeover: lastTakeover ?? timings.typicalTakeover, isMeasured: lastTakeover != nil)
    }
}
