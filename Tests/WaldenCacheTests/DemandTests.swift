import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// What the prober is asked to do.
@Suite struct DemandTests {
    private let test = TestCache(CacheConfiguration(maxStaleness: .microseconds(100), nudgeAfter: .nanoseconds(200)))
    private let byID = depends([equal("id", 1)])

    private var demand: ProbeDemand { test.cache.demand(now: test.tick()) }

    private func expect(probe: Bool = false, keepalive: Bool = false, nudge: Bool = false, _ comment: Comment) {
        #expect(demand == ProbeDemand(probe: probe, keepalive: keepalive, nudge: nudge, catalog: false), comment)
    }

    @Test func nothingWithoutAStream() {
        expect("no stream")
    }

    @Test func nothingAtRest() {
        test.start()
        expect("just started")
    }

    @Test func aFinishedFillWantsAProbeThenTheWatermark() {
        test.start()
        test.complete(test.fill("q", byID), "1")
        expect(probe: true, "finished")
        test.probe(ahead: 50)
        expect(keepalive: true, "probed, the watermark is behind")
        test.tick(200)
        expect(keepalive: true, nudge: true, "in vain")
        expect(keepalive: true, "nudged just now")
        test.tick(200)
        expect(keepalive: true, nudge: true, "still in vain")
        test.keepalive(ahead: 50)
        expect("servable")
    }

    @Test func aChangeThatDroppedSomethingWantsAProbe() {
        test.start()
        test.keep("q", byID, "1")
        expect("at rest")
        test.apply(120, [test.relation.insert([9, 1])])
        expect("dropped nothing")
        test.apply(121, [test.relation.insert([1, 1])])
        expect(probe: true, "the next fill should see it")
        test.probe("130:130:")
        expect("seen")
    }

    @Test func aFillTaintedByTheRecentListWantsAProbe() {
        test.start()
        test.apply(120, [test.relation.insert([1, 1])])
        expect("nobody asked")
        _ = test.fill("q", byID)
        expect(probe: true, "the next one should be kept")
    }

    @Test func anAgingProbeIsRenewedSoThatTheGateStaysOpen() {
        test.start()
        test.tick(24_000)
        expect("fresh enough")
        test.tick(2_000)
        expect(probe: true, "a quarter of the staleness")
        test.probe(ahead: 10)
        expect(keepalive: true, "the watermark lags, nobody waits")
        test.tick(60_000)
        test.probe(ahead: 10)
        #expect(demand.nudge, "the gate is about to close")
    }

    @Test func aWriterWaitsForFreshness() {
        test.start()
        let wrote = test.tick()
        test.cache.sessionNeedsFreshness(since: wrote)
        expect(probe: true, "newer than any probe")
        test.probe(ahead: 10)
        expect(keepalive: true, "the watermark is behind")
        test.tick(300)
        expect(keepalive: true, nudge: true, "in vain")
        test.keepalive(ahead: 10)
        expect("fresh")
    }

    @Test func aQuietStreamIsAskedForAWord() {
        let test = TestCache(CacheConfiguration(maxStaleness: .seconds(100), maxSilence: .microseconds(4)))
        test.start()
        #expect(!test.cache.demand(now: test.tick()).keepalive)
        #expect(test.cache.demand(now: test.tick(1000)).keepalive)
    }
}
