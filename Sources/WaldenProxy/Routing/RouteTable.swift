internal import Synchronization
public import WaldenCore
public import WaldenRouting
public import WaldenSession

/// Where reads may go now, shared by all event loops: the router behind one short lock, the work that each node has, and
/// those who wait for a replica to catch up.
///
/// For one read: `route`; if the answer is `wait`, `wait(for:)` and once more `route`, without patience; `began` when it
/// is sent and `ended` when it is answered or given up. Fed by whoever looks at the nodes (`sampled`, `lost`), whom it
/// tells in turn when to look (`nextLook`, and the call given to `attach`).
public final class RouteTable: Sendable {
    /// What a waiter waits for.
    public enum Event: Hashable, Sendable {
        /// Some replica has applied this.
        case coverage(CoverageDemand)
        /// The primary shows what a replica has shown, or that cannot be found out any more.
        case settled(RouteRequest.LastRead)
        /// The node has answered a question that was sent at or after this moment. A server connection that was opened
        /// since the last look may lead to a server that was restarted meanwhile and is not as far as it was: it may
        /// carry reads only after a look that began later (`isVouchedFor`).
        case look(NodeID, since: Instant)
        /// The primary may be used.
        case serving
    }

    fileprivate struct Waiter {
        let event: Event
        let wake: @Sendable () -> Void
    }

    fileprivate struct State {
        var router: Router
        var pace = SamplingPace()
        var askedAt: [NodeID: Instant] = [:]
        var waiters: [UInt64: Waiter] = [:]
        var waitingForCoverage = 0 {
            didSet { pace.waitersChanged(to: waitingForCoverage) }
        }
        var settling = 0 {
            didSet { pace.settlersChanged(to: settling) }
        }
        var nextWaiter: UInt64 = 0
        var wakeMonitor: (@Sendable (NodeID) -> Void)?
        var figures = RouteFigures()
        /// Sent to each node.
        var reads: [NodeID: UInt64] = [:]
        /// The highest term heard of.
        var term: UInt64 = 0
        var reign = Reign(number: 0)
        /// New work for the primary waits.
        var isHeld = false
    }

    /// More would cost more to wake than they are worth; whoever comes then does not wait.
    private static let maxWaiters = 10_000

    private let state: Mutex<State>
    private let primaryIndex: Atomic<Int>
    private let draining = Atomic(false)
    /// In the order of the configuration.
    public let nodes: [NodeID]
    /// Who is the primary.
    public var primary: NodeID { NodeID(primaryIndex.load(ordering: .acquiring)) }
    /// Whether there is any node but the primary.
    public var hasReplicas: Bool { nodes.count > 1 }
    /// What waits have cost lately, for the decision whether to wait.
    let waits = WaitEstimate()

    /// - Parameters:
    ///   - isOn: False: reads go to the primary, but for clients of the read-only address.
    ///   - weights: By `NodeID.index`, as long as the first one is the primary.
    ///   - primary: Who is it at the start.
    public init(isOn: Bool, weights: [Int], primary: NodeID = .configuredPrimary) {
        let nodes = weights.enumerated().map { RoutableNode(id: NodeID($0.offset), weight: $0.element) }
        self.nodes = nodes.map(\.id)
        primaryIndex = Atomic(primary.index)
        state = Mutex(State(router: Router(isOn: isOn, nodes: nodes, primary: primary)))
    }

    /// - Parameter wakeMonitor: Has the node's monitor ask `nextLook` anew. Called from any thread.
    public func attach(wakeMonitor: @escaping @Sendable (NodeID) -> Void) {
        state.withLock { $0.wakeMonitor = wakeMonitor }
    }

    public func figures(_ now: Instant) -> RouteFigures {
        state.withLock { state in
            var figures = state.figures
            figures.waiting = state.waitingForCoverage
            figures.nodes = state.router.nodes.map { node in
                RouteFigures.Node(
                    reads: state.reads[node.id] ?? 0, outstanding: node.outstanding,
                    obstacle: state.router.obstacle(of: node.id, now))
            }
            return figures
        }
    }

