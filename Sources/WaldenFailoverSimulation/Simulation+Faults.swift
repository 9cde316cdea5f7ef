import WaldenCore
import WaldenFailover

/// What goes wrong, and what clients do meanwhile.
extension Simulation {
    mutating func strike(_ fault: Fault) {
        tell("** \(fault)")
        switch fault {
        case .kill(let node): kill(node)
        case .start(let node): start(node)
        case .freeze(let node):
            if nodes[index(of: node)].process == .up { nodes[index(of: node)].process = .frozen }
        case .thaw(let node): thaw(node)
        case .hangAccept(let node, let hangs): nodes[index(of: node)].hangsAccept = hangs
        case .fillConnections(let node, let isFull):
            nodes[index(of: node)].isFull = isFull
            // The sentinel's own session may be among those that gave way.
            if isFull, session == node, dice.happens(50) { breakSession() }
        case .fillDisk(let node, let isFull): nodes[index(of: node)].isDiskFull = isFull
        case .cut(let from, let to): network.cut(from: from, to: to)
        case .killSentinel: killSentinel()
        case .switchover(let node): machine?.observe(.requested(.switchover(to: node)), at: now)
        case .names(let required, let left): setRule(required, without: left)
        case .estrange(let node): estrange(node)
        case .stallJournal(let stalls): stallJournal(stalls)
        case .pauseReplay(let node, let isPaused): nodes[index(of: node)].isReplayPaused = isPaused
        case .healAll: healAll()
        }
    }

    /// On whoever writes and has a rule, or has had one.
    private mutating func setRule(_ required: Int, without left: NodeID?) {
        for at in nodes.indices where nodes[at].isWriting {
            let id = nodes[at].id
            guard !nodes[at].synchronousNames.isEmpty || withoutRule.contains(id) else { continue }
            let others = nodes.filter { $0.id != id && $0.id != left }.map(\.name)
            let isEmpty = required == 0 || required > others.count
            nodes[at].synchronousNames = isEmpty ? "" : "ANY \(required) (\(others.joined(separator: ", ")))"
            if isEmpty { withoutRule.insert(id) } else { withoutRule.remove(id) }
        }
    }

    private mutating func healAll() {
        network.heal()
        stallJournal(false)
        for node in nodes.map(\.id) {
            thaw(node)
            start(node)
            nodes[index(of: node)].hangsAccept = false
            nodes[index(of: node)].isFull = false
            nodes[index(of: node)].isReplayPaused = false
            nodes[index(of: node)].isDiskFull = false
        }
        // A connection that was cut for long is found dead by its ends.
        for at in nodes.indices { nodes[at].receiver = nil }
    }

    private mutating func estrange(_ id: NodeID) {
        let at = index(of: id)
        guard nodes[at].process == .up, nodes[at].isStandby, let upstream = nodes[at].upstream else { return }
        kill(id)
        nodes[at].timeline += 1
        marks += 1
        _ = nodes[at].append(0, mark: marks)
        nodes[at].isStandby = true
        nodes[at].upstream = upstream
        estranged.insert(id)
        start(id)
    }

    private mutating func stallJournal(_ stalls: Bool) {
        isJournalStalled = stalls
        guard !stalls else { return }
        for (record, life) in stalledRecords { agenda.add(.recordWritten(record, life: life), in: .milliseconds(1)) }
        stalledRecords.removeAll()
    }

    /// Writers through the proxy, and now and then one past it.
    mutating func clientWrites() {
        agenda.add(.clientDue, in: dice.milliseconds(20...200))
        writes += 1
        if dice.happens(80) {
            guard proxy.accepts, let primary = proxy.primary else { return }
            send(.write(Write(id: writes, isProxied: true, term: proxy.term)), to: primary)
        } else if let node = nodes.randomElement(using: &dice), node.process == .up, !node.isStandby {
            agenda.add(
                .arrived(.write(Write(id: writes, isProxied: false, term: .first)), at: node.id),
                in: dice.milliseconds(0...2)
            )
        }
    }
}
