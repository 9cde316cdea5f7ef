import WaldenCore
import WaldenRouting

/// Monitors that look at a simulated cluster, sessions that write and read, and a judge of every routed read.
struct RoutingSimulation {
    /// A rule left out, to show that the judge would notice.
    enum Mutant: CaseIterable {
        /// The moment of a position is that of the answer, not that of the question.
        case datedByTheAnswer
        /// What was received counts as replayed.
        case receivedCounts
        /// A session goes on where it read last although the server was restarted meanwhile.
        case stickyAcrossRestarts
        /// A new connection is trusted by a look that began before it.
        case unvouchedConnections
        /// The session's own writes count for nothing.
        case writesForgotten
        /// Nor does what the cache has shown to it.
        case hitsForgotten
        /// The primary is taken to show all that replicas have shown.
        case primaryTrusted
        /// Standbys are believed to show none of the transactions that run at the primary.
        case commitsDenied
    }

    private struct Session {
        var wroteAt = 0
        var wrote: UInt64 = 0
        /// By the primary.
        var sawAt = 0
        /// The newest state shown to it.
        var seen: UInt64 = 0
        var lastRead: (node: Int, at: Int)?
        /// No replica has been read since the primary was.
        var isSettled = true
        /// By the cache.
        var shown: UInt64 = 0
    }

    private struct Look {
        let node: Int
        let askedAt: Int
        let answeredAt: Int
        let position: UInt64
        let startedAt: Int
        var snapshot: Snapshot?
        var view: StandbyView?
    }

    private static let primaryNode = 3
    private static let maxLag = 20_000

    let mutant: Mutant?
    private var cluster: SimulatedCluster
    private var random: SimulationRandom
    private var positions = NodePositions(
        history: PositionHistory(recent: 64, thinned: 200, thinning: .milliseconds(50)))
    private var router = Router(
        isOn: true, nodes: [0, 1, 1, 1].enumerated().map { RoutableNode(id: NodeID($0.offset), weight: $0.element) })
    private var looks: [Look] = []
    private var nextLook = [0, 0, 0, 0]
    private var lastLook = [0, 0, 0, 0]
    private var askedAt = [0, 0, 0]
    private var sessions = [Session](repeating: Session(), count: 16)
    /// One server connection per standby: since when, and to which run.
    private var links: [(since: Int, run: Int)?] = [nil, nil, nil]
    private(set) var violations: [String] = []
    private(set) var onReplicas = 0
    private(set) var onPrimary = 0
    private(set) var settling = 0

    init(seed: Int, mutant: Mutant? = nil) {
        self.mutant = mutant
        random = SimulationRandom(seed: seed)
        cluster = SimulatedCluster(random: SimulationRandom(seed: seed &+ 1_000))
    }

    private static func instant(_ tick: Int) -> Instant { .distantPast + .microseconds(tick * 100) }

    mutating func run(ticks: Int) {
        for _ in 0..<ticks {
            cluster.advance()
            ask()
            answer()
            // Some sleep through a crash.
            for index in sessions.indices where random.next(index < 8 ? 60 : 1_500) == 0 { act(index) }
        }
    }

    // MARK: Monitors

    private mutating func ask() {
        let now = cluster.now
        for node in 0...3 where now >= nextLook[node] {
            nextLook[node] = now + 300 + Int(random.next(1_000))
            lastLook[node] = now
            if node != Self.primaryNode, now < cluster.standbys[node].downUntil {
                lose(node)
                continue
            }
            // The node looks somewhere between question and answer.
            let there = Int(random.next(30))
            let back = Int(random.next(30))
            pending.append((at: now + there, look: (node, now, now + there + back)))
        }
        for entry in pending where entry.at == now { see(entry.look) }
        pending.removeAll { $0.at <= now }
    }

    private var pending: [(at: Int, look: (node: Int, askedAt: Int, answeredAt: Int))] = []

    private mutating func see(_ look: (node: Int, askedAt: Int, answeredAt: Int)) {
        if look.node == Self.primaryNode {
            looks.append(
                Look(
                    node: look.node, askedAt: look.askedAt, answeredAt: look.answeredAt, position: cluster.end,
                    startedAt: 0, snapshot: cluster.snapshot))
            return
        }
        let standby = cluster.standbys[look.node]
        guard cluster.now >= max(standby.downUntil, standby.frozenUntil), standby.startedAt <= look.askedAt else {
            return
        }
        let position = mutant == .receivedCounts ? standby.received : standby.replayed
        var view = cluster.view(
            replayed: standby.replayed, askedAt: Self.instant(look.askedAt), question: positions.snapshot)
        if mutant == .commitsDenied {
            view = StandbyView(askedAt: view.askedAt, xmax: view.xmax, question: view.question)
        }
        looks.append(
            Look(
                node: look.node, askedAt: look.askedAt, answeredAt: look.answeredAt, position: position,
                startedAt: standby.startedAt, view: view))
    }

    private mutating func answer() {
        let now = cluster.now
        for look in looks where look.answeredAt <= now { take(look) }
        looks.removeAll { $0.answeredAt <= now }
    }

