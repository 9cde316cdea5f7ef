import WaldenCore

extension Situation {
    /// What the state does, judged anew at every moment: steps that are done or under way are not ordered twice.
    var wantedSteps: [Step] {
        switch machine.state {
        case .discover, .suspect, .census: []
        case .maintenance: [.release]
        case .steady, .needsHuman: repairs
        case .hold: holding
        case .sever: severing
        case .fence: fencing
        case .promote: promoting
        case .opening: opening
        case .open: [.release]
        case .aborting: reattaching + [.release]
        }
    }

    private var book: OrderBook { machine.book }
    private var primary: NodeID { machine.evidence.primary }

    private var holding: [Step] {
        guard let incident = machine.incident, incident.isSwitchover else { return [.hold] }
        guard book.isDone(.hold) else { return [.hold] }
        guard book.isDone(.drain) else { return [.drain] }
        return [.checkpoint(incident.old)]
    }

    /// All standbys: one that is no member of the quorum would go on applying what may never be acknowledged.
    ///
    /// The one that a switchover is to lead to is the last: what the others received before they were severed it then has, too.
    private var severing: [Step] {
        guard let incident = machine.incident else { return [] }
        let standbys = machine.evidence.nodes.filter { node in
            node != incident.old
                && machine.evidence.freshReport(of: node, at: now).map(machine.evidence.isOfThisCluster) ?? true
        }
        let others = standbys.filter { $0 != wish }
        let mustWait = !hasLasted(machine.timings.severOthers) && others.contains(where: isLoose)
        return (mustWait ? others : standbys).map(Step.sever)
    }

    private func isLoose(_ node: NodeID) -> Bool {
        machine.evidence.freshReport(of: node, at: now).map { $0.isInRecovery && !$0.isSevered } ?? false
    }

    /// What keeps proxies from the old primary; each state that needs it begins it anew.
    static func proxyFence(_ incident: Incident) -> [Step] { [.raiseTerm, .closeConnections(incident.old)] }

    private var fencing: [Step] {
        guard let incident = machine.incident else { return [] }
        let hook = machine.policy.hasFenceHook ? [Step.fenceHook(incident.old)] : []
        return Self.proxyFence(incident) + hook
    }

    /// The names come first: between its promotion and them the new primary would acknowledge to whoever reaches it
    /// directly what no standby holds.
    private var promoting: [Step] {
        guard let incident = machine.incident, let candidate = incident.candidate else { return [] }
        let fence = Self.proxyFence(incident)
        let loose = looseAgain
        guard loose.isEmpty, isStillFurthest else { return fence + loose.map(Step.sever) }
        guard incident.rules.current == nil || book.isDone(.setSynchronousNames(candidate)) else {
            return fence + [.setSynchronousNames(candidate)]
        }
        return fence + [.promote(candidate)]
    }

    /// What was severed is durable, but others may have changed it since: nobody who answers may follow anybody again.
    private var looseAgain: [NodeID] {
        guard let incident = machine.incident, incident.needsProof else { return [] }
        return incident.severed.keys.sorted().filter(isLoose)
    }

    /// Those that were loose again may have received more than the candidate. A log on another timeline is not compared: the
    /// census did not count it either, and it may be further for ever.
    private var isStillFurthest: Bool {
        guard let incident = machine.incident, let candidate = incident.candidate, !incident.isForced,
            let own = machine.evidence.freshReport(of: candidate, at: now), own.isInRecovery
        else { return true }
        return incident.severed.keys.filter(incident.rules.members.contains).allSatisfy { node in
            guard let other = machine.evidence.freshReport(of: node, at: now), other.timeline == own.timeline
            else { return true }
            return other.received <= own.received
        }
    }

    private var opening: [Step] {
        var steps = reattaching
        let slot = Step.createSlot(primary)
        if machine.policy.needsSlot { steps.append(slot) }
        if !machine.policy.needsSlot || book.isDone(slot) { steps.append(.beginEpoch) }
        return steps
    }

    /// Those severed that answer follow the primary, unless their logs have parted.
    private var reattaching: [Step] {
        machine.detached.sorted().filter { node in
            node != primary && !machine.parted.contains(node)
                && machine.evidence.freshReport(of: node, at: now)?.isInRecovery ?? false
        }.map(Step.follow)
    }

    /// After the incident: what could not be done at once. A rewind reads the source's control file, which names the new
    /// timeline only after a checkpoint.
    private var repairs: [Step] {
        var steps = [.release] + reattaching
        guard machine.policy.hasAgent, finding.isAlive, !machine.parted.isEmpty else { return steps }
        steps.append(.checkpoint(primary))
        if book.isDone(.checkpoint(primary)) { steps += machine.parted.sorted().map(Step.rejoin) }
        return steps
    }
}
