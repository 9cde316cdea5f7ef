import Testing
import WaldenCore
import WaldenPool

@Suite struct PoolLedgerTests {
    private func ledger(_ limits: PoolLimits) -> PoolLedger { PoolLedger(limits: limits, loopCount: 2) }

    /// States a want and returns whether it is met at once.
    private func want(
        _ ledger: inout PoolLedger, _ pool: PoolID, _ loop: LoopID, at time: UInt64 = 0, pressing: Bool = false
    ) -> Bool {
        ledger.slotWanted(pool, by: loop, since: .ms(time), isPressing: pressing).0
    }

    private func keeps(
        _ ledger: inout PoolLedger, _ pool: PoolID, _ loop: LoopID, _ since: Instant?, at now: Instant
    ) -> Bool {
        ledger.mayKeep(pool, on: loop, for: since, now: now)
    }

    @Test func applicationNameUserAndDatabaseDoNotMakeAPool() {
        let parameters = [
            PoolKey.Parameter(name: "user", value: "a"), PoolKey.Parameter(name: "application_name", value: "x"),
            PoolKey.Parameter(name: "search_path", value: "s"), PoolKey.Parameter(name: "DateStyle", value: "ISO"),
        ]
        let key = PoolKey(node: .configuredPrimary, database: "d", user: "u", parameters: parameters)
        #expect(key.parameters.map(\.name) == ["DateStyle", "search_path"])
        #expect(key == PoolKey(node: .configuredPrimary, database: "d", user: "u", parameters: parameters.reversed()))
        #expect(key != PoolKey(node: NodeID(1), database: "d", user: "u", parameters: parameters))
    }

    struct Blocked: Sendable {
        let limits: PoolLimits
        /// Of the pool that takes the only place, and of the one that wants it then.
        let keys: (PoolKey, PoolKey)
        let scope: PoolScope
    }

    private static let blocked: [Blocked] = [
        Blocked(limits: PoolLimits(pool: 1), keys: (PoolKey.of("a"), PoolKey.of("a")), scope: .pool(PoolID(0))),
        Blocked(limits: PoolLimits(user: 1), keys: (PoolKey.of("a"), PoolKey.of("a", "other")), scope: .user("a")),
        Blocked(limits: PoolLimits(database: 1), keys: (PoolKey.of("a"), PoolKey.of("b")), scope: .database("app")),
        Blocked(
            limits: PoolLimits(node: 1), keys: (PoolKey.of("a", node: 1), PoolKey.of("b", "other", node: 1)),
            scope: .node(NodeID(1))),
        Blocked(
            limits: PoolLimits(total: 1), keys: (PoolKey.of("a"), PoolKey.of("b", "other", node: 1)), scope: .total),
    ]

    @Test(arguments: blocked.indices)
    func limitsBlock(index: Int) {
        let blocked = Self.blocked[index]
        var ledger = ledger(blocked.limits)
        let one = ledger.pool(for: blocked.keys.0, on: first).id
        let other = ledger.pool(for: blocked.keys.1, on: first).id
        #expect(want(&ledger, one, first))
        #expect(ledger.obstacle(to: other) == blocked.scope)
        #expect(!want(&ledger, other, second))
        #expect(ledger.slotReturned(one, by: first) == [.granted(other, second)])
        #expect(ledger.obstacle(to: other) == blocked.scope)
        #expect(ledger.slots == 1)
    }

    @Test func whatIsZeroDoesNotLimit() {
        var ledger = ledger(PoolLimits(pool: 1_000))
        let pool = ledger.pool(for: .of("a"), on: first).id
        var met = 0
        for _ in 0..<1_001 where want(&ledger, pool, first) { met += 1 }
        #expect(met == 1_000)
    }

