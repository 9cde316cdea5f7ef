public import WaldenCore

/// What would happen if the primary died now.
public struct Readiness: Hashable, Sendable {
    /// Who would be promoted; nil: nobody.
    public let candidate: NodeID?
    /// Log that the primary is known to have written and the candidate had not received at the last look.
    public let missingBytes: UInt64
    /// Whether every acknowledged commit would be kept, proven by the quorum.
    public let isProven: Bool
    /// Why it would not go by itself; nil: it would.
    public let obstacle: String?
}

extension FailoverMachine {
    /// Who could be severed and chosen, by what is known now.
    public func readiness(at now: Instant) -> Readiness {
        let prospect = Prospect(of: self, at: now)
        let received = prospect.able.first { $0.node == prospect.election.winner }?.report.received ?? .zero
        return Readiness(
            candidate: prospect.election.winner,
            missingBytes: prospect.election.winner == nil ? 0 : evidence.primaryEnd.bytes(since: received),
            isProven: prospect.isProven, obstacle: obstacle(prospect, at: now))
    }

    private func obstacle(_ prospect: Prospect, at now: Instant) -> String? {
        if state == .maintenance { return "maintenance is ordered: walden resume" }
        if state == .discover { return "the primary is not found yet" }
        if !policy.isAutomatic { return "failover.automatic is off" }
        if let obstacle = prospect.obstacle { return obstacle }
        if let last = lastFailoverAt, now.elapsed(since: last) < timings.cooldown {
            return "the last failover was less than failover.cooldown ago: only a crash would be failed over from"
        }
        return nil
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
        let readiness = readiness(at: now)
        guard readiness.isProven else { return readiness.obstacle ?? "too few standbys answer" }
        return readiness.candidate == nil ? readiness.obstacle ?? "no standby may be promoted" : nil
    }
}
