import Synchronization
import WaldenAdmin
import WaldenCore
import WaldenPostgres
import WaldenProxy
import WaldenRouting

/// What the node monitors saw: the primary's state for readiness, how far each standby is behind and was, and for the
/// route table what reads each of them may serve.
final class NodeBoard: Sendable {
    fileprivate struct State {
        var samples: [NodeID: NodeSample] = [:]
        var primary: NodeID
        var slots: [SlotFacts] = []
        var positions = NodePositions()
        var histories: [NodeID: LagHistory] = [:]
        var listeners: Listeners?
    }

    /// Who is told of what follows from the looks; called from the monitors' threads.
    struct Listeners: Sendable {
        /// How far the slowest replica is that reads may go to; nil when they may go to none.
        let replayed: @Sendable (LSN?) -> Void
        /// A replica cannot serve any more, and why.
        let lost: @Sendable (NodeID, String) -> Void
    }

    private let state: Mutex<State>
    /// What people call the nodes, by `NodeID.index`.
    private let names: [String]
    let routes: RouteTable

    init(names: [String], routes: RouteTable) {
        self.names = names
        self.routes = routes
        state = Mutex(State(primary: routes.primary))
    }

    private var nodes: [NodeID] { names.indices.map(NodeID.init) }

    /// The parts that listen exist later than this.
    func attach(
        replayed: @escaping @Sendable (LSN?) -> Void, lost: @escaping @Sendable (NodeID, String) -> Void
    ) {
        state.withLock { $0.listeners = Listeners(replayed: replayed, lost: lost) }
    }

    /// The node is the primary from now on.
    ///
    /// - Returns: The newest version of what was known by the log of the old one (`RouteTable.serve`).
    func primaryChanged(to node: NodeID) -> UInt64 {
        state.withLock { state in
            state.primary = node
            state.slots = []
            return state.positions.primaryChanged()
        }
    }

    /// A look at the primary's log besides those of its monitor.
    func primaryProbed(_ probe: Probe, of system: SystemIdentity) {
        let standings = state.withLock { state in
            state.positions.primarySampled(
                PrimaryPosition(
                    systemIdentifier: system.systemIdentifier, timeline: system.timeline, end: probe.insertLSN,
                    snapshot: probe.snapshot, askedAt: probe.startedAt))
            return state.positions.standings
        }
        routes.primaryProbed(askedAt: probe.startedAt, standings, now: MonotonicClock.now())
    }

    /// Why the primary cannot be used; nil when it answered the last time.
    var primaryProblem: String? {
        switch state.withLock({ $0.samples[$0.primary]?.answer }) {
        case .facts(let facts): facts.isInRecovery ? "the node named as primary is a standby" : nil
        case .unreachable(let error): "\(error)"
        case nil: "the primary has not been reached yet"
        }
    }
}

// MARK: - Looks

extension NodeBoard: NodeMonitorDelegate {
    func sampled(_ sample: NodeSample) {
        let (standings, isUsed, wasUsed, isPrimary, listeners) = state.withLock { state in
            let wasUsed = state.positions.standing(of: sample.node).isCovered
            let isUsed = state.note(sample)
            return (state.positions.standings, isUsed, wasUsed, sample.node == state.primary, state.listeners)
        }
        if isUsed {
            routes.sampled(sample.node, askedAt: sample.askedAt, standings, now: sample.answeredAt)
        } else {
            routes.lost(sample.node, standings)
        }
        if !isPrimary {
            listeners?.replayed(routes.slowestReplayed)
            if wasUsed, !isUsed { listeners?.lost(sample.node, sample.problem) }
        }
    }

    func nextLook(at node: NodeID, after asked: Instant) -> Instant {
        routes.nextLook(at: node, after: asked, now: MonotonicClock.now())
    }

    func question(to node: NodeID) -> Snapshot? {
        state.withLock { $0.primary == node ? nil : $0.positions.snapshot }
    }

    var isReplayAwaited: Bool { routes.isAwaited }
}

extension NodeStanding {
    fileprivate var isCovered: Bool {
        if case .covered = self { true } else { false }
    }
}

extension NodeSample {
    fileprivate var problem: String {
        switch answer {
        case .unreachable(let error): "\(error)"
        case .facts: "It is no standby any more."
        }
    }
}

extension NodeBoard.State {
    /// - Returns: Whether the node answered as what it is configured for.
    fileprivate mutating func note(_ sample: NodeSample) -> Bool {
        samples[sample.node] = sample
        if let slots = sample.slots, sample.node == primary { self.slots = slots }
        let isUsed = sample.node == primary ? notePrimary(sample) : noteStandby(sample)
        if sample.node != primary {
            histories[sample.node, default: LagHistory()].record(
                isUsed ? positions.lag(of: sample.node) : nil, at: sample.answeredAt)
        }
        return isUsed
    }