    @Test func theOldestWantIsMetFirst() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(want(&ledger, pool, first))
        #expect(!want(&ledger, pool, first, at: 20))
        #expect(!want(&ledger, pool, second, at: 10))
        #expect(ledger.slotReturned(pool, by: first) == [.granted(pool, second)])
        #expect(ledger.slotReturned(pool, by: second) == [.granted(pool, first)])
    }

    @Test func aWantWithdrawnIsNotMet() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(want(&ledger, pool, first))
        #expect(!want(&ledger, pool, second))
        ledger.wantWithdrawn(pool, by: second)
        #expect(ledger.slotReturned(pool, by: first).isEmpty)
        #expect(ledger.slots == 0)
    }

    @Test func aReturnThatNothingWasTakenForChangesNothing() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(ledger.slotReturned(pool, by: first).isEmpty)
        #expect(ledger.slots == 0)
    }

    // MARK: Fairness between loops

    @Test func anOrdinaryWantTakesNothingFromOthers() {
        var ledger = ledger(PoolLimits(pool: 2))
        let (pool, signal) = ledger.pool(for: .of("a"), on: first)
        #expect(want(&ledger, pool, first))
        #expect(want(&ledger, pool, second))
        let (isGranted, notices) = ledger.slotWanted(pool, by: second, since: .ms(5), isPressing: false)
        #expect(!isGranted && notices.isEmpty && !signal.isWanted && !ledger.signal.isWanted)
    }

    @Test func aPressingWantTakesARestingLinkAtOnce() {
        var ledger = ledger(PoolLimits(pool: 1))
        let (pool, signal) = ledger.pool(for: .of("a"), on: first)
        #expect(want(&ledger, pool, first))
        let (_, notices) = ledger.slotWanted(pool, by: second, since: .ms(5), isPressing: true)
        #expect(notices == [.reclaim(.pool(pool), first)])
        #expect(signal.isWanted)
        #expect(!keeps(&ledger, pool, first, nil, at: .ms(6)))
        // One is enough.
        #expect(keeps(&ledger, pool, first, nil, at: .ms(6)))
        #expect(ledger.slotReturned(pool, by: first) == [.granted(pool, second)])
        #expect(!signal.isWanted)
    }

    @Test func aLinkThatClientsWaitForMovesOnlyForOneThatWaitedLongAndLonger() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(want(&ledger, pool, first))
        #expect(!want(&ledger, pool, second, at: 100, pressing: true))
        #expect(keeps(&ledger, pool, first, .ms(50), at: .ms(1_000)))
        #expect(keeps(&ledger, pool, first, .ms(150), at: .ms(349)))
        #expect(!keeps(&ledger, pool, first, .ms(150), at: .ms(350)))
    }

    @Test func whatTheLoopItselfWantsDoesNotEndItsLinks() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(want(&ledger, pool, first))
        #expect(!want(&ledger, pool, first, at: 1, pressing: true))
        #expect(keeps(&ledger, pool, first, nil, at: .ms(900)))
    }

    @Test func aWiderLimitEvictsRestingLinksOfOtherPools() {
        var ledger = ledger(PoolLimits(node: 1))
        let node = PoolScope.node(.configuredPrimary)
        let one = ledger.pool(for: .of("a"), on: first).id
        let other = ledger.pool(for: .of("b"), on: first).id
        #expect(want(&ledger, one, first))
        let (_, notices) = ledger.slotWanted(other, by: first, since: .ms(1), isPressing: false)
        #expect(Set(notices) == [.reclaim(node, first), .reclaim(node, second)])
        #expect(ledger.signal.isWanted)
        #expect(ledger.isCovered(one, by: node))
        #expect(!ledger.isCovered(one, by: .node(NodeID(1))))
        // One that a client waits for stays.
        #expect(keeps(&ledger, one, first, .ms(2), at: .ms(3)))
        #expect(!keeps(&ledger, one, first, nil, at: .ms(3)))
        #expect(ledger.slotReturned(one, by: first) == [.granted(other, first)])
        #expect(!ledger.signal.isWanted)
    }

    @Test func whoLosesThePromisedSlotToAnOlderWantIsPromisedAnother() {
        var ledger = ledger(PoolLimits(pool: 1, total: 2))
        let pools = ["a", "b", "c", "d"].map { ledger.pool(for: .of($0), on: first).id }
        #expect(want(&ledger, pools[0], first) && want(&ledger, pools[1], first))
        #expect(!want(&ledger, pools[2], first, at: 10))
        #expect(!keeps(&ledger, pools[0], first, nil, at: .ms(11)))
        #expect(!want(&ledger, pools[3], second, at: 5))
        let notices = ledger.slotReturned(pools[0], by: first)
        #expect(notices.contains(.granted(pools[3], second)))
        #expect(notices.contains(.reclaim(.total, first)))
        #expect(!keeps(&ledger, pools[1], first, nil, at: .ms(12)))
    }

    // MARK: Pause

    @Test func pauseAwaitsTheLastLinkAndResumeMeetsWantsInOrder() {
        var ledger = ledger(PoolLimits(pool: 2))
        let pool = ledger.pool(for: .of("a"), on: first).id
        let elsewhere = ledger.pool(for: .of("a", "other"), on: first).id
        #expect(want(&ledger, pool, first) && want(&ledger, pool, second))
        let isDrained = ledger.pause(.database("app"))
        #expect(!isDrained)
        #expect(want(&ledger, elsewhere, first))
        #expect(ledger.slotReturned(pool, by: first).isEmpty)
        #expect(!want(&ledger, pool, second, at: 7))
        #expect(!want(&ledger, pool, first, at: 6))
        #expect(ledger.obstacle(to: pool) == .paused(.database("app")))
        #expect(ledger.slotReturned(pool, by: second) == [.drained(.database("app"))])
        #expect(ledger.resume(.database("app")) == [.granted(pool, first), .granted(pool, second)])
    }

    @Test func pauseOfAnUnusedDatabaseIsAtOnce() {
        var ledger = ledger(PoolLimits())
        let isDrained = ledger.pause(.database("app"))
        #expect(isDrained)
    }

    @Test func theMinimumIsKeptWithinTheLimits() {
        var ledger = ledger(PoolLimits(pool: 5, total: 3, minimum: 2))
        let pool = ledger.pool(for: .of("a"), on: first).id
        let other = ledger.pool(for: .of("b"), on: first).id
        let taken = [first, second, first].map { ledger.takeForMinimum(pool, by: $0) }
        #expect(taken == [true, true, false])
        #expect(!ledger.mayShrink(pool))
        let others = [first, second].map { ledger.takeForMinimum(other, by: $0) }
        #expect(others == [true, false])
        #expect(!want(&ledger, pool, first))
    }

    // MARK: Other limits

    @Test func wantsAreMetWhenALimitIsRaised() {
        var ledger = ledger(PoolLimits(pool: 1))
        let pool = ledger.pool(for: .of("a"), on: first).id
        _ = ledger.slotWanted(pool, by: first, since: .ms(0), isPressing: false)
        _ = ledger.slotWanted(pool, by: first, since: .ms(1), isPressing: false)
        #expect(ledger.adopt(PoolLimits(pool: 2)) == [.granted(pool, first)])
        #expect(ledger.slots(of: pool) == 2)
        #expect(ledger.wantCount == 0)
    }

    @Test func linksBeyondALoweredLimitAreGivenUp() {
        var ledger = ledger(PoolLimits(pool: 4))
        let pool = ledger.pool(for: .of("a"), on: first).id
        let other = ledger.pool(for: .of("b"), on: first).id
        for _ in 0..<3 { _ = ledger.slotWanted(pool, by: first, since: .ms(0), isPressing: false) }
        _ = ledger.slotWanted(other, by: first, since: .ms(0), isPressing: false)
        #expect(ledger.adopt(PoolLimits(pool: 2)).isEmpty)
        #expect(ledger.signal.isWanted)
        // Also one for which a client waits; but not another pool's, which is within its limit.
        let keeps = (
            ledger.mayKeep(pool, on: first, for: .ms(1), now: .ms(2)),
            ledger.mayKeep(other, on: first, for: nil, now: .ms(2))
        )
        #expect(keeps == (false, true))
        _ = ledger.slotReturned(pool, by: first)
        #expect(!ledger.signal.isWanted)
        let keepsNow = ledger.mayKeep(pool, on: first, for: nil, now: .ms(3))
        #expect(keepsNow)
        #expect(ledger.slots(of: pool) == 2)
    }

    // MARK: Pools that nobody uses

    @Test func aPoolEndsWithItsLastLoop() {
        var ledger = ledger(PoolLimits())
        let pool = ledger.pool(for: .of("a"), on: first).id
        #expect(ledger.pool(for: .of("a"), on: second).id == pool)
        let elsewhere = ledger.pool(for: .of("a", "other"), on: first).id
        #expect(ledger.usedDatabases == ["app", "other"])
        #expect(ledger.poolLeft(pool, by: first) == .left)
        #expect(ledger.knows(.of("a")))
        #expect(ledger.poolLeft(pool, by: second) == .ended(isLastOfUser: false))
        #expect(!ledger.knows(.of("a")))
        #expect(ledger.poolLeft(elsewhere, by: first) == .ended(isLastOfUser: true))
        #expect(ledger.poolCount == 0)
        // It comes back under another number: what was said of the old one does not mean it.
        #expect(ledger.pool(for: .of("a"), on: first).id != pool)
    }

    @Test func aPoolWithASlotStays() {
        var ledger = ledger(PoolLimits())
        let pool = ledger.pool(for: .of("a"), on: first).id
        _ = ledger.slotWanted(pool, by: first, since: .ms(0), isPressing: false)
        #expect(ledger.poolLeft(pool, by: first) == .refused)
        _ = ledger.slotReturned(pool, by: first)
        #expect(ledger.poolLeft(pool, by: first) == .ended(isLastOfUser: true))
        #expect(ledger.slotReturned(pool, by: first).isEmpty)
    }
}
