import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// The life of results, step by step. Identifiers below 100 are visible unless a snapshot says otherwise.
@Suite struct ResultCacheTests {
    private let test = TestCache()
    private let byID = depends([equal("id", 1)])

    // MARK: From miss to hit

    @Test func aResultBecomesServableWhenTheWatermarkHasPassedAProbeBegunAfterIt() {
        test.start()
        #expect(test.lookup("q") == "miss")
        let id = test.fill("q", byID)
        #expect(test.complete(id, "one")?.outcome == .pendingVisibility)
        #expect(test.lookup("q") == "miss")
        test.probe(ahead: 50)
        #expect(test.lookup("q") == "miss")
        test.keepalive(ahead: 50)
        #expect(test.lookup("q") == "one")
        #expect(test.statistics.hits == 1)
        #expect(test.statistics.misses == 3)
        #expect(test.statistics.fillsKept == 1)
        #expect(test.statistics.entries == 1)
    }

    @Test func nothingIsServedOrFilledWithoutAStream() {
        #expect(test.lookup("q") == "stream_not_started")
        #expect(test.begin("q", byID) == .refused(.suspended))
        test.start()
        test.keep("q", byID, "one")
        #expect(test.lookup("q") == "one")
        test.cache.streamLost(reason: "connection reset", now: test.tick())
        #expect(test.lookup("q") == "stream_lost")
        #expect(test.statistics.suspensionDetail == "connection reset")
        test.start()
        #expect(test.lookup("q") == "miss")
        #expect(test.statistics.invalidations[.gap] == 1)
        #expect(test.statistics.suspension == nil)
    }

    // MARK: Changes

    @Test func aChangeDropsWhatItMayAffectAndNothingElse() {
        test.start()
        test.keep("one", depends([equal("id", 1)]), "1")
        test.keep("two", depends([equal("id", 2)]), "2")
        let report = test.apply(120, [test.relation.update(nil, [1, 5])])
        #expect(report.transaction == TransactionID(120))
        #expect(report.dropped[.row] == 1)
        #expect(report.dropped.total == 1)
        #expect(test.lookup("one") == "miss")
        #expect(test.lookup("two") == "2")
    }

    @Test func anUnknownOldRowIsItsOwnCause() {
        test.start()
        test.keep("q", depends([equal("a", 7)]), "1")
        #expect(test.apply(120, [test.relation.update(nil, [1, 5])]).dropped[.unknownOldRow] == 1)
    }

    @Test func aTruncateDropsAllOfItsRelation() {
        test.start()
        test.keep("q", byID, "1")
        test.keep("other", depends(on: 7, []), "2")
        #expect(test.apply(120, wholeRelations: [100]).dropped[.wholeRelation] == 1)
        #expect(test.lookup("q") == "miss")
        #expect(test.lookup("other") == "2")
    }

    /// The commit is decoded while no reader sees it yet: 120 is in progress in the newest snapshot.
    @Test func anInvisibleCommitTaintsFillsThatBeginAfterIt() {
        test.start("100:130:120")
        test.apply(120, [test.relation.insert([1, 5])])
        let id = test.fill("q", byID)
        #expect(test.complete(id, "old row")?.outcome == .tainted(.recentTransaction))
        #expect(test.statistics.fillsTainted[.recentTransaction] == 1)
        #expect(test.statistics.recentTransactions == 1)
        // It becomes visible; the next probe sees that.
        test.probe("130:130:")
        #expect(test.statistics.recentTransactions == 0)
        test.complete(test.fill("q", byID), "new row")
        test.probe("130:130:")
        #expect(test.lookup("q") == "new row")
    }

    @Test func aCommitThatArrivesDuringAFillTaintsIt() {
        test.start("100:130:120")
        let id = test.fill("q", byID)
        let report = test.apply(120, [test.relation.insert([1, 5])])
        #expect(report.tainted == 1)
        #expect(report.wantsProbe)
        #expect(test.complete(id, "?")?.outcome == .tainted(.row))
        #expect(test.statistics.fillsTainted[.row] == 1)
    }

    /// The stream lags: the fill has seen what only now is told.
    @Test func aCommitThatTheHorizonCoversLeavesTheFill() {
        test.start("130:130:")
        let id = test.fill("q", byID)
        #expect(test.apply(120, [test.relation.insert([1, 5])]).tainted == 0)
        #expect(test.complete(id, "seen")?.outcome == .pendingVisibility)
        test.probe("130:130:")
        #expect(test.lookup("q") == "seen")
    }

