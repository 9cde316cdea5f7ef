public import WaldenCore

/// The account of all links of the process, shared by the event loops: who may open one, and whose place goes to whom.
///
/// A *slot* is the right to have a link open. A loop takes one before it connects and returns it when the channel is
/// closed. What it does with its links in between is its own affair (`LoopPool`), so that lending a link to a client of
/// the same loop touches nothing shared. Three calls keep loops fair to each other:
///
/// - A loop with more waiting clients than links on the way states a *want*. It is met at once or when a slot comes
///   back; the oldest that no limit blocks is met first.
/// - A want that is *pressing* (the loop has no link of the pool, so nothing else can serve its client; or its client
///   has waited for `PoolTimes.handover`), and every want that a limit wider than its pool blocks, raises a signal and
///   asks the loops for an idle link in the blocking scope (`reclaim`).
/// - While a signal is up, a loop asks (`mayKeep`) before it lends a link on or lets it rest. It must give up one that
///   would rest; and one for which a client waits only if the pressing want is older than that client and has waited
///   for `handover`: a place that moves costs a new connection, so it moves for clients long passed over, not for each.
///
/// The caller holds a lock around each call and acts on what is returned after it. Never: reads a clock, knows a channel.
public struct PoolLedger {
    /// What a loop must be told.
    public enum Notice: Hashable, Sendable {
        /// A slot of the pool is the loop's; it opens a link or returns the slot.
        case granted(PoolID, LoopID)
        /// Close an idle link in the scope if `mayKeep` does not object.
        case reclaim(PoolScope, LoopID)
        /// No link is left in what was paused.
        case drained(PauseScope)
    }

    private struct Want {
        let pool: PoolID
        let loop: LoopID
        let since: Instant
        var isPressing: Bool
        /// Where a link is being closed for it.
        var promisedBy: PlaceID?
    }

    private struct PlaceID: Hashable {
        let pool: PoolID
        let loop: LoopID
    }

    public private(set) var limits: PoolLimits
    private let handover: Duration
    /// Whether some want is blocked by a limit wider than its pool.
    public let signal = PoolSignal()
    private let loops: [LoopID]
    private var pools = PoolRegister()
    private var databases: [String: Int] = [:]
    private var users: [String: Int] = [:]
    private var nodes: [NodeID: Int] = [:]
    public private(set) var slots = 0
    /// Oldest first; at most one of each loop and pool.
    private var wants: [Want] = []
    public private(set) var paused: Set<PauseScope> = []

    public init(limits: PoolLimits, handover: Duration = PoolTimes().handover, loopCount: Int) {
        self.limits = limits
        self.handover = handover
        loops = (0..<loopCount).map(LoopID.init)
    }

    // MARK: Pools

    /// The pool of `key`, which the loop uses from now on.
    public mutating func pool(for key: PoolKey, on loop: LoopID) -> (id: PoolID, signal: PoolSignal) {
        pools.join(key, by: loop)
    }

    /// The loop has no link of the pool, no client and nobody waiting, and forgets it.
    public mutating func poolLeft(_ pool: PoolID, by loop: LoopID) -> PoolDeparture { pools.leave(pool, by: loop) }

    public var poolCount: Int { pools.count }

    public func knows(_ key: PoolKey) -> Bool { pools.knows(key) }

    /// In which some loop uses a pool.
    public var usedDatabases: Set<String> { pools.databases }

    public func slots(of pool: PoolID) -> Int { pools[pool]?.slots ?? 0 }

    public func slots(ofDatabase database: String) -> Int { databases[database] ?? 0 }

    public func slots(of pool: PoolID, on loop: LoopID) -> Int { pools[pool]?.slotsOfLoops[loop] ?? 0 }

    public func slots(ofUser user: String) -> Int { users[user] ?? 0 }

    public func slots(on node: NodeID) -> Int { nodes[node] ?? 0 }

    public var wantCount: Int { wants.count }