    // MARK: The primary

    /// No new work for the primary from now on, until `serve`.
    public func hold() {
        let due = state.withLock { state in
            state.isHeld = true
            return state.takeDue(.distantPast) { $0.isSettled }
        }
        for waiter in due { waiter.wake() }
    }

    /// Sessions that are bound to the primary end as soon as they can, until `serve`.
    public func drain() {
        draining.store(true, ordering: .releasing)
    }

    public var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Whether new work for the primary waits; `wait(for: .serving)` tells of its end.
    public var isHeld: Bool { state.withLock { $0.isHeld } }

    /// The term of whoever decides. False: a higher one has been heard of, so what it decided is overruled.
    public func raise(_ term: UInt64) -> Bool {
        state.withLock { state in
            guard term >= state.term else { return false }
            state.term = term
            return true
        }
    }

    /// The node is the primary of the term and is used from now on.
    ///
    /// - Parameters:
    ///   - version: The newest of what is known of standbys by the log of another primary.
    ///   - beginning: Of its reign, where that was seen.
    /// - Returns: Who was the primary before; nil when the term is overruled, and nothing has changed.
    public func serve(
        _ node: NodeID, term: UInt64, knownSince version: UInt64, beginning: SwitchPoint? = nil
    ) -> NodeID? {
        let (old, due): (NodeID?, [Waiter]) = state.withLock { state in
            guard term >= state.term, nodes.contains(node) else { return (nil, []) }
            state.term = term
            state.isHeld = false
            draining.store(false, ordering: .releasing)
            let old = state.router.primary
            if old != node {
                state.router.primaryChanged(to: node, knownSince: version)
                state.reign = Reign(number: state.reign.number + 1, beginning: beginning)
                state.askedAt.removeAll()
                primaryIndex.store(node.index, ordering: .releasing)
            }
            return (old, state.takeDue(.distantPast) { $0 == .serving || $0.isSettled })
        }
        for waiter in due { waiter.wake() }
        return old
    }

    /// Whose reign it is, if the node is the primary.
    public func reign(of node: NodeID) -> Reign? {
        state.withLock { $0.router.primary == node ? $0.reign : nil }
    }

    /// `choose`, where nothing is to be known of the node.
    public func route(_ request: RouteRequest) -> RouteDecision {
        choose(request).decision
    }

    /// Decides, and has the nodes looked at sooner when none is fresh enough. What is refused is counted here, all else
    /// when it is `sent`.
    ///
    /// - Returns: Besides the decision, what it rests on where it is a replica.
    public func choose(_ request: RouteRequest) -> (decision: RouteDecision, basis: ReplicaBasis?) {
        let (decision, basis, wake) = state.withLock { state in
            let endsIdleness = state.pace.readRouted(request.now)
            // Until now a node could be silent for long without being noticed.
            if endsIdleness { state.router.answersExpected(by: request.now + state.pace.interval * 2) }
            var request = request
            // Who is about to wait for the next primary need not wait for this one.
            if state.isHeld { request.settling = .zero }
            let decision = state.router.decide(request)
            if case .refused(let reason) = decision { state.figures.refused[reason, default: 0] += 1 }
            if case .primary = decision, state.router.unsettled(request) != nil { state.figures.unsettled += 1 }
            var woken: [NodeID] = endsIdleness ? state.router.nodes.map(\.id) : []
            if decision.isForFreshness, state.router.someReplicaFollows(within: state.pace.interval, request.now),
                state.pace.lookWanted(request.now), !endsIdleness
            {
                woken.append(state.router.primary)
            }
            return (decision, state.basis(of: decision), state.monitors(woken))
        }
        wake?()
        return (decision, basis)
    }

    /// Whether the primary is known to show what the read has shown.
    public func isSettled(_ last: RouteRequest.LastRead) -> Bool {
        state.withLock { $0.router.isSettled(last) }
    }