    private mutating func take(_ look: Look) {
        let dated = Self.instant(mutant == .datedByTheAnswer ? look.answeredAt : look.askedAt)
        if look.node == Self.primaryNode {
            positions.primarySampled(
                PrimaryPosition(
                    systemIdentifier: "7", timeline: TimelineID(1), end: LSN(look.position),
                    snapshot: look.snapshot, askedAt: dated))
        } else {
            // The connection is gone, and the answer with it.
            guard cluster.standbys[look.node].startedAt == look.startedAt else { return }
            askedAt[look.node] = look.askedAt
            positions.standbySampled(
                NodeID(look.node + 1),
                NodePosition(
                    systemIdentifier: "7", timeline: TimelineID(1), receivedLSN: nil, replayedLSN: LSN(look.position),
                    view: look.view, startedAt: Int64(look.startedAt), askedAt: dated,
                    answeredAt: Self.instant(look.answeredAt)))
            router.answered(NodeID(look.node + 1), until: Self.instant(look.askedAt + 2_600))
        }
        router.standingsChanged(positions.standings)
    }

    private mutating func lose(_ node: Int) {
        positions.standbyLost(NodeID(node + 1), .unreachable)
        router.lost(NodeID(node + 1))
        router.standingsChanged(positions.standings)
    }

    // MARK: Sessions

    private mutating func act(_ index: Int) {
        // Some only read, and where they are sent.
        switch index < 4 || index >= 12 ? 3 : random.next(30) {
        case 0:
            let commit = cluster.write()
            sessions[index].wrote = commit.end
            // Answered when it is visible: until then the session does nothing.
            sessions[index].wroteAt = max(commit.visibleAt, cluster.now)
        case 1: readOnPrimary(index)
        case 2: hit(index)
        default: if sessions[index].wroteAt <= cluster.now { read(index) }
        }
    }

    /// What only the primary runs: it may lack what replicas have shown.
    private mutating func readOnPrimary(_ index: Int) {
        onPrimary += 1
        sessions[index].seen = max(sessions[index].seen, cluster.visible)
        sessions[index].sawAt = cluster.now
    }

    /// - Parameter isSettled: It is said to lack nothing.
    private mutating func routeToPrimary(_ index: Int, isSettled: Bool) {
        let (shown, seen) = (cluster.visible, state(at: sessions[index].seen))
        if isSettled, shown < seen {
            violations.append("\(cluster.now): the primary shows \(shown), after the session has seen \(seen)")
        }
        sessions[index].seen = shown
        sessions[index].isSettled = true
        readOnPrimary(index)
    }

    /// The cache shows what the primary's readers saw a moment ago, if the session has not seen more.
    private mutating func hit(_ index: Int) {
        let watermark = cluster.visible(at: cluster.now - Int(random.next(20)))
        guard watermark >= sessions[index].seen, watermark >= sessions[index].wrote else { return }
        sessions[index].seen = watermark
        sessions[index].shown = watermark
    }

    private mutating func read(_ index: Int) {
        let session = sessions[index]
        let now = cluster.now
        let wrote = mutant == .writesForgotten ? 0 : session.wroteAt
        var last = session.lastRead.map {
            RouteRequest.LastRead(
                node: NodeID($0.node + 1), endedAt: Self.instant($0.at),
                isSettled: session.isSettled || mutant == .primaryTrusted)
        }
        if mutant == .stickyAcrossRestarts, let known = last {
            let since = router.nodes[known.node.index].standby.availableSince
            last = .init(node: known.node, endedAt: max(known.endedAt, since), isSettled: known.isSettled)
        }
        var request = RouteRequest(
            needs: Self.instant(max(wrote, session.sawAt)), now: Self.instant(now), lastRead: last,
            maxLag: .microseconds(Self.maxLag * 100))
        if mutant != .hitsForgotten { request.shown = LSN(session.shown) }
        request.settling = .milliseconds(100)
        let decision = router.decide(request)
        if case .settle = decision {
            // Again the next time.
            settling += 1
            return lookSoon()
        }
        guard case .replica(let node, _) = decision, connect(to: node.index - 1) else {
            if decision == .primary(.notCovered) { lookSoon() }
            return routeToPrimary(index, isSettled: router.unsettled(request) == nil)
        }
        let standby = node.index - 1
        onReplicas += 1
        judge(session, shown: cluster.standbys[standby].replayed, standby)
        sessions[index].seen = max(session.seen, cluster.standbys[standby].replayed)
        sessions[index].lastRead = (standby, now)
        sessions[index].isSettled = false
    }

    /// Positions between two commits show the same state.
    private func state(at position: UInt64) -> UInt64 { cluster.commits.last { $0.end <= position }?.end ?? 0 }

    /// A newer look may have covered the read.
    private mutating func lookSoon() {
        for node in nextLook.indices {
            nextLook[node] = min(nextLook[node], max(lastLook[node] + 50, cluster.now + 1))
        }
    }

    /// Whether a connection is there that may carry the read.
    private mutating func connect(to standby: Int) -> Bool {
        let now = cluster.now
        let server = cluster.standbys[standby]
        guard now >= server.downUntil else {
            links[standby] = nil
            return false
        }
        if links[standby]?.run != server.startedAt { links[standby] = (now, server.startedAt) }
        return mutant == .unvouchedConnections || askedAt[standby] >= links[standby]?.since ?? .max
    }

    /// What was shown, against what the session wrote, has seen, and the bound on the age.
    private mutating func judge(_ session: Session, shown: UInt64, _ standby: Int) {
        let oldest = cluster.visible(at: cluster.now - Self.maxLag)
        let (state, seen) = (state(at: shown), state(at: session.seen))
        let what = "\(cluster.now): replica \(standby) shows \(state)"
        if state < session.wrote { violations.append("\(what), after the session's write \(session.wrote)") }
        if state < seen { violations.append("\(what), after the session has seen \(seen)") }
        if state < oldest { violations.append("\(what), which is older than the bound, \(oldest)") }
    }
}
