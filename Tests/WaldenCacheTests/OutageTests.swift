import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// What is found while the primary is being replaced: only states that the stream vouched for, no longer than allowed, and
/// nothing once anything has happened that the stream would have told of.
@Suite struct OutageTests {
    private static let allowed = Duration.nanoseconds(5_000)
    private let test = TestCache(
        CacheConfiguration(maxStaleness: .nanoseconds(500), outageStaleness: OutageTests.allowed))
    private let byID = depends([equal("id", 1)])

    /// `q` is kept, and the stream is lost.
    private func loseStream() {
        test.start()
        test.keep("q", byID, "1")
        test.cache.streamLost(reason: "connection reset", now: test.tick())
    }

    private func lookUp(_ key: String = "q", in test: TestCache? = nil, _ needs: FreshnessNeeds? = nil) -> String {
        let test = test ?? self.test
        let bytes = Array(key.utf8)
        let found = test.cache.lookupInOutage(
            bytes.span.bytes, now: test.now, needs: needs ?? FreshnessNeeds(notOlderThan: .distantPast))
        return found.map { ($0.payload as? Answer)?.text ?? "?" } ?? "none"
    }

    // MARK: What is served

    @Test func whatWasServableWhenTheStreamWasLostIsFound() throws {
        loseStream()
        let fresh = try #require(test.statistics.frozenAsOf)
        #expect(test.lookup("q") == "stream_lost")
        let bytes = Array("q".utf8)
        let hit = test.cache.lookupInOutage(
            bytes.span.bytes, now: test.now, needs: FreshnessNeeds(notOlderThan: .distantPast))
        #expect((hit?.payload as? Answer)?.text == "1")
        #expect(hit?.age == test.now.elapsed(since: fresh))
        #expect(lookUp("other") == "none")
        #expect(test.statistics.outageHits == 1)
        #expect(test.statistics.hits == 0)
        #expect(test.statistics.entries == 1)
    }

    @Test func nothingIsKeptWhereNothingIsAllowed() {
        let test = TestCache(CacheConfiguration(maxStaleness: .seconds(1)))
        test.start()
        test.keep("q", byID, "1")
        #expect(lookUp(in: test) == "none")
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(lookUp(in: test) == "none")
        #expect(test.statistics.entries == 0)
        #expect(test.statistics.frozenAsOf == nil)
    }

    /// The server hangs: nothing is heard, and nothing has ended.
    @Test func aSilentStreamVouchesForWhatItVouchedForLast() {
        test.start()
        test.keep("q", byID, "1")
        test.tick(600)
        #expect(test.lookup("q") == "stale")
        #expect(lookUp() == "1")
        test.apply(120, [test.relation.update(nil, [1, 5])])
        #expect(lookUp() == "none")
    }

    @Test func whatTheSessionHasWrittenOrSeenMustBeShown() throws {
        loseStream()
        let fresh = try #require(test.statistics.frozenAsOf)
        let later = fresh + .nanoseconds(1)
        func needs(
            _ level: ConsistencyLevel, wrote: Instant = .distantPast, saw: Instant = .distantPast
        ) -> FreshnessNeeds {
            FreshnessNeeds(level: level, wroteAt: wrote, sawAt: saw, arrivedAt: test.now)
        }
        #expect(lookUp("q", needs(.bounded, wrote: fresh, saw: later)) == "1")
        #expect(lookUp("q", needs(.session, wrote: fresh, saw: fresh)) == "1")
        #expect(lookUp("q", needs(.bounded, wrote: later)) == "none")
        #expect(lookUp("q", needs(.session, saw: later)) == "none")
        #expect(lookUp("q", needs(.strict)) == "none")
    }

    @Test func aProbeThatTheWatermarkHasNotPassedVouchesForNothing() throws {
        test.start()
        test.keep("q", byID, "1")
        let fresh = test.statistics.freshAsOf
        test.probe(ahead: 10)
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(test.statistics.frozenAsOf == fresh)
    }

