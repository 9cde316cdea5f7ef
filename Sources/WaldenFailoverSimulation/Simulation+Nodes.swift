import WaldenCore
import WaldenFailover

/// What servers do.
extension Simulation {
    /// The node that writes on the newest timeline.
    var newest: SimulatedNode? {
        nodes.filter { !$0.isStandby && $0.process != .down }.max { $0.timeline < $1.timeline }
    }

    func rule(of node: SimulatedNode) -> SynchronousRule? {
        let names = Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0.id) })
        return try? StandbyNames.parse(node.synchronousNames)?.rule(among: names)
    }

    // MARK: Messages

    mutating func send(_ message: Message, to node: NodeID) {
        guard network.carries(from: Network.sentinel, to: node) else { return }
        agenda.add(.arrived(message, at: node), in: dice.milliseconds(0...2))
    }

    mutating func arrived(_ message: Message, at id: NodeID) {
        let at = index(of: id)
        switch nodes[at].process {
        case .down: return
        case .frozen: nodes[at].inbox.append(message)
        case .up: take(message, at)
        }
    }

    private mutating func take(_ message: Message, _ at: Int) {
        switch message {
        case .report(let asked, let life):
            let report = nodes[at].report(asked: asked, now: now)
            reply(from: at, .told(.reported(nodes[at].id, report), life: life))
        case .beat(let kind, let life): takeBeat(kind, life, at)
        case .order(let order, let life): carryOut(order, life, at)
        case .write(let write):
            guard !nodes[at].isStandby, !nodes[at].isDiskFull else { return }
            commit(write.id, at, .write(write))
        }
    }

    mutating func reply(from at: Int, _ event: Event, after: Duration = .zero) {
        guard network.carries(from: nodes[at].id, to: Network.sentinel) else { return }
        agenda.add(event, in: after + dice.milliseconds(0...2))
    }

    private mutating func takeBeat(_ kind: HeartbeatKind, _ life: Int, _ at: Int) {
        guard session == nodes[at].id, !nodes[at].isStandby, !nodes[at].isDiskFull else { return }
        switch kind {
        case .local:
            marks += 1
            let end = nodes[at].append(0, mark: marks)
            spread(from: at)
            let position = LSN(UInt64(end) * 100 + 100)
            reply(from: at, .told(.heartbeatAcknowledged(.local, end: position), life: life))
        case .quorum: commit(0, at, .beat(life: life))
        }
    }

    // MARK: Commits

    private mutating func commit(_ write: UInt64, _ at: Int, _ kind: SimulatedNode.Waiter.Kind) {
        marks += 1
        let end = nodes[at].append(write, mark: marks)
        nodes[at].waiters.append(SimulatedNode.Waiter(end: end, kind: kind))
        spread(from: at)
        acknowledge(at)
    }

    private mutating func acknowledge(_ at: Int) {
        let rule = rule(of: nodes[at])
        for waiter in nodes[at].takeAcknowledged(rule) {
            switch waiter.kind {
            case .beat(let life):
                let end = LSN(UInt64(waiter.end) * 100 + 100)
                reply(from: at, .told(.heartbeatAcknowledged(.quorum, end: end), life: life))
            case .write(let write): acknowledge(write, at, rule, end: waiter.end)
            }
        }
    }

    private mutating func acknowledge(_ write: Write, _ at: Int, _ rule: SynchronousRule?, end: Int) {
        // The proxy has given its connection up: what became of the commit is not known (08007).
        if write.isProxied, write.term != proxy.term || proxy.primary != nodes[at].id { return }
        if write.isProxied { lastAcknowledgement = now }
        // Every simulated cluster has a rule, so none may acknowledge what no standby holds, unless somebody wants it so.
        guard let rule else {
            guard !withoutRule.contains(nodes[at].id) else { return }
            return ledger.violated("I1", "\(nodes[at].name) acknowledged \(write.id) without a rule")
        }
        ledger.acknowledged(
            write.id, by: nodes[at], under: rule, known: recordedRules(of: nodes[at].id),
            holders: nodes[at].holders(of: end), newest: newest)
    }

    /// As the journal has them. Of a primary that was replaced those count by which that was proven to lose nothing; what
    /// somebody sets there later binds nobody.
    func recordedRules(of node: NodeID) -> SynchronousRules {
        replacedUnder[node] ?? journal?.rules ?? SynchronousRules(nil)
    }

    // MARK: Replication

    private mutating func spread(from at: Int) {
        for standby in nodes {
            guard let receiver = standby.receiver, receiver.from == nodes[at].id else { continue }
            agenda.add(
                .logArrived(at: standby.id, from: nodes[at].id, connection: receiver.connection),
                in: dice.milliseconds(0...4))
        }
    }

    mutating func logArrived(at id: NodeID, from: NodeID, _ connection: Int) {
        let at = index(of: id)
        let source = nodes[index(of: from)]
        guard nodes[at].process != .down, let receiver = nodes[at].receiver, receiver.connection == connection,
            source.process == .up
        else { return }
        guard nodes[at].process == .up, network.carries(from: from, to: id) else {
            return agenda.add(.logArrived(at: id, from: from, connection: connection), in: .milliseconds(50))
        }
        nodes[at].receiver?.heardAt = now
        guard nodes[at].log.count < source.log.count else { return }
        nodes[at].log += source.log[nodes[at].log.count...]
        nodes[at].timeline = source.timeline
        if !nodes[at].isReplayPaused, dice.happens(70) { nodes[at].replayed = nodes[at].log.count }
        tellFlushed(at, to: from)
    }

    private mutating func tellFlushed(_ at: Int, to node: NodeID) {
        guard network.carries(from: nodes[at].id, to: node) else { return }
        agenda.add(.flushed(nodes[at].log.count, by: nodes[at].id, at: node), in: dice.milliseconds(0...2))
    }

    mutating func flushed(_ end: Int, by standby: NodeID, at id: NodeID) {
        let at = index(of: id)
        switch nodes[at].process {
        case .down: return
        case .frozen: agenda.add(.flushed(end, by: standby, at: id), in: .milliseconds(50))
        case .up:
            // A walsender that is gone tells nothing any more.
            guard nodes[index(of: standby)].receiver?.from == id || dice.happens(50) else { return }
            nodes[at].flushedBy[standby] = max(nodes[at].flushedBy[standby] ?? 0, end)
            acknowledge(at)
        }
    }

    /// Every 50 ms: connections begin and end, and replay goes on.
    mutating func tendReceiver(of id: NodeID) {
        agenda.add(.receiverDue(id), in: .milliseconds(50))
        let at = index(of: id)
        guard nodes[at].process == .up, nodes[at].isStandby else { return }
        if !nodes[at].isReplayPaused { nodes[at].replayed = nodes[at].log.count }
        if let receiver = nodes[at].receiver, receiver.from != nodes[at].upstream { endReceiver(at) }
        if nodes[at].receiver == nil, let upstream = nodes[at].upstream { connect(at, to: upstream) }
    }

    private mutating func connect(_ at: Int, to upstream: NodeID) {
        let source = nodes[index(of: upstream)]
        guard source.process == .up, !source.isStandby, network.carries(between: nodes[at].id, and: upstream),
            source.timeline >= nodes[at].timeline
        else { return }
        let common = nodes[at].common(with: source)
        // What was received and not applied is received anew; what was applied cannot be taken back.
        guard common == nodes[at].log.count else { return }
        nodes[at].connections += 1
        nodes[at].receiver = (upstream, now, nodes[at].connections)
        agenda.add(
            .logArrived(at: nodes[at].id, from: upstream, connection: nodes[at].connections),
            in: dice.milliseconds(1...5))
        tellFlushed(at, to: upstream)
    }

    private mutating func endReceiver(_ at: Int) {
        if let receiver = nodes[at].receiver, network.carries(from: nodes[at].id, to: receiver.from) {
            nodes[index(of: receiver.from)].flushedBy[nodes[at].id] = nil
        }
        nodes[at].receiver = nil
    }

    // MARK: Processes

    mutating func kill(_ id: NodeID) {
        let at = index(of: id)
        guard nodes[at].process != .down else { return }
        nodes[at].process = .down
        nodes[at].run += 1
        nodes[at].receiver = nil
        nodes[at].waiters.removeAll()
        nodes[at].flushedBy.removeAll()
        nodes[at].inbox.removeAll()
        nodes[at].hasSlot = false
        nodes[at].hangsAccept = false
        for other in nodes.indices where nodes[other].receiver?.from == id {
            // A host that is cut off does not hear of it.
            if network.carries(from: id, to: nodes[other].id) { nodes[other].receiver = nil }
        }
        if session == id { breakSession() }
    }

    mutating func start(_ id: NodeID) {
        let at = index(of: id)
        guard nodes[at].process == .down else { return }
        nodes[at].process = .up
        nodes[at].replayed = nodes[at].log.count
    }

    mutating func thaw(_ id: NodeID) {
        let at = index(of: id)
        guard nodes[at].process == .frozen else { return }
        nodes[at].process = .up
        let waiting = nodes[at].inbox
        nodes[at].inbox.removeAll()
        // Each came by a connection of its own; the order in which they are served is anybody's guess.
        for message in waiting.shuffled(using: &dice) { take(message, at) }
    }

    mutating func promoted(_ id: NodeID, run: Int) {
        let at = index(of: id)
        guard nodes[at].process != .down, nodes[at].run == run, nodes[at].isStandby else { return }
        guard nodes[at].process == .up else {
            return agenda.add(.promotionDue(id, run: run), in: .milliseconds(50))
        }
        endReceiver(at)
        nodes[at].isStandby = false
        nodes[at].timeline += 1
        marks += 1
        _ = nodes[at].append(0, mark: marks)
        tell("\(nodes[at].name) is out of recovery on timeline \(nodes[at].timeline)")
        ledger.checkHolds(nodes[at], when: "when it is promoted")
    }
}
