public import WaldenCore

/// What would happen if the primary died now.
public struct Readiness: Hashable, Sendable {
    /// Who would be promoted; nil: nobody.
    public let candidate: NodeID?
    /// Log that the primary is known to have written and the candidate had not received at the last look.
    public let missingBytes: UInt64
    /// Whether every acknowledged commit would be kept, proven by the quorum.
    public let isProven: Bool
    /// Log that the candidate had received and not applied at the last look; it must be, before the promotion ends.
    public let unappliedBytes: UInt64
    /// What keeps it from going by itself; nil: nothing does.
    public let block: Block?
    /// The same in words.
    public let obstacle: String?

    /// One of a few, for metrics. The raw value is the label.
    public enum Block: String, Hashable, Sendable, CaseIterable {
        /// Ordered to stay out.
        case maintenance
        /// The primary is not found yet.
        case undiscovered
        /// `failover.automatic` is off.
        case manual
        /// `synchronous_standby_names` proves nothing as it stands.
        case rule
        /// No standby answers.
        case noStandby = "no_standby"
        /// None of those that answer may be promoted.
        case noCandidate = "no_candidate"
        /// Too few members of the quorum answer for a proof.
        case unproven
        /// There is no quorum, and nothing acknowledged may be lost.
        case noQuorum = "no_quorum"
        /// The last failover was a short while ago.
        case cooldown
    }
}

extension FailoverMachine {
    /// Who could be severed and chosen, by what is known now.
    ///
    /// - Parameter wish: Only this one is to be chosen.
    public func readiness(for wish: NodeID? = nil, at now: Instant) -> Readiness {
        let prospect = Prospect(of: self, for: wish, at: now)
        let report = prospect.able.first { $0.node == prospect.election.winner }?.report
        let (block, obstacle) = obstacle(prospect, at: now)
        return Readiness(
            candidate: prospect.election.winner,
            missingBytes: report.map { evidence.primaryEnd.bytes(since: $0.received) } ?? 0,
            isProven: prospect.isProven, unappliedBytes: report.map { $0.received.bytes(since: $0.replayed) } ?? 0,
            block: block, obstacle: obstacle)
    }

    private func obstacle(_ prospect: Prospect, at now: Instant) -> (Readiness.Block?, String?) {
        if state == .maintenance { return (.maintenance, "maintenance is ordered: walden resume") }
        if state == .discover { return (.undiscovered, "the primary is not found yet") }
        if !policy.isAutomatic { return (.manual, "failover.mode is watch: only by order") }
        if let block = prospect.block { return (block, prospect.obstacle) }
        if let last = lastFailoverAt, now.elapsed(since: last) < timings.cooldown {
            return (
                .cooldown,
                "the last failover was less than failover.cooldown ago: only a crash would be failed over from"
            )
        }
        return (nil, nil)
    }

    /// Why a switchover cannot be begun now; nil: it can.
    public func switchoverObstacle(to wish: NodeID?, at now: Instant) -> String? {
        guard state == .steady else { return "the sentinel is in state \(state.rawValue)" }
        guard finding == .healthy else { return "the primary is found \(finding.rawValue)" }
        if let problem = evidence.ruleProblem { return problem.description }
        guard evidence.rules.current != nil else {
            return "synchronous_standby_names is empty: the old primary would go on acknowledging what no standby gets"
        }
        if let wish {
            guard wish != evidence.primary else { return "\(evidence.name(of: wish)) is the primary" }
            guard let report = evidence.freshReport(of: wish, at: now), report.isInRecovery else {
                return "\(evidence.name(of: wish)) does not answer as a standby"
            }
            if policy.priority(of: wish) == 0 { return "the priority of \(evidence.name(of: wish)) is 0" }
        }
        return Prospect(of: self, for: wish, at: now).obstacle
    }
}
