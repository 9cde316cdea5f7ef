import WaldenCore

/// What the incident under way has come to.
extension Situation {
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
        if incident.isProven { return !isRuleLost }
        return !incident.needsProof && !incident.severed.isEmpty && unseveredAnswering.isEmpty
    }

    /// Whoever was severed, nothing is proven: by now the old primary waits for nobody, or for nobody known.
    var isRuleLost: Bool {
        guard let incident else { return false }
        return incident.needsProof && evidence.rules.current == nil
    }

    /// By the rules that count now, those severed are no proof.
    var isProofLost: Bool {
        guard let incident else { return false }
        return isRuleLost || (incident.needsProof && !incident.isProven)
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
        let needsProof = incident?.needsProof ?? true
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

    // MARK: Orders, and what is given up

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
