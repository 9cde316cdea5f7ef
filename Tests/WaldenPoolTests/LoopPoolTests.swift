import Testing
import WaldenCore
import WaldenPool

@Suite struct LoopPoolTests {
    private static let times = PoolTimes(
        wait: .seconds(120), idle: .seconds(600), check: .seconds(30), handover: .milliseconds(250),
        retry: (.milliseconds(100), .milliseconds(300)))

    private func pool() -> LoopPool { LoopPool(times: Self.times) }

    /// Opens a link that then rests, or serves who waits.
    private func open(
        _ pool: inout LoopPool, _ link: UInt64, at time: UInt64 = 0, expires: Instant = .distantFuture
    ) -> LoopPool.Readiness {
        pool.linkOpened()
        return pool.linkReady(LinkID(link), expires: expires, now: .ms(time))
    }

    @Test func aClientTakesTheLinkThatRestedLast() {
        var pool = pool()
        pool.slotTakenForMinimum()
        pool.slotTakenForMinimum()
        #expect(open(&pool, 1) == .rest)
        #expect(open(&pool, 2) == .rest)
        #expect(pool.clientArrived(WaiterID(1), now: .ms(1)) == .lend(LinkID(2)))
        #expect((pool.lent, pool.idleCount, pool.waitingCount) == (1, 1, 0))
    }

    @Test func clientsAreServedInTheirOrder() {
        var pool = pool()
        for waiter in 1...3 as ClosedRange<UInt64> {
            #expect(pool.clientArrived(WaiterID(waiter), now: .ms(waiter)) == .wait)
        }
        let opens = pool.slotGranted(now: .ms(3))
        #expect(opens)
        let left = pool.clientLeft(WaiterID(2))
        #expect(left)
        #expect(open(&pool, 9) == .lend(LinkID(9), to: WaiterID(1)))
        // No one who comes now overtakes the third.
        #expect(pool.clientArrived(WaiterID(4), now: .ms(4)) == .wait)
        pool.linkReturned()
        #expect(pool.linkReady(LinkID(9), expires: .distantFuture, now: .ms(5)) == .lend(LinkID(9), to: WaiterID(3)))
    }

    // MARK: Links that do not suit

    @Test func aClientTakesTheLastLinkThatSuitsIt() {
        var pool = pool()
        for link in 1...3 as ClosedRange<UInt64> {
            pool.slotTakenForMinimum()
            _ = open(&pool, link)
        }
        let arrival = pool.clientArrived(WaiterID(1), now: .ms(1)) { $0 != LinkID(3) }
        #expect(arrival == .lend(LinkID(2)))
        #expect((pool.lent, pool.idleCount) == (1, 2))
    }

    @Test func whereNoneSuitsTheOldestIsReplaced() {
        var pool = pool()
        for link in 1...2 as ClosedRange<UInt64> {
            pool.slotTakenForMinimum()
            _ = open(&pool, link)
        }
        let arrival = pool.clientArrived(WaiterID(1), now: .ms(1)) { _ in false }
        #expect(arrival == .replace(LinkID(1)))
        #expect(pool.demand(now: .ms(1)) == .none)
        pool.preparingLinkClosed()
        #expect(pool.demand(now: .ms(1)) == .ordinary(since: .ms(1)))
        // Others go on with the one that rests.
        #expect(pool.clientArrived(WaiterID(2), now: .ms(2)) == .lend(LinkID(2)))
        let opens = pool.slotGranted(now: .ms(2))
        #expect(opens)
        #expect(open(&pool, 3, at: 3) == .lend(LinkID(3), to: WaiterID(1)))
    }

    @Test func oneLinkMakesRoomForAClientThatItDoesNotSuit() {
        var pool = pool()
        for link in 1...2 as ClosedRange<UInt64> {
            pool.slotTakenForMinimum()
            _ = open(&pool, link)
            _ = pool.clientArrived(WaiterID(link), now: .ms(0))
        }
        let isFresh = { (link: UInt64) in { (waiter: WaiterID) in waiter != WaiterID(3) || link > 2 } }
        #expect(pool.clientArrived(WaiterID(3), now: .ms(1)) == .wait)
        #expect(pool.clientArrived(WaiterID(4), now: .ms(1)) == .wait)
        func ready(_ link: UInt64, at time: UInt64) -> LoopPool.Readiness {
            pool.linkReturned()
            return pool.linkReady(LinkID(link), expires: .distantFuture, now: .ms(time), suits: isFresh(link))
        }
        #expect(ready(1, at: 2) == .close)
        pool.preparingLinkClosed()
        #expect(ready(2, at: 3) == .lend(LinkID(2), to: WaiterID(4)))
        #expect(ready(2, at: 4) == .rest)
        // Its place went elsewhere: the next makes room.
        #expect(pool.due(now: .ms(100)) { false }.closing == [])
        #expect(pool.due(now: .ms(252)) { false }.closing == [LinkID(2)])
        pool.preparingLinkClosed()
        let opens = pool.slotGranted(now: .ms(260))
        #expect(opens)
        pool.linkOpened()
        let readiness = pool.linkReady(LinkID(3), expires: .distantFuture, now: .ms(261), suits: isFresh(3))
        #expect(readiness == .lend(LinkID(3), to: WaiterID(3)))
    }