    /// The limit that keeps the pool from having one more link, the narrowest of several: when a link within it ends,
    /// most of the wider ones have room again, too. Nil when the pool may have one.
    public func obstacle(to pool: PoolID) -> PoolScope? {
        guard let key = pools[pool]?.key else { return nil }
        func isReached(_ limit: Int, _ count: Int) -> Bool { limit > 0 && count >= limit }
        if let pause = pauses(of: key).first { return .paused(pause) }
        if slots(of: pool) >= limits.pool { return .pool(pool) }
        if isReached(limits.user, slots(ofUser: key.user)) { return .user(key.user) }
        if isReached(limits.database, slots(ofDatabase: key.database)) { return .database(key.database) }
        if isReached(limits.node, slots(on: key.node)) { return .node(key.node) }
        return isReached(limits.total, slots) ? .total : nil
    }

    // MARK: Wants and slots

    /// A loop wants one more link, for a client that waits since then. True: it has the slot. False: it will be told;
    /// the notices are to be delivered in any case.
    public mutating func slotWanted(
        _ pool: PoolID, by loop: LoopID, since: Instant, isPressing: Bool
    ) -> (isGranted: Bool, [Notice]) {
        wants.removeAll { $0.pool == pool && $0.loop == loop }
        guard let scope = obstacle(to: pool) else {
            take(pool, loop)
            updateSignals()
            return (true, [])
        }
        let want = Want(pool: pool, loop: loop, since: since, isPressing: isPressing)
        let place = wants.firstIndex { $0.since > since } ?? wants.endIndex
        wants.insert(want, at: place)
        updateSignals()
        return (false, reclaims(for: want, blockedBy: scope))
    }

    /// The loop has nobody waiting any more.
    public mutating func wantWithdrawn(_ pool: PoolID, by loop: LoopID) {
        wants.removeAll { $0.pool == pool && $0.loop == loop }
        updateSignals()
    }

    /// Takes a slot for a pool that has fewer links than it is to keep.
    public mutating func takeForMinimum(_ pool: PoolID, by loop: LoopID) -> Bool {
        guard slots(of: pool) < limits.minimum, obstacle(to: pool) == nil else { return false }
        take(pool, loop)
        return true
    }

    /// Whether a link of the pool may go for having been idle for long.
    public func mayShrink(_ pool: PoolID) -> Bool { slots(of: pool) > limits.minimum }

    /// A link's channel is closed, or a slot was not needed.
    public mutating func slotReturned(_ pool: PoolID, by loop: LoopID) -> [Notice] {
        guard let key = pools[pool]?.key, pools.giveBack(pool, by: loop) else { return [] }
        databases.lower(key.database)
        users.lower(key.user)
        nodes.lower(key.node)
        slots -= 1
        if isShrinking { isShrinking = pools.ids.contains(where: isOverLimit) }
        var notices = grants()
        notices += pauses(of: key).filter(isDrained).map(Notice.drained)
        // Whom this slot was promised to may have lost it to an older want; then another link must make room.
        let place = PlaceID(pool: pool, loop: loop)
        if let index = wants.firstIndex(where: { $0.promisedBy == place }) {
            wants[index].promisedBy = nil
            if let scope = obstacle(to: wants[index].pool) {
                notices += reclaims(for: wants[index], blockedBy: scope)
            }
        }
        updateSignals()
        return notices
    }

    /// Asked while `isWanted`, for a link that nobody uses at this moment.
    ///
    /// - Parameter since: Since when the client waits that would get it; nil when it would rest.
    /// - Returns: False when the loop is to close it, so that its slot can go to another want.
    public mutating func mayKeep(_ pool: PoolID, on loop: LoopID, for since: Instant?, now: Instant) -> Bool {
        guard let key = pools[pool]?.key else { return false }
        if isShrinking, isOverLimit(pool) { return false }
        let index = wants.firstIndex { want in
            guard want.promisedBy == nil, let scope = obstacle(to: want.pool), covers(scope, pool, key) else {
                return false
            }
            // What its own loop has in the pool will serve it anyway.
            if want.pool == pool, want.loop == loop { return false }
            guard let since else { return want.isPressing || !scope.isPool }
            return want.isPressing && want.since < since && now.elapsed(since: want.since) >= handover
        }
        guard let index else { return true }
        wants[index].promisedBy = PlaceID(pool: pool, loop: loop)
        return false
    }

    /// Whether the end of a link of the pool would make room in the scope.
    private func covers(_ scope: PoolScope, _ pool: PoolID, _ key: PoolKey) -> Bool {
        switch scope {
        case .pool(let blocked): blocked == pool
        case .database(let database): database == key.database
        case .user(let user): user == key.user
        case .node(let node): node == key.node
        case .total: true
        case .paused: false
        }
    }

