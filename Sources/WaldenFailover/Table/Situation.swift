import WaldenCore

/// What rows judge by: the machine at one moment. Each name says one thing that may be true of it.
struct Situation {
    let machine: FailoverMachine
    let now: Instant

    private var evidence: Evidence { machine.evidence }
    private var timings: FailoverTimings { machine.timings }
    private var incident: Incident? { machine.incident }
    private var inState: Duration { now.elapsed(since: machine.enteredAt) }
    private var found: Duration { now.elapsed(since: machine.findingSince) }
    var finding: Finding { machine.finding }

    func hasLasted(_ budget: Duration) -> Bool { inState > budget }

    // MARK: The primary

    /// The node that writes, if there is but one.
    var onlyWriter: NodeID? {
        let writers = evidence.writers(at: now)
        return writers.count == 1 ? writers[0] : nil
    }

    /// The primary writes; whoever writes besides was replaced by it, for a journal says so.
    var primaryLeads: Bool {
        evidence.writers(at: now).contains(evidence.primary) && (!hasTwoWriters || machine.term != .first)
    }

    var hasTwoWriters: Bool { evidence.writers(at: now).count > 1 }

    /// Until then one may be of another cluster, or write as well.
    var everybodyAnswers: Bool { evidence.nodes.allSatisfy { evidence.freshReport(of: $0, at: now) != nil } }

    /// Two nodes answer that were not made from one.
    var hasStrangers: Bool {
        let systems = evidence.nodes.compactMap { evidence.freshReport(of: $0, at: now)?.systemIdentifier }
        return Set(systems).count > 1
    }

    /// Which they are, and what to do.
    private var strangers: String {
        let systems = evidence.nodes.compactMap { node in
            evidence.freshReport(of: node, at: now).map { "\(evidence.name(of: node)) \($0.systemIdentifier)" }
        }
        return
            "system identifiers differ (\(systems.joined(separator: ", "))): take out of the configuration, or make anew "
            + "by pg_basebackup, what was not made from the primary"
    }

    /// Whether there is any doubt that clients can work with the primary. A quorum that acknowledges nothing is none: to
    /// mend it is for people or their agent, and no failover would.
    var primaryIsDoubtful: Bool { !finding.isAlive || wantsOutOfHungAccept }

    private var wantsOutOfHungAccept: Bool {
        guard finding == .hungAccept, let patience = timings.hungAccept else { return false }
        return found >= patience
    }

    /// What is found is proof enough, and has lasted as long as it must, and a failover would succeed.
    var failoverIsDue: Bool { failoverIsCalledFor && ruleIsKnown && failoverObstacle == nil }

    /// It would fail, and not for a moment only.
    var failoverIsImpossible: Bool {
        failoverIsCalledFor && ruleIsKnown && failoverObstacle != nil && found >= timings.sever
    }

    var failoverObstacle: String? { Prospect(of: machine, at: now).obstacle }

    private var failoverIsCalledFor: Bool {
        guard machine.policy.isAutomatic, isOutOfCooldown else { return false }
        // Of a rule that proves nothing people are told.
        let isProvable = hasRule || evidence.ruleProblem != nil
        switch finding {
        case .crashed: return hasRule || found >= timings.restartGrace
        case .unreachable: return isProvable && found >= timings.confirmation
        case .writeDead: return isProvable
        case .hungAccept: return isProvable && wantsOutOfHungAccept
        case .healthy, .sentinelBlind, .doubtful, .overloaded, .syncStalled, .recovering, .denied: return false
        }
    }

    private var hasRule: Bool { evidence.rules.current != nil }

    private var isOutOfCooldown: Bool {
        guard let last = machine.lastFailoverAt, now.elapsed(since: last) < timings.cooldown else { return true }
        return finding == .crashed
    }

    /// The rule is not that of the newest record.
    var ruleIsUnrecorded: Bool { machine.recordedRules != evidence.rules && evidence.timeline != nil }

    private var ruleIsKnown: Bool { evidence.isRuleSeen || journalIsFresh }

    /// The newest record is of a time so short ago that the rule in it is taken for the one in force.
    var journalIsFresh: Bool {
        guard let unwatched = machine.unwatchedFor else { return false }
        return unwatched <= timings.memory && evidence.rules.current != nil && evidence.timeline != nil
    }

    // MARK: Holding and draining

    var isHeld: Bool { machine.book.isDone(.hold) || hasLasted(timings.severOthers) }

    /// Nothing is under way at the old primary, and the standby that is to replace it has replayed all it wrote.
    var isDrained: Bool {
        guard let incident, incident.isEndKnown else { return false }
        return evidence.freshStandbys(at: now).contains { standby in
            (wish == nil || wish == standby.node) && standby.report.replayed >= incident.oldEnd
        }
    }

    /// Whom a switchover is to lead to, if that was said.
    var wish: NodeID? {
        if case .switchover(let node)? = incident?.cause { node } else { nil }
    }

    // MARK: Severing

