import Testing
import WaldenCore
import WaldenPool

/// Loops, clients and servers in one thread: what `LoopPools` does, without channels. Each step is drawn by a seed.
///
/// Held to: never over a limit; a slot for each link and no other; no link of two clients; every client ends, and none
/// waits while links it could have rest. One client in eight is fresh: links that others have had do not suit it.
private struct PoolSimulation {
    private struct Place: Hashable {
        let loop: Int
        let pool: Int
    }

    let limits: PoolLimits
    private let loopCount = 3
    private let poolCount = 3
    private var generator: SplitMix64
    private var ledger: PoolLedger
    private var signals: [PoolSignal] = []
    private var pools: [Place: LoopPool] = [:]
    /// What the ledger knows of each place's need.
    private var stated: [Place: LoopPool.Demand] = [:]
    private var now: UInt64 = 1
    private var nextLink: UInt64 = 0
    private var nextWaiter: UInt64 = 0
    private var places: [LinkID: Place] = [:]
    private var lent: [LinkID: WaiterID] = [:]
    /// Links that others than fresh clients have had.
    private var used: Set<LinkID> = []
    /// Where clients wait, of those that any link suits.
    private var waiting: [WaiterID: Place] = [:]
    private var opening: [Place] = []
    private var closing: [LinkID] = []
    private var notices: [PoolLedger.Notice] = []
    private(set) var served: Set<WaiterID> = []
    private(set) var arrived: Set<WaiterID> = []
    private(set) var gone: Set<WaiterID> = []

