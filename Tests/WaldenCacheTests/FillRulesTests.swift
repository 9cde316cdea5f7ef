import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// Coalescing, bounds and control.
@Suite struct FillRulesTests {
    private let test = TestCache()
    private let byID = depends([equal("id", 1)])

    // MARK: Identical requests

    @Test func identicalMissesJoinTheFillUnderWay() throws {
        test.start()
        let id = try #require(test.fill("q", byID))
        #expect(test.begin("q", byID) == .join(id))
        #expect(test.cache.addWaiter(7, to: id))
        #expect(test.cache.addWaiter(8, to: id))
        test.cache.removeWaiter(7, from: id)
        let completion = try #require(test.complete(id, "1"))
        #expect(completion.waiters == [8])
        #expect(completion.wantsProbe)
        #expect(!test.cache.addWaiter(9, to: id))
        #expect(test.statistics.fillsJoined == 2)
    }

    /// A replica has shown it what the primary may not have shown yet when the fill began.
    @Test func whoHasReadOnAReplicaJoinsNoFillOfThePrimary() throws {
        test.start()
        let id = try #require(test.fill("q", byID))
        #expect(test.begin("q", byID, joinsPrimary: false) == .refused(.identicalUnderWay))
        #expect(test.begin("q", byID) == .join(id))
    }

    @Test func aRequestJoinsNoFillThatBeganBeforeItsWrite() throws {
        test.start()
        let id = try #require(test.fill("q", byID))
        let wrote = test.tick()
        #expect(test.begin("q", byID, notOlderThan: wrote) == .refused(.identicalUnderWay))
        #expect(test.begin("q", byID) == .join(id))
        test.tick(2000)
        #expect(test.begin("q", byID) == .refused(.identicalUnderWay))
    }

    /// The running one will not be kept, so a new one may run for those who cannot join it.
    @Test func aTaintedFillIsSucceededByANewOne() throws {
        test.start()
        let tainted = try #require(test.fill("q", byID))
        test.apply(120, [test.relation.insert([1, 1])])
        let wrote = test.tick()
        #expect(test.begin("q", byID) == .join(tainted))
        test.probe("130:130:")
        guard case .fill(let successor) = test.begin("q", byID, notOlderThan: wrote) else {
            Issue.record("no successor")
            return
        }
        #expect(test.begin("q", byID) == .join(successor))
        // The first still answers its own waiters.
        #expect(test.complete(tainted, "old")?.outcome == .tainted(.row))
        #expect(test.complete(successor, "new")?.outcome == .pendingVisibility)
        test.probe("130:130:")
        #expect(test.lookup("q") == "new")
    }

    @Test func aTaintedResultAnswersItsWaiters() throws {
        test.start("100:130:120")
        test.apply(120, [test.relation.insert([1, 1])])
        let id = try #require(test.fill("q", byID))
        #expect(test.cache.addWaiter(3, to: id))
        #expect(test.complete(id, "as of the start")?.waiters == [3])
    }

    @Test func whatIsFinishedOrServableIsNotFilledAgain() {
        test.start()
        test.complete(test.fill("q", byID), "1")
        #expect(test.begin("q", byID) == .refused(.identicalUnderWay))
        test.probe()
        #expect(test.begin("q", byID) == .refused(.alreadyServable))
        #expect(test.statistics.fillsRefused[.alreadyServable] == 1)
    }

    @Test func anAbandonedFillSendsItsWaitersAway() throws {
        test.start()
        let id = try #require(test.fill("q", byID))
        #expect(test.cache.addWaiter(5, to: id))
        #expect(test.cache.abandonFill(id, reason: .error) == [5])
        #expect(test.cache.abandonFill(id, reason: .error) == [])
        #expect(test.statistics.fillsAbandoned[.error] == 1)
        #expect(test.complete(id, "1")?.outcome == .gone)
        #expect(test.fill("q", byID) != nil)
    }

    /// Two fills of one key can both end untainted only one after the other; the first stays.
    @Test func completingTwiceIsGone() {
        test.start()
        let id = test.fill("q", byID)
        #expect(test.complete(id, "1")?.outcome == .pendingVisibility)
        #expect(test.complete(id, "2")?.outcome == .gone)
        test.probe()
        #expect(test.lookup("q") == "1")
    }

    // MARK: Bounds

    @Test func fillsAreBounded() {
        let test = TestCache(CacheConfiguration(maxPendingFills: 2, maxWaitersPerFill: 1))
        test.start()
        let first = test.fill("a", byID)
        _ = test.fill("b", byID)
        #expect(test.begin("c", byID) == .refused(.tooManyFills))
        #expect(first.map { test.cache.addWaiter(1, to: $0) } == true)
        #expect(first.map { test.cache.addWaiter(2, to: $0) } == false)
        // Finished ones count until they are servable.
        test.complete(first, "a")
        #expect(test.begin("c", byID) == .refused(.tooManyFills))
        test.probe()
        #expect(test.fill("c", byID) != nil)
    }