    /// Enough are severed for the proof, or as many as there are where no proof is asked for.
    var isSevered: Bool {
        guard let incident else { return false }
        if incident.isProven { return true }
        guard incident.isForced || incident.rules.current == nil else { return false }
        return !incident.severed.isEmpty && unseveredAnswering.isEmpty
    }

    /// Others answer, and might be severed too: one of them may hold more.
    var mayMoreBeSevered: Bool { !unseveredAnswering.isEmpty && !hasLasted(timings.severOthers) }

    private var unseveredAnswering: [NodeID] {
        guard let incident else { return [] }
        return evidence.freshStandbys(at: now).map(\.node).filter { incident.severed[$0] == nil }
    }

    // MARK: Choosing

    var election: Election {
        let severed = incident?.severed ?? [:]
        let voters = severed.keys.sorted().map { node in
            let report = evidence.freshReport(of: node, at: now)
            return Election.Voter(
                node: node, position: severed[node] ?? .none, priority: machine.policy.priority(of: node),
                freeSlots: report?.freeSlots ?? 0, isReplayPaused: report?.isReplayPaused ?? false)
        }
        let needsProof = incident.map { !$0.isForced && $0.rules.current != nil } ?? true
        return Election(
            among: voters, on: incident?.timeline, notBehind: needsProof ? incident?.rules.members : nil, wish: wish,
            needsSlot: machine.policy.needsSlot)
    }

    // MARK: Fencing

    var isFenced: Bool {
        guard let incident else { return false }
        return isProxyFenced(incident)
            && (!machine.policy.hasFenceHook || machine.book.isDone(.fenceHook(incident.old)))
    }

    private func isProxyFenced(_ incident: Incident) -> Bool {
        Self.proxyFence(incident).allSatisfy(machine.book.isDone)
    }

    var fenceVeto: String? { incident.flatMap { machine.book.refusal(of: .fenceHook($0.old)) } }

    /// The hook did not answer; the severed standbys are fence enough where they are proof.
    var isFencedWithoutHook: Bool {
        guard let incident, hasLasted(timings.fence) else { return false }
        return incident.isProven && isProxyFenced(incident)
    }

    // MARK: The new primary

    /// The candidate writes, on a timeline of its own.
    var isPromoted: Bool {
        guard let incident, let candidate = incident.candidate,
            let report = evidence.freshReport(of: candidate, at: now), !report.isInRecovery
        else { return false }
        return incident.timeline.map { report.timeline > $0 } ?? true
    }

    /// All that must be in place before traffic.
    var isPrepared: Bool {
        let slot = !machine.policy.needsSlot || machine.book.isDone(.createSlot(evidence.primary))
        return slot && machine.book.isDone(.beginEpoch)
    }

    var quorumStands: Bool {
        evidence.rules.current == nil || evidence.quorumAcknowledged(since: machine.enteredAt)
    }

    // MARK: For people

    var details: [String] {
        var lines: [String] = ["finding: \(finding.rawValue)"]
        for node in evidence.nodes {
            guard let report = evidence.freshReport(of: node, at: now) else {
                lines.append("\(evidence.name(of: node)): does not answer")
                continue
            }
            let role = report.isInRecovery ? "standby" : "writes"
            let upstream =
                report.receiver.map { "last message \($0.silentFor) ago" }
                ?? (report.isInRecovery ? "receives nothing" : "")
            lines.append(
                "\(evidence.name(of: node)): \(role), timeline \(report.timeline), \(report.received)"
                    + (upstream.isEmpty ? "" : ", \(upstream)"))
        }
        if machine.state == .suspect, let obstacle = failoverObstacle {
            lines.append(obstacle)
        } else if let problem = evidence.ruleProblem {
            lines.append(problem.description)
        }
        if hasStrangers { lines.append(strangers) }
        if let refusal = incident?.refusal { lines.append(refusal) }
        return lines + machine.book.problems
    }
}

extension Incident.Position {
    static let none = Incident.Position(timeline: TimelineID(0), received: .zero, replayed: .zero)
}

// MARK: - Orders, and what is given up

extension Situation {
    var isSwitchover: Bool { machine.incident?.isSwitchover ?? false }
    var isInterrupted: Bool { machine.incident?.isInterrupted ?? false }
    var isForced: Bool { machine.incident?.isForced ?? false }

    var isSwitchoverOrdered: Bool {
        if case .switchover? = machine.request { true } else { false }
    }

    var orderedNode: NodeID? {
        if case .switchover(let node)? = machine.request { node } else { nil }
    }

    /// Why a switchover cannot be begun; nil: it can.
    var switchoverObstacle: String? {
        machine.switchoverObstacle(to: orderedNode, at: now)
    }

    /// Every severed standby that answers follows its primary again, and held work was let go.
    var isReattached: Bool {
        guard machine.book.isDone(.release) else { return false }
        return machine.detached.allSatisfy { node in
            machine.evidence.freshReport(of: node, at: now) == nil || machine.parted.contains(node)
        }
    }

    /// After a failed attempt, the failover would be due again: not before all budgets of the failed one have passed.
    var isWorthAnotherTry: Bool {
        hasLasted(machine.timings.abort) && machine.evidence.rules.current != nil && !hasStrangers && failoverIsDue
    }
}
