import Logging
import Testing
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenPostgres

@testable import WaldenRuntime

/// Hazard: `synchronous_commit = off`: visible, then lost in a crash. What readers had seen may be gone with the old run
/// of the server or its old timeline, and no stream tells of it.
@Suite struct RestartTests {
    private final class Answer: Sendable {}

    private let cache = ResultCache(configuration: CacheConfiguration(maxStaleness: .seconds(3600)))
    private let coupling: ProberCoupling

    init() {
        coupling = ProberCoupling(cache: cache, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func instant(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    private func probe(at moment: UInt64) throws -> Probe {
        Probe(startedAt: instant(moment), snapshot: try #require(Snapshot("100:100:")), insertLSN: LSN(1000))
    }

    private func identity(timeline: UInt32 = 1) -> ServerIdentity {
        ServerIdentity(
            system: SystemIdentity(systemIdentifier: "7", timeline: TimelineID(timeline), serverVersion: 150_018),
            startedAt: 5)
    }

    /// Keeps one result.
    private func keep() throws {
        let snapshot = try #require(Snapshot("100:100:"))
        cache.streamStarted(at: LSN(1000), probe: try probe(at: 10), ceiling: TransactionID(50), now: instant(20))
        cache.catalogChanged(generation: 1, readUnder: snapshot)
        let decision = cache.beginFill(
            key: [1], dependencies: Dependencies(tables: []), generation: 1, now: instant(30),
            notOlderThan: .distantPast)
        guard case .fill(let id) = decision else {
            Issue.record("no fill: \(decision)")
            return
        }
        _ = cache.completeFill(id, payload: Answer(), payloadBytes: 10, now: instant(40))
        cache.probeCompleted(try probe(at: 50), now: instant(60))
        #expect(cache.statistics.entries == 1)
    }

    @Test(arguments: [ServerIdentity.Change.restarted, .otherTimeline, .otherSystem])
    func anotherRunOfTheServerEmptiesTheCache(change: ServerIdentity.Change) throws {
        try keep()
        coupling.proberConnected(identity(timeline: 2), change: change)
        #expect(cache.statistics.entries == 0)
    }

    @Test(arguments: [ServerIdentity.Change.first, .none])
    func theSameRunLeavesItAsItIs(change: ServerIdentity.Change) throws {
        try keep()
        coupling.proberConnected(identity(), change: change)
        #expect(cache.statistics.entries == 1)
    }
}