    @Test func aLargeResultIsNotKept() {
        let test = TestCache(CacheConfiguration(maxResultBytes: 100))
        test.start()
        #expect(test.complete(test.fill("a", byID), "a", bytes: 101)?.outcome == .tooLarge)
        #expect(test.complete(test.fill("a", byID), "a", bytes: 100)?.outcome == .pendingVisibility)
        #expect(test.statistics.fillsTooLarge == 1)
    }

    /// The watermark stands still: what waits for it must not fill the memory.
    @Test func resultsThatWaitAreBoundedInBytes() {
        let test = TestCache(CacheConfiguration(maxBytes: 8000, maxResultBytes: 1000))
        test.start()
        #expect(test.complete(test.fill("a", byID), "a", bytes: 600)?.outcome == .pendingVisibility)
        #expect(test.complete(test.fill("b", byID), "b", bytes: 600)?.outcome == .tainted(.crowdedOut))
        #expect(test.complete(test.fill("c", byID), "c", bytes: 400)?.outcome == .pendingVisibility)
    }

    @Test func evictedEntriesLeaveTheIndex() {
        let test = TestCache(CacheConfiguration(maxBytes: 3000, maxResultBytes: 100, maxStaleness: .seconds(1)))
        test.start()
        for number in 0..<40 { test.keep("q\(number)", depends([equal("id", Int64(number))]), "x", bytes: 100) }
        let statistics = test.statistics
        #expect(statistics.invalidations[.eviction] > 20)
        #expect(statistics.entries + statistics.invalidations[.eviction] == 40)
        #expect(statistics.bytes <= 3000)
        let changes = (0..<40).map { test.relation.update(nil, [.integer(Int64($0)), 0]) }
        #expect(test.apply(120, changes).dropped.total == statistics.entries)
        #expect(test.statistics.entries == 0)
        #expect(test.statistics.bytes == 0)
    }

    // MARK: Control

    @Test func suspendingKeepsTheEntriesUpToDate() {
        test.start()
        test.keep("one", depends([equal("id", 1)]), "1")
        test.keep("two", depends([equal("id", 2)]), "2")
        test.cache.suspend()
        #expect(test.lookup("one") == "operator_request")
        #expect(test.begin("three", byID) == .refused(.suspended))
        test.apply(120, [test.relation.insert([1, 1])])
        test.cache.resume()
        #expect(test.lookup("one") == "miss")
        #expect(test.lookup("two") == "2")
        #expect(test.statistics.suspendedLookups == 1)
    }

    @Test func flushingEmptiesAndTaints() {
        test.start()
        test.keep("q", byID, "1")
        test.complete(test.fill("r", byID), "2")
        let running = test.fill("s", byID)
        #expect(test.cache.flush() == 2)
        #expect(test.lookup("q") == "miss")
        #expect(test.complete(running, "3")?.outcome == .tainted(.flush))
        test.probe()
        #expect(test.lookup("r") == "miss")
        #expect(test.statistics.invalidations[.flush] == 2)
        test.keep("q", byID, "4")
        #expect(test.lookup("q") == "4")
    }

    @Test func flushingARelationLeavesTheOthers() {
        test.start()
        test.keep("q", byID, "1")
        let other = depends(on: 99, [])
        test.keep("other", other, "2")
        test.complete(test.fill("r", byID), "3")
        let running = test.fill("s", byID)
        #expect(test.cache.flush(readersOf: [test.relation.description.id]) == 2)
        #expect(test.cache.flush(readersOf: [test.relation.description.id, RelationID(7)]) == 0)
        #expect(test.complete(running, "4")?.outcome == .tainted(.flush))
        test.probe()
        #expect(["q", "r", "s", "other"].map { test.lookup($0) } == ["miss", "miss", "miss", "2"])
        #expect(test.statistics.invalidations[.flush] == 2)
        test.keep("q", byID, "5")
        #expect(test.lookup("q") == "5")
    }

    @Test func pressureIsMoreThanHalfTheRoom() {
        let test = TestCache(CacheConfiguration(maxBytes: 4000, maxResultBytes: 400, maxStaleness: .seconds(1)))
        test.start()
        #expect(!test.cache.isUnderPressure)
        for number in 0..<5 { test.keep("q\(number)", byID, "x", bytes: 400) }
        #expect(test.cache.isUnderPressure)
    }

    @Test(arguments: [(256 << 20, 1 << 20, 32), (1 << 20, 1 << 20, 1), (8 << 30, 1 << 20, 64), (0, 0, 64)])
    func shardsHoldSeveralOfTheLargestResults(maxBytes: Int, maxResultBytes: Int, shards: Int) {
        let configuration = CacheConfiguration(maxBytes: maxBytes, maxResultBytes: maxResultBytes)
        #expect(configuration.shardCount == shards)
    }
}