    init(seed: UInt64, limits: PoolLimits) {
        generator = SplitMix64(seed: seed)
        self.limits = limits
        ledger = PoolLedger(limits: limits, loopCount: loopCount)
        for pool in 0..<poolCount {
            signals.append(ledger.pool(for: .of("user\(pool % 2)", "db\(pool)"), on: first).signal)
            for loop in 0..<loopCount {
                pools[Place(loop: loop, pool: pool)] = LoopPool(times: PoolTimes(wait: .zero, check: .seconds(9)))
            }
        }
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step(brings: true) }
        for _ in 0..<200_000 where !isSettled { step(brings: false) }
        #expect(isSettled, "clients wait although nothing happens any more")
        #expect(served.union(gone) == arrived)
    }

    private var isSettled: Bool { served.count + gone.count == arrived.count && lent.isEmpty && notices.isEmpty }

    private mutating func step(brings: Bool) {
        now += UInt64.random(in: 0...20, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0...2: if brings { arrive() }
        case 3...4: finishOne()
        case 5: openOne()
        case 6: closeOne()
        case 7...8: deliverOne()
        default: tick(brings)
        }
        check()
    }

    private mutating func check() {
        let total = pools.values.map(\.linkCount).reduce(0, +)
        // A slot that was granted and not heard of yet has no link.
        let granted = notices.count { if case .granted = $0 { true } else { false } }
        #expect(ledger.slots == total + granted)
        #expect(limits.total == 0 || ledger.slots <= limits.total)
        for pool in 0..<poolCount {
            #expect(ledger.slots(of: PoolID(pool)) <= limits.pool)
            #expect(limits.database == 0 || ledger.slots(ofDatabase: "db\(pool)") <= limits.database)
            #expect(limits.user == 0 || ledger.slots(ofUser: "user\(pool % 2)") <= limits.user)
        }
        for (waiter, place) in waiting where !served.contains(waiter) && !gone.contains(waiter) {
            #expect(pools[place]?.idleCount == 0, "a client waits beside a link that rests on loop \(place.loop)")
        }
        waiting = waiting.filter { !served.contains($0.key) && !gone.contains($0.key) }
    }

    private static func isFresh(_ waiter: WaiterID) -> Bool { waiter.rawValue % 8 == 0 }

    // MARK: What happens

    private mutating func arrive() {
        let place = Place(
            loop: Int.random(in: 0..<loopCount, using: &generator),
            pool: Int.random(in: 0..<poolCount, using: &generator))
        nextWaiter += 1
        let waiter = WaiterID(nextWaiter)
        arrived.insert(waiter)
        if !Self.isFresh(waiter) { waiting[waiter] = place }
        let used = used
        let arrival = pools[place]?.clientArrived(waiter, now: .ms(now)) {
            !Self.isFresh(waiter) || !used.contains($0)
        }
        switch arrival {
        case .lend(let link): lend(link, to: waiter)
        case .test(let link): ready(link, place)
        case .replace(let link): closing.append(link)
        case .wait: state(place)
        case .refuse: gone.insert(waiter)
        case nil: break
        }
    }

    private mutating func lend(_ link: LinkID, to waiter: WaiterID) {
        #expect(lent[link] == nil)
        lent[link] = waiter
        #expect(!Self.isFresh(waiter) || !used.contains(link))
        if !Self.isFresh(waiter) { used.insert(link) }
        let isFirst = served.insert(waiter).inserted
        #expect(isFirst)
    }

    private mutating func finishOne() {
        guard let link = lent.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &generator),
            let place = places[link]
        else { return }
        lent[link] = nil
        pools[place]?.linkReturned()
        if Int.random(in: 0..<8, using: &generator) == 0 { closing.append(link) } else { ready(link, place) }
    }

    private mutating func ready(_ link: LinkID, _ place: Place) {
        if signals[place.pool].isWanted || ledger.signal.isWanted,
            !ledger.mayKeep(
                PoolID(place.pool), on: LoopID(place.loop), for: pools[place]?.oldestWait, now: .ms(now))
        {
            return closing.append(link)
        }
        let isUsed = used.contains(link)
        let readiness = pools[place]?.linkReady(link, expires: .distantFuture, now: .ms(now)) {
            !isUsed || !Self.isFresh($0)
        }
        switch readiness {
        case .lend(let link, let waiter): lend(link, to: waiter)
        case .close: closing.append(link)
        case .rest, nil: break
        }
    }

    private mutating func openOne() {
        guard let index = opening.indices.randomElement(using: &generator) else { return }
        let place = opening.remove(at: index)
        if Int.random(in: 0..<10, using: &generator) == 0 {
            for waiter in pools[place]?.openFailed(.refusal, now: .ms(now)) ?? [] { gone.insert(waiter) }
            returnSlot(place)
        } else {
            nextLink += 1
            places[LinkID(nextLink)] = place
            pools[place]?.linkOpened()
            ready(LinkID(nextLink), place)
        }
    }

    private mutating func closeOne() {
        guard let index = closing.indices.randomElement(using: &generator) else { return }
        let link = closing.remove(at: index)
        guard let place = places.removeValue(forKey: link) else { return }
        pools[place]?.preparingLinkClosed()
        returnSlot(place)
    }

    private mutating func returnSlot(_ place: Place) {
        notices += ledger.slotReturned(PoolID(place.pool), by: LoopID(place.loop))
        state(place)
    }

    /// The notices of one loop come in their order; which loop comes first is open.
    private mutating func deliverOne() {
        guard !notices.isEmpty else { return }
        switch notices.removeFirst() {
        case .granted(let pool, let loop):
            let place = Place(loop: loop.index, pool: pool.index)
            stated[place] = nil
            granted(place)
            state(place)
        case .reclaim(let scope, let loop):
            let candidates = (0..<poolCount).map { Place(loop: loop.index, pool: $0) }
                .filter { ledger.isCovered(PoolID($0.pool), by: scope) && (pools[$0]?.idleCount ?? 0) > 0 }
            guard let place = candidates.randomElement(using: &generator),
                !ledger.mayKeep(PoolID(place.pool), on: loop, for: nil, now: .ms(now)),
                let link = pools[place]?.takeOldestIdle()
            else { return }
            closing.append(link)
        case .drained: break
        }
    }

    private mutating func granted(_ place: Place) {
        if pools[place]?.slotGranted(now: .ms(now)) ?? false { opening.append(place) } else { returnSlot(place) }
    }

    /// As `LoopPools.stateNeed`: a need that is known is not stated again.
    private mutating func state(_ place: Place) {
        while let demand = pools[place]?.demand(now: .ms(now)) {
            let since: Instant
            let isPressing: Bool
            switch (demand, stated[place] ?? .none) {
            case (.none, .none), (.ordinary, .ordinary), (.pressing, .pressing): return
            case (.none, _):
                stated[place] = nil
                return ledger.wantWithdrawn(PoolID(place.pool), by: LoopID(place.loop))
            case (.ordinary(let oldest), _): (since, isPressing) = (oldest, false)
            case (.pressing(let oldest), _): (since, isPressing) = (oldest, true)
            }
            let (isGranted, told) = ledger.slotWanted(
                PoolID(place.pool), by: LoopID(place.loop), since: since, isPressing: isPressing)
            notices += told
            stated[place] = isGranted ? nil : demand
            guard isGranted else { return }
            granted(place)
        }
    }

    private mutating func tick(_ leaves: Bool) {
        for loop in 0..<loopCount {
            for pool in 0..<poolCount {
                let place = Place(loop: loop, pool: pool)
                let due = pools[place]?.due(now: .ms(now)) { ledger.mayShrink(PoolID(pool)) }
                closing += due?.closing ?? []
                state(place)
            }
        }
        let waiting = arrived.subtracting(served).subtracting(gone).sorted()
        guard leaves, let waiter = waiting.randomElement(using: &generator), waiter.rawValue % 7 == 0 else { return }
        for place in pools.keys where pools[place]?.clientLeft(waiter) ?? false {
            gone.insert(waiter)
            state(place)
        }
    }
}

@Suite struct PoolSimulationTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func limitsHoldAndEveryClientEnds(seed: UInt64) {
        let all = [
            PoolLimits(pool: 1), PoolLimits(pool: 2), PoolLimits(pool: 3, total: 2), PoolLimits(pool: 3, user: 2),
            PoolLimits(pool: 2, database: 1), PoolLimits(pool: 4, node: 3, minimum: 1),
        ]
        var simulation = PoolSimulation(seed: seed, limits: all[Int(seed) % all.count])
        simulation.run(steps: 3_000)
        #expect(simulation.served.count > 100)
    }
}
