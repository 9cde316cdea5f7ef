import WaldenCore
import WaldenFailover

/// What must hold at every moment, and at the end.
extension Simulation {
    mutating func judgeMoment() {
        judgeJournal()
        guard let machine, let incident = machine.incident else { return }
        judgeSevered(machine, incident)
        judgeBudget(machine)
    }

    /// I7: what the sentinel believes from the census on is so in the world itself.
    private mutating func judgeSevered(_ machine: FailoverMachine, _ incident: Incident) {
        let isBelieved = machine.state == .promote || (machine.state == .fence && incident.isProven)
        guard isBelieved, let rule = incident.rules.current else { return }
        let severed = nodes.filter { $0.id != incident.old && ($0.upstream != incident.old || !$0.isStandby) }
            .filter { $0.receiver?.from != incident.old }
        guard !rule.isProven(bySevered: Set(severed.map(\.id))) else { return }
        ledger.violated("I7", "in \(machine.state) only \(severed.map(\.name)) are severed of \(rule)")
    }

    /// I11: what a later life must know is on the disk at once, if that takes anything. From the point of no return the old
    /// primary's rules do not count.
    private mutating func judgeJournal() {
        guard let machine, let journal, machine.state != .promote, machine.evidence.rules != journal.rules,
            recordsUnderWay == 0
        else { return rulesUnrecordedSince = nil }
        let since = rulesUnrecordedSince ?? now
        rulesUnrecordedSince = since
        guard now.elapsed(since: since) > .milliseconds(200) else { return }
        ledger.violated("I11", "in \(machine.state) the journal lacks the rules that count: \(machine.evidence.rules)")
    }

    /// I11: what can be given up is given up in time. `promote` waits for its candidate, `opening` for the new primary.
    private mutating func judgeBudget(_ machine: FailoverMachine) {
        let budget: Duration
        switch machine.state {
        case .hold: budget = timings.switchover
        case .sever: budget = timings.sever
        case .census: budget = timings.census
        case .fence: budget = timings.fence + .seconds(1)
        case .aborting: budget = timings.abort
        case .discover, .steady, .suspect, .promote, .opening, .open, .needsHuman, .maintenance: return
        }
        guard recordsUnderWay == 0, now.elapsed(since: machine.enteredAt) > budget + .milliseconds(200) else { return }
        ledger.violated("I11", "\(machine.state) since \(now.elapsed(since: machine.enteredAt))")
    }

    /// After all was healed for long, the cluster serves, and nothing is left over.
    mutating func judgeEnd() {
        for node in nodes { tell("at the end: \(node)") }
        guard let machine else { return ledger.violated("I11", "there is no sentinel at the end") }
        let isSteady = machine.state == .steady
        if !isSteady {
            ledger.violated("I11", "the sentinel ends in \(machine.state): \(machine.incident?.refusal ?? "")")
        }
        let primary = nodes[index(of: machine.evidence.primary)]
        if now.elapsed(since: lastAcknowledgement) > .seconds(8), mayAcknowledge(primary, machine) {
            ledger.violated("I8", "no write was acknowledged in the last 8 s, long after all was healed")
        }
        if let since = proxy.heldSince { ledger.violated("I9", "work is held since \(now.elapsed(since: since))") }
        for node in nodes where node.hasSlot && node.id != primary.id && node.process != .down {
            ledger.violated("I10", "\(node.name) keeps a slot")
        }
        ledger.checkHolds(primary, when: "at the end")
        if plan.isQuiet, ledger.failovers > 0 { ledger.violated("I12", "a failover without a fault") }
        if policy.hasAgent, isSteady {
            for node in nodes where node.id != primary.id && node.isStandby && node.receiver != nil {
                if node.common(with: primary) < node.log.count {
                    ledger.violated("I3", "\(node.name) is taken for a standby and holds log of a lost branch")
                }
            }
        }
    }

    /// Whether those who can follow are enough for the rule. Two kinds cannot, and are for people: a node whose log somebody
    /// has made leave the primary's, and, without an agent, one that a failover has parted from it.
    private func mayAcknowledge(_ primary: SimulatedNode, _ machine: FailoverMachine) -> Bool {
        let lost = estranged.union(policy.hasAgent ? [] : machine.parted)
        let able = nodes.map(\.id).filter { $0 != primary.id && !lost.contains($0) }
        return rule(of: primary)?.canAcknowledge(with: Set(able)) ?? true
    }
}
