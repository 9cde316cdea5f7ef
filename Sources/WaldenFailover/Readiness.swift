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
        let standbys = evidence.freshStandbys(at: now)
        let election = election(among: standbys, wish)
        let isProven = evidence.rules.isProven(bySevered: Set(standbys.map(\.node)))
        let report = standbys.first { $0.node == election.winner }?.report
        let block = block(election, isProven: isProven, answering: standbys.count, at: now)
        return Readiness(
            candidate: election.winner, missingBytes: report.map { evidence.primaryEnd.bytes(since: $0.received) } ?? 0,
            isProven: isProven, unappliedBytes: report.map { $0.received.bytes(since: $0.replayed) } ?? 0,
            block: block, obstacle: block.map { words($0, election, wish, answering: standbys.count) })
    }

    private func election(among standbys: [(node: NodeID, report: NodeReport)], _ wish: NodeID?) -> Election {
        Election(
            among: standbys.map { node, report in
                Election.Voter(
                    node: node,
                    position: Incident.Position(
                        timeline: report.timeline, received: report.received, replayed: report.replayed),
                    priority: policy.priority(of: node), freeSlots: report.freeSlots,
                    isReplayPaused: report.isReplayPaused)
            },
            on: evidence.timeline, notBehind: nil, wish: wish, needsSlot: policy.needsSlot)
    }

    private func block(_ election: Election, isProven: Bool, answering: Int, at now: Instant) -> Readiness.Block? {
        if state == .maintenance { return .maintenance }
        if state == .discover { return .undiscovered }
        if !policy.isAutomatic { return .manual }
        if evidence.ruleProblem != nil { return .rule }
        if election.winner == nil { return answering == 0 ? .noStandby : .noCandidate }
        if evidence.rules.current != nil, !isProven { return .unproven }
        if evidence.rules.current == nil, !policy.mayLoseUnacknowledged { return .noQuorum }
        if let last = lastFailoverAt, now.elapsed(since: last) < timings.cooldown { return .cooldown }
        return nil
    }

    private func words(
        _ block: Readiness.Block, _ election: Election, _ wish: NodeID?, answering: Int
    ) -> String {
        switch block {
        case .maintenance: "maintenance is ordered: walden resume"
        case .undiscovered: "the primary is not found yet"
        case .manual: "failover.automatic is off"
        case .rule: evidence.ruleProblem?.description ?? "synchronous_standby_names proves nothing"
        case .noStandby: "no standby answers"
        case .noCandidate:
            election.refusals.filter { wish == nil || $0.key == wish }.sorted { $0.key < $1.key }.map {
                "\(evidence.name(of: $0.key)): \($0.value)"
            }
            .joined(separator: "; ")
        case .unproven:
            "\(answering) standbys answer; to prove that nothing acknowledged is lost, "
                + "\(evidence.rules.current?.severedRequired ?? 0) of those in synchronous_standby_names must be severed"
        case .noQuorum: "synchronous_standby_names is empty, so acknowledged commits may be on the primary alone"
        case .cooldown: "the last failover was less than failover.cooldown ago: only a crash would be failed over from"
        }
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
        let standbys = evidence.freshStandbys(at: now)
        let election = election(among: standbys, wish)
        guard evidence.rules.isProven(bySevered: Set(standbys.map(\.node))) else {
            return words(.unproven, election, wish, answering: standbys.count)
        }
        return election.winner == nil ? words(.noCandidate, election, wish, answering: standbys.count) : nil
    }
}