    @Test func anEntryPastItsOwnAgeIsNotFound() {
        test.start()
        var rule = CacheRule(name: "young")
        rule.caching = .force
        rule.maxAge = .nanoseconds(100)
        let shape = StatementShape(id: ShapeID(rawValue: 1), normalized: [])
        let decision = test.cache.beginFill(
            key: Array("q".utf8), dependencies: byID, generation: test.generation, now: test.tick(),
            notOlderThan: .distantPast, policy: StatementPolicy(shape: shape, rule: rule))
        guard case .fill(let id) = decision else {
            Issue.record("\(decision)")
            return
        }
        test.complete(id, "1")
        test.probe()
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(lookUp() == "1")
        test.tick(200)
        #expect(lookUp() == "none")
    }

    // MARK: What ends it

    @Test func timeEndsIt() {
        loseStream()
        test.tick(4_000)
        #expect(lookUp() == "1")
        // Another try fails: nothing new is known, and the age goes on.
        test.cache.streamLost(reason: "refused", now: test.now)
        #expect(lookUp() == "1")
        test.tick(2_000)
        #expect(lookUp() == "none")
        #expect(test.statistics.entries == 1)
        test.cache.streamLost(reason: "refused", now: test.now)
        #expect(test.statistics.entries == 0)
        #expect(test.statistics.frozenAsOf == nil)
        #expect(test.statistics.invalidations[.gap] == 1)
    }

    /// What each of them does to the cache while the stream is lost.
    private static let ends: [(String, @Sendable (TestCache) -> Void)] = [
        ("the outage's end", { $0.cache.outageEnded() }),
        ("a flush", { $0.cache.flush() }),
        ("a flush of its relation", { $0.cache.flush(readersOf: [RelationID(100)]) }),
        ("a reading of the catalog", { $0.readCatalog("100:100:", keepsEntries: false) }),
        ("a reading without surprise", { $0.readCatalog("100:100:", keepsEntries: true) }),
        (
            "a change that no log tells of",
            { $0.cache.unloggedChangeSeen(under: snapshot("100:100:")) }
        ),
        ("the new stream", { $0.start() }),
    ]

    @Test(arguments: ends.indices) func whatEndsIt(_ index: Int) {
        let (what, end) = Self.ends[index]
        loseStream()
        end(test)
        #expect(lookUp() == "none", "\(what)")
        #expect(test.statistics.entries == 0, "\(what)")
    }

    /// The stream lives on after an outage that was none: its entries are as good as before.
    @Test func anOutageThatEndsBesideALiveStreamDropsNothing() {
        test.start()
        test.keep("q", byID, "1")
        test.cache.outageEnded()
        #expect(test.lookup("q") == "1")
    }

    @Test func anotherServerIsNoOutage() {
        test.start()
        test.keep("q", byID, "1")
        test.tick(10)
        #expect(test.probe("90:90:") == .regressed)
        #expect(lookUp() == "none")
        #expect(test.statistics.entries == 0)
    }

    @Test func theOperatorsSuspensionGoesBeforeIt() {
        loseStream()
        test.cache.suspend()
        #expect(lookUp() == "none")
        test.cache.resume()
        #expect(lookUp() == "1")
    }

    // MARK: Nothing joins it

    @Test func noFillBeginsOrEndsMeanwhile() {
        test.start()
        test.keep("q", byID, "1")
        let running = test.fill("running", byID)
        let finished = test.fill("finished", depends([equal("id", 2)]))
        test.complete(finished, "2")
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(test.begin("new", byID) == .refused(.suspended))
        #expect(test.complete(running, "3")?.outcome == .tainted(.gap))
        test.probe()
        test.keepalive()
        for key in ["running", "finished", "new"] { #expect(lookUp(key) == "none", "\(key)") }
        #expect(test.statistics.entries == 1)
        #expect(test.statistics.completedFills == 0)
        // And what comes with the next stream is dropped by it as ever.
        test.start()
        test.keep("q", byID, "4")
        test.apply(120, [test.relation.update(nil, [1, 5])])
        #expect(test.lookup("q") == "miss")
    }

    @Test func theRoomIsTheCaches() {
        let test = TestCache(
            CacheConfiguration(
                maxBytes: 4_000, maxResultBytes: 400, maxStaleness: .seconds(1), outageStaleness: .seconds(1)))
        test.start()
        for number in 0..<40 { test.keep("q\(number)", depends([equal("id", Int64(number))]), "1", bytes: 100) }
        let bytes = test.statistics.bytes
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(test.statistics.bytes == bytes)
        #expect(bytes <= 4_000)
    }
}