    @Test func aFinishedResultIsDroppedUntilTheMomentItIsServable() {
        test.start()
        test.complete(test.fill("a", byID), "a")
        #expect(test.apply(120, [test.relation.insert([1, 5])]).dropped[.row] == 1)
        test.complete(test.fill("b", depends([equal("id", 2)])), "b")
        test.probe(ahead: 500)
        #expect(test.apply(121, [test.relation.insert([2, 5])]).dropped[.row] == 1)
        test.keepalive(ahead: 1000)
        #expect(test.lookup("a") == "miss")
        #expect(test.lookup("b") == "miss")
        #expect(test.statistics.completedFills == 0)
        #expect(test.statistics.runningFills == 0)
    }

    @Test func shortIdentifiersAreWidenedNearTheNewestProbe() {
        let epoch: UInt64 = 7 << 32
        test.start("\(epoch + 10):\(epoch + 10):")
        #expect(test.apply(12, [test.relation.insert([1, 1])]).transaction == TransactionID(epoch + 12))
        #expect(test.apply(.max, [test.relation.insert([1, 1])]).transaction == TransactionID(epoch - 1))
        // The second is covered by the probe and needs no remembering.
        #expect(test.statistics.recentTransactions == 1)
    }

    @Test func beforeTheStreamNothingIsApplied() {
        let report = test.apply(120, [test.relation.insert([1, 5])])
        #expect(report.transaction == nil)
        #expect(test.statistics.transactions == 0)
    }

    // MARK: The catalog

    @Test func aCatalogChangeEmptiesTheCacheAndKeepsFillsAwayUntilItIsRead() {
        test.start("100:130:120")
        test.keep("q", byID, "1")
        let running = test.fill("r", depends(on: 7, []))
        let report = test.apply(120, message: "ddl ALTER TABLE")
        #expect(report.catalogChanged)
        #expect(report.dropped[.catalogChanged] == 1)
        #expect(report.tainted == 1)
        #expect(test.complete(running, "?")?.outcome == .tainted(.catalogChanged))
        #expect(test.begin("q", byID) == .refused(.catalogChanged))
        #expect(test.cache.demand(now: test.now).catalog)
        #expect(test.statistics.catalogIsStale)
        // A reading that cannot have seen the change does not count.
        #expect(test.readCatalog("100:130:120") == false)
        #expect(test.begin("q", byID) == .refused(.catalogChanged))
        #expect(test.readCatalog("130:130:") == true)
        #expect(!test.cache.demand(now: test.now).catalog)
        #expect(test.fill("q", byID) != nil)
    }

    @Test func aConfinedCatalogChangeDropsWhatReadsTheRelation() {
        test.start()
        test.keep("q", byID, "1")
        test.keep("other", depends(on: 7, []), "2")
        // No row of it matters, its columns do.
        test.keep("never", depends(on: 8, [Term(column: column("a"), test: .never)]), "3")
        let running = test.fill("r", depends(on: 7, []))
        let report = test.apply(120, message: "ddl @7,8 ALTER TABLE public.t")
        #expect(report.catalogChanged)
        #expect(report.dropped[.catalogChanged] == 2)
        #expect(report.tainted == 1)
        #expect(test.complete(running, "?")?.outcome == .tainted(.catalogChanged))
        #expect(test.lookup("other") == "miss" && test.lookup("never") == "miss")
        #expect(test.begin("r", depends(on: 7, [])) == .refused(.catalogChanged))
        #expect(test.readCatalog("130:130:", keepsEntries: true))
        test.probe("130:130:")
        #expect(test.lookup("q") == "1")
        #expect(test.readCatalog("130:130:"))
        #expect(test.lookup("q") == "miss")
    }

    /// The fill's snapshot sees the change; the catalog by which it was analysed does not.
    @Test func noHorizonCoversAChangeOfTheCatalog() {
        test.start("100:130:")
        let running = test.fill("r", depends(on: 7, []))
        #expect(test.apply(120, message: "ddl @7 ALTER TABLE public.t").tainted == 1)
        #expect(test.complete(running, "?")?.outcome == .tainted(.catalogChanged))
    }