    /// A read was sent to the node that was chosen for it.
    public func sent(to node: NodeID, _ reason: RouteReason) {
        state.withLock { state in
            state.reads[node, default: 0] += 1
            state.figures.count(reason, isReplica: node != state.router.primary)
        }
    }

    /// A read was sent to the primary without having been offered a choice.
    public func stayed(_ read: UnroutedRead) {
        state.withLock { state in
            state.reads[state.router.primary, default: 0] += 1
            switch read {
            case .unproven(let rule): state.figures.unproven[rule, default: 0] += 1
            case .bound: state.figures.count(.bound, isReplica: false)
            case .rerun: state.figures.count(.rerun, isReplica: false)
            }
        }
    }

    public func began(_ node: NodeID) {
        state.withLock { $0.router.began(node) }
    }

    public func ended(_ node: NodeID) {
        state.withLock { $0.router.ended(node) }
    }

    /// How far the slowest replica is that reads may go to; nil when they may go to none.
    public var slowestReplayed: LSN? { state.withLock { $0.router.slowestReplayed } }

    /// Whether a server connection opened at `connectedAt` may carry reads that this table sends to the node. If not,
    /// `wait(for: .look(node, since: connectedAt))`.
    public func isVouchedFor(_ node: NodeID, connectedAt: Instant) -> Bool {
        state.withLock { $0.askedAt[node].map { $0 >= connectedAt } ?? false }
    }

    // MARK: Waiting

    /// - Parameter wake: Called at most once, from any thread, outside of the lock; perhaps before this returns.
    /// - Returns: For `stopWaiting`; nil when it has happened already or too many wait.
    public func wait(for event: Event, now: Instant, wake: @escaping @Sendable () -> Void) -> UInt64? {
        let (id, monitors): (UInt64?, (@Sendable () -> Void)?) = state.withLock { state in
            guard !state.hasHappened(event, now), state.waiters.count < Self.maxWaiters else { return (nil, nil) }
            state.add(Waiter(event: event, wake: wake))
            var woken: [NodeID] = []
            switch event {
            case .coverage:
                state.figures.waited += 1
                if state.pace.lookWanted(now) { woken.append(state.router.primary) }
            case .settled(let last):
                state.figures.settled += 1
                woken = [state.router.primary, last.node]
            case .look(let node, _):
                state.pace.replicaLookWanted(now)
                woken.append(node)
            case .serving: break
            }
            return (state.nextWaiter, state.monitors(woken))
        }
        monitors?()
        return id
    }

    /// False when it has been woken, or is about to be.
    @discardableResult
    public func stopWaiting(_ id: UInt64) -> Bool {
        state.withLock { $0.remove(id) != nil }
    }

    /// Whether somebody waits for a replica to catch up.
    public var isAwaited: Bool { state.withLock { $0.waitingForCoverage > 0 } }

    // MARK: Looks at the nodes

    /// When the node, last asked at `asked`, is to be asked again.
    public func nextLook(at node: NodeID, after asked: Instant, now: Instant) -> Instant {
        state.withLock { $0.pace.next(after: asked, isPrimary: node == $0.router.primary, now: now) }
    }

    /// The node has answered a question that was sent at `askedAt`, and `standings` says what follows.
    public func sampled(_ node: NodeID, askedAt: Instant, _ standings: Standings, now: Instant) {
        let (due, wake) = state.withLock { state in
            state.askedAt[node] = max(state.askedAt[node] ?? .distantPast, askedAt)
            state.router.answered(node, until: askedAt + state.pace.interval(now) * 2)
            return state.take(standings, primaryAskedAt: node == state.router.primary ? askedAt : nil, now)
        }
        wake?()
        for waiter in due { waiter.wake() }
    }

    /// The primary has told somebody else than its monitor how far its log reaches.
    public func primaryProbed(askedAt: Instant, _ standings: Standings, now: Instant) {
        let (due, wake) = state.withLock { $0.take(standings, primaryAskedAt: askedAt, now) }
        wake?()
        for waiter in due { waiter.wake() }
    }