    private mutating func notePrimary(_ sample: NodeSample) -> Bool {
        guard case .facts(let facts) = sample.answer, let end = facts.insertLSN else { return false }
        positions.primarySampled(
            PrimaryPosition(
                systemIdentifier: facts.system.systemIdentifier, timeline: facts.system.timeline, end: end,
                snapshot: facts.snapshot, askedAt: sample.askedAt))
        return true
    }

    private mutating func noteStandby(_ sample: NodeSample) -> Bool {
        switch sample.answer {
        case .unreachable:
            positions.standbyLost(sample.node, .unreachable)
            return false
        case .facts(let facts) where !facts.isInRecovery:
            positions.standbyLost(sample.node, .notAStandby)
            return false
        case .facts(let facts):
            positions.standbySampled(
                sample.node,
                NodePosition(
                    systemIdentifier: facts.system.systemIdentifier, timeline: facts.system.timeline,
                    receivedLSN: facts.receivedLSN, replayedLSN: facts.replayedLSN,
                    isReplayPaused: facts.isReplayPaused, view: StandbyView(facts, sample),
                    startedAt: facts.startedAt, askedAt: sample.askedAt, answeredAt: sample.answeredAt))
            return true
        }
    }
}

extension StandbyView {
    fileprivate init?(_ facts: NodeFacts, _ sample: NodeSample) {
        guard let transactions = facts.transactions else { return nil }
        self.init(
            askedAt: sample.askedAt, xmax: transactions.xmax, question: sample.question,
            committed: transactions.committed)
    }
}

// MARK: - Reports

extension NodeBoard {
    var reports: [NodeReport] {
        let now = MonotonicClock.now()
        let figures = routes.figures(now).nodes
        return state.withLock { state in
            nodes.map { node in
                var report = NodeReport()
                report.name = names[node.index]
                if figures.indices.contains(node.index) { report.take(figures[node.index]) }
                switch state.samples[node]?.answer {
                case .facts(let facts): report.take(facts)
                case .unreachable(let error): report.problem = "\(error)"
                case nil: break
                }
                if node != state.primary { report.take(state.positions, node, now) }
                if let peak = state.histories[node]?.peak(since: now - .seconds(600)) {
                    report.peakLagBytes = peak.bytes
                    report.peakLagSeconds = peak.age.fractionalSeconds
                }
                return report
            }
        }
    }

    /// The replication slots of the primary.
    var slots: [SlotReport] {
        state.withLock { $0.slots }.map { slot in
            var report = SlotReport()
            report.name = slot.name
            report.isLogical = slot.isLogical
            report.isActive = slot.isActive
            report.retainedBytes = slot.retainedBytes
            report.state = slot.state
            return report
        }
    }

    /// How far each standby was behind over the last ten minutes, oldest first.
    var lagHistories: [(node: String, points: [LagPointReport])] {
        let now = MonotonicClock.now()
        return state.withLock { state in
            nodes.filter { $0 != state.primary }.map { node in
                let points = (state.histories[node]?.points ?? []).map { LagPointReport($0, now: now) }
                return (names[node.index], points)
            }
        }
    }
}

extension LagPointReport {
    init(_ point: LagHistory.Point, now: Instant) {
        self.init()
        secondsAgo = now.elapsed(since: point.at).fractionalSeconds
        lagBytes = point.lag?.replayBytes
        lagSeconds = point.lag?.age.duration.fractionalSeconds
    }
}

extension NodeReport {
    fileprivate mutating func take(_ figures: RouteFigures.Node) {
        reads = figures.reads
        outstanding = figures.outstanding
        obstacle = figures.obstacle?.rawValue
    }

    fileprivate mutating func take(_ facts: NodeFacts) {
        reachable = true
        role = facts.isInRecovery ? "replica" : "primary"
        receivedLSN = (facts.receivedLSN ?? facts.insertLSN).map { "\($0)" }
        flushedLSN = facts.flushedLSN.map { "\($0)" }
        replayedLSN = (facts.replayedLSN ?? facts.insertLSN).map { "\($0)" }
        timeline = facts.system.timeline.rawValue
        receiver = facts.receiverStatus
        slot = facts.receiverSlot
        if facts.isReplayPaused { problem = "replay is paused" }
    }

    fileprivate mutating func take(_ positions: NodePositions, _ node: NodeID, _ now: Instant) {
        if case .covered(let covered) = positions.standing(of: node) {
            coveredSeconds = now.elapsed(since: covered).fractionalSeconds
        }
        guard reachable, let lag = positions.lag(of: node) else { return }
        lagBytes = lag.replayBytes
        lagSeconds = lag.age.duration.fractionalSeconds
    }
}
