import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct FreshnessLedgerTests {
    private var ledger = FreshnessLedger()

    private static func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    private static func probe(_ start: UInt64, _ lsn: UInt64, xmin: UInt64 = 1, xmax: UInt64 = 1) -> Probe {
        Probe(
            startedAt: at(start),
            snapshot: Snapshot(xmin: TransactionID(xmin), xmax: TransactionID(xmax), inProgress: []),
            insertLSN: LSN(lsn))
    }

    private mutating func start(_ point: UInt64 = 100, _ probe: Probe = probe(10, 100)) {
        ledger.streamStarted(at: LSN(point), probe: probe, now: Self.at(20))
    }

    /// Its answer comes 5 ns after its start, unless given.
    private mutating func completed(_ probe: Probe, at end: UInt64? = nil) -> ProbeVerdict {
        ledger.probeCompleted(probe, now: end.map(Self.at) ?? probe.startedAt + .nanoseconds(5))
    }

    @Test mutating func withoutAStreamNothingIsFresh() {
        #expect(completed(Self.probe(10, 100)) == .late)
        #expect(ledger.freshAsOf == .distantPast)
        #expect(ledger.servingUntil(maxStaleness: .seconds(1), maxSilence: .seconds(1)) == .distantPast)
    }

    @Test mutating func theFirstProbeMayBeReachedAtOnce() {
        start()
        #expect(ledger.freshAsOf == Self.at(10))
        #expect(ledger.watermark == LSN(100))
    }

    @Test mutating func freshAsOfTheNewestProbeThatTheWatermarkHasReached() {
        start(100, Self.probe(10, 150))
        #expect(ledger.freshAsOf == .distantPast)
        #expect(completed(Self.probe(30, 200)) == .accepted)
        #expect(completed(Self.probe(40, 300)) == .accepted)
        #expect(ledger.behindSince == Self.at(10))
        for (lsn, fresh) in [(149, 0), (150, 10), (199, 10), (250, 30), (300, 40), (400, 40)] as [(UInt64, UInt64)] {
            ledger.watermarkReached(LSN(lsn), now: Self.at(50))
            #expect(ledger.freshAsOf == Self.at(fresh))
        }
        #expect(ledger.behindSince == nil)
    }

    @Test mutating func theWatermarkNeverFalls() {
        start()
        ledger.watermarkReached(LSN(500), now: Self.at(30))
        ledger.watermarkReached(LSN(400), now: Self.at(25))
        #expect(ledger.watermark == LSN(500))
        #expect(ledger.lastMessage == Self.at(30))
    }

    @Test mutating func aProbeBegunBeforeTheNewestIsLate() {
        start()
        #expect(completed(Self.probe(30, 200)) == .accepted)
        #expect(completed(Self.probe(29, 300)) == .late)
        #expect(ledger.newestProbe?.startedAt == Self.at(30))
    }

    @Test(arguments: [(199, 5, 8), (200, 4, 8), (200, 5, 7)])
    mutating func goingBackIsARegression(lsn: UInt64, xmin: UInt64, xmax: UInt64) {
        start()
        #expect(completed(Self.probe(30, 200, xmin: 5, xmax: 8)) == .accepted)
        #expect(completed(Self.probe(40, lsn, xmin: xmin, xmax: xmax)) == .regressed)
    }

    @Test mutating func servingEndsWithFreshnessOrSilence() {
        start()
        ledger.watermarkReached(LSN(100), now: Self.at(50))
        #expect(ledger.servingUntil(maxStaleness: .nanoseconds(15), maxSilence: .nanoseconds(900)) == Self.at(25))
        #expect(ledger.servingUntil(maxStaleness: .nanoseconds(900), maxSilence: .nanoseconds(7)) == Self.at(57))
    }

    /// The watermark stands still for long: the probes that it will reach first stay, the newest is the last.
    @Test mutating func manyOutstandingProbesAreBounded() {
        start(100, Self.probe(10, 150))
        for number in 0..<1000 {
            #expect(completed(Self.probe(20 + UInt64(number), 200 + UInt64(number))) == .accepted)
        }
        #expect(ledger.behindSince == Self.at(10))
        ledger.watermarkReached(LSN(205), now: Self.at(2000))
        #expect(ledger.freshAsOf == Self.at(25))
        ledger.watermarkReached(LSN(1200), now: Self.at(2000))
        #expect(ledger.freshAsOf == Self.at(1019))
    }

    @Test mutating func aLostStreamForgetsEverything() {
        start()
        ledger.streamLost()
        #expect(ledger.newestProbe == nil)
        #expect(ledger.freshAsOf == .distantPast)
        #expect(ledger.watermark == .zero)
    }

    /// On two connections, the one begun first may be evaluated last.
    @Test mutating func ofTwoProbesThatOverlapTheOlderIsLate() {
        start(100, Self.probe(10, 150))
        #expect(completed(Self.probe(15, 140), at: 30) == .late)
        #expect(completed(Self.probe(19, 160), at: 40) == .accepted)
        #expect(completed(Self.probe(39, 150), at: 50) == .late)
        #expect(completed(Self.probe(40, 150), at: 50) == .regressed)
    }
}

@Suite struct ServingGateTests {
    @Test func beginsSuspended() {
        let gate = ServingGate()
        #expect(gate.read() == nil)
        #expect(gate.reason == .streamNotStarted)
    }

    @Test func showsWhatWasPublished() throws {
        let gate = ServingGate()
        gate.publish(freshAsOf: Instant(nanoseconds: 5), servingUntil: Instant(nanoseconds: 9))
        let read = gate.read()
        let reading = try #require(read)
        #expect(reading.freshAsOf == Instant(nanoseconds: 5))
        #expect(reading.servingUntil == Instant(nanoseconds: 9))
        #expect(gate.reason == nil)
    }

    /// Running but not fresh is not the same as suspended.
    @Test func neverFreshIsClosedButNotSuspended() throws {
        let gate = ServingGate()
        gate.publish(freshAsOf: .distantPast, servingUntil: .distantPast)
        let read = gate.read()
        let reading = try #require(read)
        #expect(reading.servingUntil <= Instant(nanoseconds: 1))
    }

    @Test func suspends() {
        let gate = ServingGate()
        gate.publish(freshAsOf: Instant(nanoseconds: 5), servingUntil: Instant(nanoseconds: 9))
        gate.suspend(.operatorRequest)
        #expect(gate.read() == nil)
        #expect(gate.reason == .operatorRequest)
    }
}
