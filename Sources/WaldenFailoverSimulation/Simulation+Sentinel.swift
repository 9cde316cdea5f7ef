import WaldenCore
import WaldenFailover

/// The sentinel's surroundings: its probes, its disk, its hands.
extension Simulation {
    mutating func startSentinel() {
        guard machine == nil else { return }
        let names = Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0.id) })
        machine = FailoverMachine(
            names: names, policy: policy, timings: timings, resuming: journal, lastFailoverAt: failedOverAt,
            unwatchedFor: diedAt.map { now.elapsed(since: $0) }, now: now)
        proxy = SimulatedProxy(resuming: journal)
        tell("the sentinel starts in \(machine?.state.rawValue ?? "")")
        agenda.add(.probesDue(life: life), in: .zero)
        agenda.add(.heartbeatDue(.local, life: life), in: .milliseconds(20))
        agenda.add(.heartbeatDue(.quorum, life: life), in: .milliseconds(30))
        agenda.add(.tickDue(life: life), in: .milliseconds(50))
    }

    mutating func killSentinel() {
        guard machine != nil else { return }
        machine = nil
        session = nil
        life += 1
        diedAt = now
        for at in nodes.indices where nodes[at].process != .down { nodes[at].hasSlot = false }
        agenda.add(.sentinelStarts, in: dice.milliseconds(100...3_000))
    }

    // MARK: Looking

    mutating func probe() {
        guard let machine else { return }
        agenda.add(.probesDue(life: life), in: machine.isUrgent ? .milliseconds(100) : timings.heartbeat)
        for node in nodes {
            send(.report(asked: now, life: life), to: node.id)
            let contact = contact(with: node)
            let delay = contact == .silent ? Duration.milliseconds(300) : dice.milliseconds(0...3)
            agenda.add(.told(.contacted(node.id, contact), life: life), in: delay)
        }
        openSession(to: machine.evidence.primary)
    }

    private func contact(with node: SimulatedNode) -> Contact {
        guard network.carries(between: node.id, and: Network.sentinel) else { return .silent }
        switch node.process {
        case .down: return .refused
        case .frozen: return .silent
        case .up:
            if node.hangsAccept { return .silent }
            return node.isFull ? .full(replication: true) : .answered
        }
    }

    private mutating func openSession(to primary: NodeID) {
        if let session, session != primary { breakSession() }
        guard session == nil, contact(with: nodes[index(of: primary)]) == .answered,
            !nodes[index(of: primary)].isStandby
        else { return }
        session = primary
        machine?.observe(.sessionAnswered, at: now)
    }

    mutating func breakSession() {
        session = nil
        agenda.add(.told(.sessionBroke, life: life), in: .milliseconds(1))
    }

    mutating func beat(_ kind: HeartbeatKind) {
        guard machine != nil else { return }
        agenda.add(.heartbeatDue(kind, life: life), in: timings.heartbeat)
        guard let session else { return }
        machine?.observe(.heartbeatBegun(kind), at: now)
        send(.beat(kind, life: life), to: session)
    }

    // MARK: Deciding

    mutating func tick() {
        agenda.add(.tickDue(life: life), in: .milliseconds(50))
        guard let actions = machine?.tick(at: now) else { return }
        perform(actions)
    }

    mutating func answered(_ id: UInt64, _ outcome: StepOutcome) {
        guard let actions = machine?.answered(id, outcome, at: now) else { return }
        perform(actions)
    }

    mutating func written(_ record: JournalRecord, life: Int) {
        recordsUnderWay -= 1
        guard life == self.life else {
            // It died while the record was on its way to the disk. The journal's lock keeps the next one waiting till then.
            if machine == nil, dice.happens(50), record.sequence > journal?.sequence ?? 0 { isOnDisk(record) }
            return
        }
        isOnDisk(record)
        guard let actions = machine?.recorded(record.sequence, at: now) else { return }
        perform(actions)
    }

    private mutating func isOnDisk(_ record: JournalRecord) {
        journal = record
        if record.state == .promote, let incident = record.incident { replacedUnder[incident.old] = incident.rules }
        if record.state != .promote { replacedUnder[record.primary] = nil }
        ledger.journalKnows(recordedRules(of: record.primary), of: record.primary)
    }

    private mutating func perform(_ actions: [FailoverAction]) {
        for action in actions {
            switch action {
            case .record(let record):
                recordsUnderWay += 1
                guard !isJournalStalled else {
                    stalledRecords.append((record, life))
                    continue
                }
                agenda.add(.recordWritten(record, life: life), in: dice.milliseconds(1...6))
            case .note(let note): noted(note)
            case .perform(let order): take(order)
            }
        }
    }

    private mutating func noted(_ note: FailoverNote) {
        tell("row \(note.row): \(note.from.rawValue) -> \(note.to.rawValue), \(note.finding.rawValue): \(note.reason)")
        if note.from != .hold, note.to == .hold { ledger.noteIncident(isSwitchover: note.row == 210) }
        if note.from == .promote { failedOverAt = now }
    }

    // MARK: Doing

    private mutating func take(_ order: Order) {
        tell("  order \(order.step)")
        if journal?.state != machine?.state, machine?.state.isJournalled ?? false {
            ledger.violated("I11", "\(order.step) is ordered before the journal says \(machine?.state.rawValue ?? "")")
        }
        switch order.step {
        case .hold: local(order) { $0.hold(at: $1) }
        case .raiseTerm: local(order) { proxy, _ in proxy.raise(to: order.term) }
        case .closeConnections, .drain: local(order) { _, _ in }
        case .beginEpoch: local(order) { proxy, _ in proxy.beginEpoch(in: order.term) }
        case .release: release(order)
        case .fenceHook:
            let outcome: StepOutcome = dice.happens(70) ? .done : dice.happens(50) ? .refused("no") : .failed("exit 1")
            if dice.happens(90) {
                agenda.add(.answered(id: order.id, outcome, life: life), in: dice.milliseconds(10...500))
            }
        case .sever(let node), .follow(let node), .checkpoint(let node), .setSynchronousNames(let node),
            .promote(let node), .createSlot(let node):
            if case .promote = order.step { judgePromotion(order) }
            send(.order(order, life: life), to: node)
            failIfUnreachable(order, node)
        case .rejoin(let node): rejoin(order, node)
        }
    }

    private mutating func local(_ order: Order, _ change: (inout SimulatedProxy, Instant) -> Void) {
        change(&proxy, now)
        agenda.add(.answered(id: order.id, .done, life: life), in: dice.milliseconds(0...3))
    }

    private mutating func release(_ order: Order) {
        if machine?.state == .open, !proxy.epochs.contains(order.term) {
            ledger.violated("I3", "traffic before the cache's new epoch in term \(order.term)")
        }
        let serves = proxy.primary != order.primary
        proxy.release(to: order.primary, in: order.term)
        if serves {
            ledger.serves(order.primary, in: order.term)
            if machine?.state == .open { ledger.checkHolds(nodes[index(of: order.primary)], when: "when it is opened") }
        }
        agenda.add(.answered(id: order.id, .done, life: life), in: dice.milliseconds(0...3))
    }

    private mutating func failIfUnreachable(_ order: Order, _ node: NodeID) {
        switch contact(with: nodes[index(of: node)]) {
        case .refused: agenda.add(.answered(id: order.id, .failed("refused"), life: life), in: .milliseconds(2))
        case .answered, .silent, .full, .starting, .denied: break
        }
    }

    /// I7: what the sentinel believes of the severed is looked up in the world itself.
    private mutating func judgePromotion(_ order: Order) {
        guard let incident = machine?.incident, let rule = incident.rules.current else { return }
        let severed = nodes.filter { $0.id != incident.old && ($0.upstream != incident.old || !$0.isStandby) }
            .filter { $0.receiver?.from != incident.old }
        guard !rule.isProven(bySevered: Set(severed.map(\.id))) else { return }
        ledger.violated("I7", "promotion is ordered with \(severed.map(\.name)) severed of \(rule)")
    }

    mutating func carryOut(_ order: Order, _ life: Int, _ at: Int) {
        let id = nodes[at].id
        switch order.step {
        case .sever: nodes[at].upstream = nil
        case .follow: nodes[at].upstream = order.primary
        case .checkpoint: nodes[at].checkpointTimeline = nodes[at].timeline
        case .setSynchronousNames:
            nodes[at].synchronousNames = text(order.rule)
            withoutRule.remove(id)
        case .promote:
            if nodes[at].isStandby {
                agenda.add(.promotionDue(id, run: nodes[at].run), in: dice.milliseconds(20...70))
            }
        case .createSlot:
            // It is temporary: the connection of the one before is closed.
            for other in nodes.indices { nodes[other].hasSlot = other == at }
        case .hold, .drain, .raiseTerm, .closeConnections, .fenceHook, .beginEpoch, .release, .rejoin: return
        }
        // Now and then an answer is lost with its connection, which is noticed sooner or later.
        if dice.happens(3) {
            let noticed = dice.milliseconds(10...3_000)
            return agenda.add(.answered(id: order.id, .failed("connection lost"), life: life), in: noticed)
        }
        reply(from: at, .answered(id: order.id, .done, life: life), after: dice.milliseconds(0...5))
    }

    func text(_ rule: SynchronousRule?) -> String {
        guard let rule else { return "" }
        return
            "ANY \(rule.required) (\(rule.members.sorted().map { nodes[index(of: $0)].name }.joined(separator: ", ")))"
    }

    /// The agent: stop, rewind, start as a standby.
    private mutating func rejoin(_ order: Order, _ id: NodeID) {
        let at = index(of: id)
        let source = nodes[index(of: order.primary)]
        guard network.carries(between: id, and: Network.sentinel), network.carries(between: id, and: source.id),
            source.process == .up, nodes[at].process != .frozen
        else { return agenda.add(.answered(id: order.id, .failed("no agent"), life: life), in: .milliseconds(500)) }
        kill(id)
        // A rewind believes the source's control file.
        if source.checkpointTimeline == source.timeline {
            nodes[at].log.removeLast(nodes[at].log.count - nodes[at].common(with: source))
        }
        nodes[at].isStandby = true
        nodes[at].timeline = source.timeline
        nodes[at].upstream = order.primary
        if nodes[at].common(with: source) < nodes[at].log.count {
            ledger.violated("I3", "\(nodes[at].name) was rejoined with log of a lost branch")
        }
        start(id)
        tell("\(nodes[at].name) is rejoined")
        agenda.add(.answered(id: order.id, .done, life: life), in: dice.milliseconds(200...2_000))
    }
}
