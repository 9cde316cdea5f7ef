import Testing
import WaldenCore

@testable import WaldenCache

/// Random interleavings of writers, stream, probes and fills. A violation means that a result was served which its
/// query does not have in the state at the watermark: the one thing that must never happen.
@Suite struct SimulationTests {
    @Test func servesTheStateAtTheWatermark() {
        run(seeds: 0..<8, SimulationProfile())
    }

    /// Rows move between groups all the time, and only their keys tell which results they leave.
    @Test func withResultKeys() {
        run(
            seeds: 300..<316,
            SimulationProfile(write: 8, commit: 20, becomeVisible: 24, hangs: true, loseStream: 0, drastic: 0))
    }

    /// The same changes drop less when results are filed by their keys.
    @Test func resultKeysSpareEntries() {
        func dropped(_ resultKeys: Bool) -> (unknown: Int, hits: Int) {
            var profile = SimulationProfile(loseStream: 0, drastic: 0)
            profile.resultKeys = resultKeys
            var sum = (unknown: 0, hits: 0)
            for seed in UInt64(400)..<408 {
                var simulation = Simulation(seed: seed, profile: profile)
                for _ in 0..<2000 { simulation.step() }
                sum.unknown += simulation.cache.statistics.invalidations[.unknownOldRow]
                sum.hits += simulation.hits
            }
            return sum
        }
        let with = dropped(true)
        let without = dropped(false)
        #expect(with.unknown < without.unknown)
        #expect(with.hits > without.hits)
    }

    @Test func withFullReplicaIdentity() {
        run(seeds: 20..<28, SimulationProfile(identity: .full))
    }

    /// Commits are decoded long before anyone sees them.
    @Test func withAHangingSynchronousStandby() {
        run(seeds: 40..<52, SimulationProfile(hangs: true, drastic: 1))
    }

    @Test func withALaggingStream() {
        run(seeds: 60..<68, SimulationProfile(deliver: 6, keepalive: 3))
    }

    /// The stream is lost and started anew all the time.
    @Test func withManyStreamStarts() {
        run(seeds: 80..<92, SimulationProfile(hangs: true, loseStream: 4))
    }

    /// The stream is lost again and again, and what was kept is shown meanwhile.
    @Test func inOutages() {
        var hits = 0
        for seed in UInt64(500)..<508 {
            var simulation = Simulation(
                seed: seed, profile: SimulationProfile(loseStream: 3, outageStaleness: .microseconds(200)))
            for _ in 0..<2000 where simulation.violations.isEmpty { simulation.step() }
            #expect(simulation.violations.isEmpty, "seed \(seed): \(simulation.violations)")
            hits += simulation.cache.statistics.outageHits
            #expect(simulation.settle() >= SimulatedQuery.allCases.count, "seed \(seed)")
        }
        #expect(hits > 500)
    }

    /// Commits are visible long before they are flushed and told, and probes take their time.
    @Test func withAsynchronousCommitsAndSlowProbes() {
        run(
            seeds: 210..<220,
            SimulationProfile(
                identity: .full, write: 8, commit: 24, becomeVisible: 30, flush: 4, deliver: 30, keepalive: 30,
                probe: 12, fill: 120, loseStream: 0, asynchronous: 100, drastic: 0))
    }

    @Test func withATinyRecentList() {
        run(seeds: 110..<120, SimulationProfile(hangs: true, drastic: 1, maxRecentChanges: 2))
    }

    @Test func withManyCatalogChanges() {
        run(seeds: 130..<140, SimulationProfile(identity: .full, hangs: true, drastic: 25))
    }

    /// The catalog changes while no stream runs, and nobody tells.
    @Test func withCatalogChangesBetweenStreams() {
        run(seeds: 170..<186, SimulationProfile(identity: .full, write: 6, loseStream: 2, drastic: 15))
    }

    @Test func withFillsOnStandbys() {
        run(seeds: 230..<242, SimulationProfile(standbys: 2))
    }

    /// What waits at the primary for its synchronous standby, others show already.
    @Test func withFillsOnStandbysAheadOfThePrimarysReaders() {
        run(
            seeds: 250..<262,
            SimulationProfile(
                identity: .full, hangs: true, loseStream: 0, standbys: 2, replay: 40, sample: 40, drastic: 1))
    }

    @Test func withFillsOnLaggingStandbys() {
        run(
            seeds: 270..<280,
            SimulationProfile(commit: 20, becomeVisible: 30, standbys: 3, replay: 5, drastic: 10, maxRecentChanges: 8))
    }

    @Test func withRoomForFewEntries() {
        run(seeds: 150..<156, SimulationProfile(maxBytes: 2200), settles: false)
    }

    private func run(seeds: Range<UInt64>, _ profile: SimulationProfile, settles: Bool = true) {
        var hits = 0
        var audits = 0
        var fillsOnStandbys = 0
        for seed in seeds {
            var simulation = Simulation(seed: seed, profile: profile)
            for _ in 0..<2000 where simulation.violations.isEmpty { simulation.step() }
            hits += simulation.hits
            audits += simulation.audits
            fillsOnStandbys += simulation.fillsOnStandbys
            let hitsAtRest = settles ? simulation.settle() : SimulatedQuery.allCases.count
            #expect(simulation.violations.isEmpty, "seed \(seed)")
            #expect(hitsAtRest >= SimulatedQuery.allCases.count, "seed \(seed)")
        }
        #expect(hits > seeds.count * 10)
        #expect(fillsOnStandbys >= (profile.standbys > 0 ? seeds.count * 10 : 0))
        #expect(audits > seeds.count / 10)
    }
}
