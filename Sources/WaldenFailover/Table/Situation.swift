import WaldenCore

/// What rows judge by: the machine at one moment. Each name says one thing that may be true of it. Here are those about
/// the primary; what an incident has come to is in an extension.
struct Situation {
    let machine: FailoverMachine
    let now: Instant

    var evidence: Evidence { machine.evidence }
    var timings: FailoverTimings { machine.timings }
    var incident: Incident? { machine.incident }
    var inState: Duration { now.elapsed(since: machine.enteredAt) }
    var found: Duration { now.elapsed(since: machine.findingSince) }
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

    /// The rules are not those of the newest record, and a later life would need them. Past the point of no return the old
    /// primary's do not count any more, and where there is no journal yet no primary is known.
    var rulesAreUnrecorded: Bool {
        guard machine.state != .promote, let recorded = machine.recordedRules else { return false }
        return recorded != evidence.rules
    }

    private var ruleIsKnown: Bool { evidence.isRuleSeen || journalIsFresh }

    /// The newest record is of a time so short ago that the rule in it is taken for the one in force.
    var journalIsFresh: Bool {
        guard let unwatched = machine.unwatchedFor else { return false }
        return unwatched <= timings.memory && evidence.rules.current != nil && evidence.timeline != nil
    }
}