    /// The node did not answer, or is no replica: nothing goes there until it has answered again.
    public func lost(_ node: NodeID, _ standings: Standings) {
        let due = state.withLock { state in
            state.router.lost(node)
            state.router.standingsChanged(standings)
            return state.takeDue(.distantPast) { $0.isSettled }
        }
        for waiter in due { waiter.wake() }
    }
}

extension RouteTable.Event {
    fileprivate var isSettled: Bool {
        if case .settled = self { true } else { false }
    }
}

/// What a decision for a replica rests on.
public struct ReplicaBasis: Hashable, Sendable {
    /// It had replayed this.
    public let replayed: LSN
    /// And so shows all that had been committed at the primary by this moment.
    public let covering: Instant
    /// When it was asked. Only of a server connection that had been opened by then it is certain that it leads to the
    /// same run of the server.
    public let askedAt: Instant
}

extension RouteTable.State {
    fileprivate func basis(of decision: RouteDecision) -> ReplicaBasis? {
        guard case .replica(let node, _) = decision, let position = router.position(of: node),
            let asked = askedAt[node]
        else { return nil }
        return ReplicaBasis(replayed: position.replayed, covering: position.covering, askedAt: asked)
    }

    /// - Returns: Whom it concerns, and what wakes the monitors, both to be called outside of the lock.
    fileprivate mutating func take(
        _ standings: Standings, primaryAskedAt: Instant?, _ now: Instant
    ) -> (due: [RouteTable.Waiter], wake: (@Sendable () -> Void)?) {
        router.standingsChanged(standings)
        var woken: [NodeID] = []
        if let primaryAskedAt, pace.primarySampled(askedAt: primaryAskedAt, now: now) {
            let primary = router.primary
            woken = router.nodes.map(\.id).filter { $0 != primary }
        }
        return (takeDue(now), monitors(woken))
    }

    fileprivate func hasHappened(_ event: RouteTable.Event, _ now: Instant) -> Bool {
        switch event {
        case .coverage(let demand): router.someReplicaMeets(demand, now)
        case .settled(let last): isHeld || router.isSettled(last) || !router.isTold(of: last)
        case .look(let node, let since): askedAt[node].map { $0 >= since } ?? false
        case .serving: !isHeld
        }
    }

    /// - Parameter kind: Others are not looked at.
    fileprivate mutating func takeDue(
        _ now: Instant, of kind: (RouteTable.Event) -> Bool = { _ in true }
    ) -> [RouteTable.Waiter] {
        if waiters.isEmpty { return [] }
        return waiters.filter { kind($0.value.event) && hasHappened($0.value.event, now) }
            .compactMap { remove($0.key) }
    }

    fileprivate mutating func add(_ waiter: RouteTable.Waiter) {
        nextWaiter += 1
        waiters[nextWaiter] = waiter
        count(waiter, 1)
    }

    fileprivate mutating func remove(_ id: UInt64) -> RouteTable.Waiter? {
        let waiter = waiters.removeValue(forKey: id)
        if let waiter { count(waiter, -1) }
        return waiter
    }

    private mutating func count(_ waiter: RouteTable.Waiter, _ change: Int) {
        switch waiter.event {
        case .coverage: waitingForCoverage += change
        case .settled: settling += change
        case .look, .serving: break
        }
    }

    /// What wakes these monitors, to be called outside of the lock.
    fileprivate func monitors(_ nodes: [NodeID]) -> (@Sendable () -> Void)? {
        guard !nodes.isEmpty, let wakeMonitor else { return nil }
        return { for node in nodes { wakeMonitor(node) } }
    }
}

extension RouteDecision {
    /// No replica was known to be fresh enough; a newer look may change that.
    fileprivate var isForFreshness: Bool {
        switch self {
        case .replica, .wait, .settle: false
        case .primary(let reason), .refused(let reason):
            reason == .notCovered || reason == .overdue || reason == .maxLag
        }
    }
}
