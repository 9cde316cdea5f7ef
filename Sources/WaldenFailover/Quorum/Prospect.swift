import WaldenCore

/// What severing and the census would find if they began now. A failover that cannot succeed is not begun: to sever costs
/// clients their commits until it is undone.
struct Prospect {
    /// Standbys that can be severed and whose logs can be compared.
    let able: [(node: NodeID, report: NodeReport)]
    let election: Election
    /// Whether every acknowledged commit would be kept, proven by the quorum.
    let isProven: Bool
    /// Why it would fail; nil: it would succeed.
    let block: Readiness.Block?
    /// The same with what shows it and what to do.
    let obstacle: String?

    /// - Parameter wish: Only this one is to be chosen.
    init(of machine: FailoverMachine, for wish: NodeID? = nil, at now: Instant) {
        let evidence = machine.evidence
        let answering = evidence.freshStandbys(at: now)
        let problems = answering.compactMap { standby in
            Self.problem(of: standby.report, evidence).map { "\(evidence.name(of: standby.node)): \($0)" }
        }
        able = answering.filter { Self.problem(of: $0.report, evidence) == nil }
        election = Election(
            among: able.map { node, report in
                Election.Voter(
                    node: node,
                    position: Incident.Position(
                        timeline: report.timeline, received: report.received, replayed: report.replayed),
                    priority: machine.policy.priority(of: node), freeSlots: report.freeSlots,
                    isReplayPaused: report.isReplayPaused)
            },
            on: evidence.timeline, notBehind: nil, wish: wish, needsSlot: machine.policy.needsSlot)
        isProven = evidence.rules.isProven(bySevered: Set(able.map(\.node)))
        (block, obstacle) = Self.obstacle(machine, election, wish, isProven, able.count, problems)
    }

    /// Why it could not be severed, or would prove nothing.
    private static func problem(of report: NodeReport, _ evidence: Evidence) -> String? {
        if let timeline = evidence.timeline, report.timeline > timeline {
            return "its log is on timeline \(report.timeline), not \(timeline) of the primary, and cannot be compared: "
                + "make it anew from the primary"
        }
        if !report.missingRights.isEmpty {
            return "the sentinel's role lacks \(report.missingRights): run sql/sentinel.sql on the primary"
        }
        return nil
    }

    private static func obstacle(
        _ machine: FailoverMachine, _ election: Election, _ wish: NodeID?, _ isProven: Bool, _ able: Int,
        _ problems: [String]
    ) -> (Readiness.Block?, String?) {
        let (evidence, policy) = (machine.evidence, machine.policy)
        if let problem = evidence.ruleProblem { return (.rule, problem.description) }
        if election.winner == nil {
            let refusals = election.refusals.filter { wish == nil || $0.key == wish }.sorted { $0.key < $1.key }
            let reasons = problems + refusals.map { "\(evidence.name(of: $0.key)): \($0.value)" }
            return reasons.isEmpty
                ? (.noStandby, "no standby answers") : (.noCandidate, reasons.joined(separator: "; "))
        }
        if let rule = evidence.rules.current, !isProven {
            let missing =
                evidence.rules.countNobody
                ? "synchronous_standby_names is new, and its standbys have not been seen to hold what was acknowledged "
                    + "before: that may be on the primary alone"
                : "\(able) standbys answer and can be severed; to prove that nothing acknowledged is lost, "
                    + "\(rule.severedRequired) of those in synchronous_standby_names must be severed"
            return (.unproven, (problems + [missing]).joined(separator: "; "))
        }
        if evidence.rules.current == nil, !policy.mayLoseUnacknowledged {
            return (
                .noQuorum, "synchronous_standby_names is empty, so acknowledged commits may be on the primary alone"
            )
        }
        return (nil, nil)
    }
}