    /// As `covers`, for the loop that looks for an idle link to close.
    public func isCovered(_ pool: PoolID, by scope: PoolScope) -> Bool {
        pools[pool].map { covers(scope, pool, $0.key) } ?? false
    }

    private mutating func take(_ pool: PoolID, _ loop: LoopID) {
        guard let key = pools[pool]?.key else { return }
        pools.take(pool, by: loop)
        databases[key.database, default: 0] += 1
        users[key.user, default: 0] += 1
        nodes[key.node, default: 0] += 1
        slots += 1
    }

    /// Meets every want that no limit blocks, oldest first.
    private mutating func grants() -> [Notice] {
        var notices: [Notice] = []
        var index = 0
        while index < wants.count {
            let want = wants[index]
            if obstacle(to: want.pool) == nil {
                wants.remove(at: index)
                take(want.pool, want.loop)
                notices.append(.granted(want.pool, want.loop))
            } else {
                index += 1
            }
        }
        return notices
    }

    private func reclaims(for want: Want, blockedBy scope: PoolScope) -> [Notice] {
        switch scope {
        case .paused: []
        case .pool:
            want.isPressing
                ? loops.filter { $0 != want.loop && slots(of: want.pool, on: $0) > 0 }.map { .reclaim(scope, $0) } : []
        case .database, .user, .node, .total: loops.map { .reclaim(scope, $0) }
        }
    }

    private mutating func updateSignals() {
        var isWantedWidely = false
        var wanted: Set<PoolID> = []
        for want in wants {
            switch obstacle(to: want.pool) {
            case .pool(let pool): if want.isPressing { wanted.insert(pool) }
            case .paused, nil: break
            default: isWantedWidely = true
            }
        }
        signal.set(isWantedWidely || isShrinking)
        for pool in signalled.subtracting(wanted) { pools[pool]?.signal.set(false) }
        for pool in wanted { pools[pool]?.signal.set(true) }
        signalled = wanted
    }

    private var signalled: Set<PoolID> = []

    // MARK: Limits

    /// From now on other limits hold. While there are more links than they allow, `signal` is up and `mayKeep` is false
    /// for each link that comes to rest or back from its client.
    public mutating func adopt(_ limits: PoolLimits) -> [Notice] {
        self.limits = limits
        isShrinking = pools.ids.contains(where: isOverLimit)
        let notices = grants()
        updateSignals()
        return notices
    }

    private func isOverLimit(_ pool: PoolID) -> Bool {
        guard let known = pools[pool] else { return false }
        func isOver(_ limit: Int, _ count: Int) -> Bool { limit > 0 && count > limit }
        return known.slots > 0
            && (isOver(limits.pool, known.slots) || isOver(limits.user, slots(ofUser: known.key.user))
                || isOver(limits.database, slots(ofDatabase: known.key.database))
                || isOver(limits.node, slots(on: known.key.node)) || isOver(limits.total, slots))
    }

    /// There are more links than the limits allow, since they were lowered.
    private var isShrinking = false

    // MARK: Pause

    /// No link is opened in the scope, and loops close those they have as soon as nobody uses them.
    ///
    /// - Returns: whether there is none any more.
    public mutating func pause(_ scope: PauseScope) -> Bool {
        paused.insert(scope)
        updateSignals()
        return isDrained(scope)
    }

    /// What keeps pools of `key` from having links.
    public func pauses(of key: PoolKey) -> Set<PauseScope> {
        paused.isEmpty ? [] : paused.intersection([.database(key.database), .node(key.node)])
    }

    private func isDrained(_ scope: PauseScope) -> Bool {
        switch scope {
        case .database(let database): slots(ofDatabase: database) == 0
        case .node(let node): slots(on: node) == 0
        }
    }

    public mutating func resume(_ scope: PauseScope) -> [Notice] {
        paused.remove(scope)
        let notices = grants()
        updateSignals()
        return notices
    }
}

extension Dictionary where Value == Int {
    fileprivate mutating func lower(_ key: Key) {
        guard let count = self[key] else { return }
        self[key] = count > 1 ? count - 1 : nil
    }
}