    @Test(arguments: ["ddl", "ddl ALTER TABLE public.t", "ddl @x", "ddl @7,", "ddl @7,,8 t", "ddl @-7 t", "ddl@7 t"])
    func aCatalogChangeThatIsNotConfinedConcernsAll(message: String) {
        test.start()
        test.keep("q", byID, "1")
        test.apply(120, message: message)
        #expect(test.lookup("q") == "miss")
    }

    @Test func aCatalogChangeMayConcernNoResult() {
        test.start()
        test.keep("q", byID, "1")
        #expect(test.apply(120, message: "ddl @ CREATE INDEX public.i").catalogChanged)
        #expect(test.lookup("q") == "1")
    }

    @Test func aChangeInNoLogEmptiesTheCacheAndWantsAReadingThatSeesIt() {
        test.start("100:130:120")
        test.keep("q", byID, "1")
        test.cache.unloggedChangeSeen(under: snapshot("100:130:120"))
        #expect(test.lookup("q") == "miss")
        #expect(test.begin("q", byID) == .refused(.catalogChanged))
        #expect(test.cache.demand(now: test.now).catalog)
        #expect(test.readCatalog("100:128:120") == false)
        #expect(test.readCatalog("100:130:110,120") == false)
        #expect(test.readCatalog("100:131:120,130"))
        #expect(test.fill("q", byID) != nil)
    }

    @Test func aStatementAnalysedUnderAnOlderCatalogFillsNothing() {
        test.start()
        #expect(test.begin("q", byID, generation: 0) == .refused(.catalogChanged))
        #expect(test.begin("q", byID, generation: 1) != .refused(.catalogChanged))
    }

    @Test func aNewStreamWantsANewReadingOfTheCatalog() {
        test.start()
        test.cache.streamStarted(
            at: test.position,
            probe: Probe(startedAt: test.tick(), snapshot: snapshot("200:200:"), insertLSN: test.position),
            ceiling: TransactionID(200), now: test.tick())
        #expect(test.begin("q", byID) == .refused(.catalogChanged))
        #expect(test.readCatalog("199:199:") == false)
        #expect(test.readCatalog("200:200:") == true)
        #expect(test.fill("q", byID) != nil)
    }

    @Test func heartbeatsAreCountedAndChangeNothing() {
        test.start()
        test.keep("q", byID, "1")
        test.apply(120, message: "heartbeat 7")
        #expect(test.statistics.heartbeats == 1)
        #expect(test.statistics.recentTransactions == 0)
        #expect(test.lookup("q") == "1")
    }

    // MARK: Freshness

    @Test func hitsEndWhenTheCacheFallsBehind() {
        test.start()
        test.keep("q", byID, "1")
        test.tick(990)
        #expect(test.lookup("q") == "stale")
        test.probe()
        #expect(test.lookup("q") == "1")
        // A probe that the watermark has not reached proves nothing.
        test.tick(990)
        test.probe(ahead: 10)
        #expect(test.lookup("q") == "stale")
        test.keepalive(ahead: 10)
        #expect(test.lookup("q") == "1")
        #expect(test.statistics.stale == 2)
    }

    @Test func aSilentStreamEndsHits() {
        let test = TestCache(CacheConfiguration(maxStaleness: .seconds(10), maxSilence: .nanoseconds(500)))
        test.start()
        test.keep("q", byID, "1")
        test.tick(300)
        #expect(test.lookup("q") == "1")
        test.tick(300)
        test.probe()
        #expect(test.lookup("q") == "stale")
        test.keepalive()
        #expect(test.lookup("q") == "1")
    }

    @Test func aSessionReadsItsOwnWrites() {
        test.start()
        test.keep("q", byID, "1")
        let wrote = test.tick()
        #expect(test.lookup("q", notOlderThan: wrote) == "stale")
        test.cache.sessionNeedsFreshness(since: wrote)
        #expect(test.cache.demand(now: test.now).probe)
        test.probe()
        #expect(test.lookup("q", notOlderThan: wrote) == "1")
        #expect(!test.cache.demand(now: test.now).probe)
    }

    @Test func aProbeThatGoesBackEmptiesAndSuspends() {
        test.start()
        test.keep("q", byID, "1")
        #expect(test.probe("90:90:") == .regressed)
        #expect(test.lookup("q") == "probe_regressed")
        #expect(test.statistics.suspension == .probeRegressed)
        test.start()
        #expect(test.lookup("q") == "miss")
    }
}