    @Test func aClientLeavesOnce() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        let left = [1, 1, 7].map { pool.clientLeft(WaiterID($0)) }
        #expect(left == [true, false, false])
        let opens = pool.slotGranted(now: .ms(1))
        #expect(!opens)
    }

    @Test func demandCountsWhatIsOnItsWay() {
        var pool = pool()
        #expect(pool.demand(now: .ms(0)) == .none)
        _ = pool.clientArrived(WaiterID(1), now: .ms(10))
        #expect(pool.demand(now: .ms(10)) == .pressing(since: .ms(10)))
        _ = pool.slotGranted(now: .ms(10))
        #expect(pool.demand(now: .ms(10)) == .none)
        _ = pool.clientArrived(WaiterID(2), now: .ms(20))
        #expect(pool.demand(now: .ms(20)) == .ordinary(since: .ms(10)))
        #expect(pool.demand(now: .ms(260)) == .pressing(since: .ms(10)))
    }

    @Test func aLinkThatRestedLongIsTestedFirst() {
        var pool = pool()
        pool.slotTakenForMinimum()
        _ = open(&pool, 1)
        #expect(pool.clientArrived(WaiterID(1), now: .ms(30_000)) == .test(LinkID(1)))
        #expect(pool.demand(now: .ms(30_000)) == .none)
        // It turns out to be dead: a new one is wanted, and the client knows of nothing.
        pool.preparingLinkClosed()
        #expect(pool.demand(now: .ms(30_001)) == .pressing(since: .ms(30_000)))
        #expect(pool.waitingCount == 1)
    }

    @Test func whoWaitsTooLongIsTold() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.clientArrived(WaiterID(2), now: .ms(1_000))
        #expect(pool.due(now: .ms(119_999)) { true } == LoopPool.Due())
        #expect(pool.due(now: .ms(120_000)) { true }.expired == [WaiterID(1)])
        #expect(pool.waitingCount == 1)
    }

    @Test func restingLinksEndByIdlenessButForTheMinimum() {
        var pool = pool()
        for link in 1...2 as ClosedRange<UInt64> {
            pool.slotTakenForMinimum()
            _ = open(&pool, link, at: link)
        }
        #expect(pool.due(now: .ms(600_002)) { false }.closing.isEmpty)
        #expect(pool.due(now: .ms(600_002)) { true }.closing == [LinkID(1)])
        #expect(pool.idleCount == 1)
        pool.preparingLinkClosed()
        #expect(pool.linkCount == 1)
    }

    @Test func linksAreRenewedOneAtATimeAndNotLentOnWhenOld() {
        var pool = pool()
        for link in 1...3 as ClosedRange<UInt64> {
            pool.slotTakenForMinimum()
            _ = open(&pool, link, expires: .ms(5_000))
        }
        #expect(pool.due(now: .ms(5_000)) { true }.closing == [LinkID(1)])
        #expect(pool.clientArrived(WaiterID(1), now: .ms(5_001)) == .lend(LinkID(3)))
        pool.linkReturned()
        #expect(pool.linkReady(LinkID(3), expires: .ms(5_000), now: .ms(5_002)) == .close)
        #expect(pool.preparing == 2)
    }

    @Test func aRefusedLoginIsToldToAllThatWaitAndNotTriedAgainAtOnce() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.clientArrived(WaiterID(2), now: .ms(0))
        _ = pool.slotGranted(now: .ms(0))
        #expect(pool.openFailed(.refusal, now: .ms(1)) == [WaiterID(1), WaiterID(2)])
        #expect(pool.clientArrived(WaiterID(3), now: .ms(100)) == .refuse)
        #expect(pool.clientArrived(WaiterID(4), now: .ms(101)) == .wait)
        #expect(pool.demand(now: .ms(101)) == .pressing(since: .ms(101)))
        // The pauses grow: 100, 200, then at most 300 ms.
        for (time, pause) in [(101, 200), (301, 300), (601, 300)] as [(UInt64, UInt64)] {
            let opens = pool.slotGranted(now: .ms(time))
            #expect(opens)
            _ = pool.openFailed(.refusal, now: .ms(time))
            _ = pool.clientArrived(WaiterID(time), now: .ms(time + pause))
            #expect(pool.demand(now: .ms(time + pause - 1)) == .none)
            #expect(pool.demand(now: .ms(time + pause)) == .pressing(since: .ms(time + pause)))
        }
    }

    @Test func aServerThatHasNoPlaceIsAwaited() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.slotGranted(now: .ms(0))
        #expect(pool.openFailed(.passing, now: .ms(1)).isEmpty)
        #expect(pool.clientArrived(WaiterID(2), now: .ms(2)) == .wait)
        #expect(pool.demand(now: .ms(50)) == .none)
        #expect(pool.demand(now: .ms(101)) == .pressing(since: .ms(0)))
        _ = pool.slotGranted(now: .ms(101))
        #expect(open(&pool, 1, at: 102) == .lend(LinkID(1), to: WaiterID(1)))
    }

    @Test func whileThePrimaryIsGoneClientsWaitButThoseThatConnect() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.clientArrived(WaiterID(2), isImpatient: true, now: .ms(0))
        _ = pool.slotGranted(now: .ms(0))
        #expect(pool.openFailed(.outage, now: .ms(1)) == [WaiterID(2)])
        #expect(pool.clientArrived(WaiterID(3), isImpatient: true, now: .ms(2)) == .refuse)
        #expect(pool.clientArrived(WaiterID(4), now: .ms(3)) == .wait)
        // It comes back, and they are served in their order.
        #expect(pool.demand(now: .ms(101)) == .pressing(since: .ms(0)))
        _ = pool.slotGranted(now: .ms(101))
        #expect(open(&pool, 1, at: 102) == .lend(LinkID(1), to: WaiterID(1)))
        pool.linkReturned()
        #expect(pool.linkReady(LinkID(1), expires: .distantFuture, now: .ms(103)) == .lend(LinkID(1), to: WaiterID(4)))
    }

    @Test func anOutageIsAwaitedForALimitedTime() {
        var pool = pool()
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.clientArrived(WaiterID(2), now: .ms(500))
        _ = pool.slotGranted(now: .ms(500))
        #expect(pool.openFailed(.outage, now: .ms(9_950)).isEmpty)
        #expect(pool.due(now: .ms(9_999)) { true }.refused.isEmpty)
        #expect(pool.due(now: .ms(10_000)) { true }.refused == [WaiterID(1)])
        // While an attempt is under way nobody is told of the one before.
        _ = pool.slotGranted(now: .ms(10_050))
        #expect(pool.due(now: .ms(10_600)) { true }.refused.isEmpty)
        #expect(pool.openFailed(.outage, now: .ms(10_601)) == [WaiterID(2)])
        #expect(pool.waitingCount == 0)
    }

    @Test func aServerThatIsAwaitedIsTriedEverySecondAtLeast() {
        var pool = LoopPool(times: PoolTimes(retry: (.milliseconds(600), .seconds(60))))
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        for (time, next) in [(0, 600), (600, 1_600), (1_600, 2_600)] as [(UInt64, UInt64)] {
            _ = pool.slotGranted(now: .ms(time))
            _ = pool.openFailed(.outage, now: .ms(time))
            #expect(pool.demand(now: .ms(next - 1)) == .none)
            #expect(pool.demand(now: .ms(next)) == .pressing(since: .ms(0)))
        }
    }

    @Test func whileOtherLinksServeAFailedLoginIsNobodysConcern() {
        var pool = pool()
        pool.slotTakenForMinimum()
        _ = open(&pool, 1)
        _ = pool.clientArrived(WaiterID(1), now: .ms(0))
        _ = pool.clientArrived(WaiterID(2), now: .ms(0))
        _ = pool.slotGranted(now: .ms(0))
        #expect(pool.openFailed(.refusal, now: .ms(1)).isEmpty)
        #expect(pool.clientArrived(WaiterID(3), now: .ms(2)) == .wait)
    }

    @Test func aPoolIsForgottenAfterAMinuteWithoutUse() {
        var pool = pool()
        func forgets(_ hasClients: Bool, _ time: UInt64) -> Bool {
            pool.mayBeForgotten(hasClients: hasClients, now: .ms(time))
        }
        #expect([forgets(false, 0), forgets(false, 59_999), forgets(true, 60_000)] == [false, false, false])
        // From the first look without a client on.
        #expect([forgets(false, 61_000), forgets(false, 120_999), forgets(false, 121_000)] == [false, false, true])
        pool.slotTakenForMinimum()
        #expect(!forgets(false, 300_000))
        _ = pool.openFailed(.refusal, now: .ms(300_001))
        #expect([forgets(false, 300_002), forgets(false, 360_002)] == [false, true])
        _ = pool.clientArrived(WaiterID(1), now: .ms(400_000))
        #expect(!forgets(false, 500_000))
    }

    @Test func aPausedPoolLendsNothing() {
        var pool = pool()
        pool.slotTakenForMinimum()
        pool.slotTakenForMinimum()
        _ = open(&pool, 1)
        _ = open(&pool, 2)
        #expect(pool.clientArrived(WaiterID(1), now: .ms(0)) == .lend(LinkID(2)))
        #expect(pool.pause(.database("app")) == [LinkID(1)])
        #expect(pool.clientArrived(WaiterID(2), now: .ms(1)) == .wait)
        #expect(pool.demand(now: .ms(1)) == .none)
        pool.linkReturned()
        #expect(pool.linkReady(LinkID(2), expires: .distantFuture, now: .ms(2)) == .close)
        pool.resume(.database("app"))
        pool.preparingLinkClosed()
        pool.preparingLinkClosed()
        #expect(pool.demand(now: .ms(3)) == .pressing(since: .ms(1)))
    }
}
