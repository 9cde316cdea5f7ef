import Testing
import WaldenCore

@testable import WaldenCache

/// Real threads on one cache: a stream, a prober, writers, and readers who fill what they miss. A reader remembers what
/// it saw of a row on the primary and asks the cache for nothing older.
@Suite struct ThreadedTests {
    private static let rows = 32
    private static let readers = 4

    private let primary = ThreadedPrimary(rows: rows, readers: readers)
    private let cache = ResultCache(
        configuration: CacheConfiguration(maxBytes: 1 << 20, maxResultBytes: 1 << 10, maxStaleness: .seconds(60)))

    @Test func noHitIsOlderThanWhatItsReaderSawBefore() async {
        cache.streamStarted(
            at: LSN(1000), probe: primary.probe(), ceiling: TransactionID(1000), now: primary.now)
        cache.catalogChanged(generation: 1, readUnder: primary.probe().snapshot)
        let (primary, cache) = (primary, cache)
        var totals = Reader(seed: 0, rows: Self.rows)
        await withTaskGroup(of: Reader.self) { group in
            group.addTask {
                while primary.readersRunning { await stream(primary, cache) }
                return Reader(seed: 0, rows: 0)
            }
            group.addTask {
                var random = SplitMix64(seed: 77)
                while primary.readersRunning {
                    primary.write(random.below(Self.rows))
                    for _ in 0..<20 { await Task.yield() }
                }
                return Reader(seed: 0, rows: 0)
            }
            for seed in 0..<Self.readers {
                group.addTask {
                    var reader = Reader(seed: UInt64(seed), rows: Self.rows)
                    for _ in 0..<1500 {
                        reader.visit(cache, primary)
                        await Task.yield()
                    }
                    primary.readerEnded()
                    return reader
                }
            }
            for await reader in group {
                totals.hits += reader.hits
                totals.violations += reader.violations
            }
        }
        #expect(totals.violations == 0)
        #expect(totals.hits > 0)
    }

}

private func stream(_ primary: ThreadedPrimary, _ cache: ResultCache) async {
    for transaction in primary.takeStream() { _ = cache.apply(transaction, now: primary.now) }
    cache.probeCompleted(primary.probe(), now: primary.now)
    _ = cache.demand(now: primary.now)
    await Task.yield()
}

private struct Reader: Sendable {
    private var random: SplitMix64
    /// By row, what the primary had and when that was certain.
    private var seen: [(version: Int64, at: Instant)]
    var hits = 0
    var violations = 0

    init(seed: UInt64, rows: Int) {
        random = SplitMix64(seed: seed)
        seen = Array(repeating: (0, .distantPast), count: rows)
    }

    mutating func visit(_ cache: ResultCache, _ primary: ThreadedPrimary) {
        let row = random.below(seen.count)
        let key = Array("row \(row)".utf8)
        switch cache.lookup(key.span.bytes, now: primary.now, notOlderThan: seen[row].at) {
        case .hit(let payload):
            hits += 1
            guard let answer = payload as? VersionedAnswer else { return violations += 1 }
            if answer.row != row || answer.version < seen[row].version { violations += 1 }
        case .miss, .stale, .suspended:
            fill(key, row, cache, primary)
        }
        // First the version, then the clock: at that instant it certainly was visible.
        if random.chance(30) { seen[row] = (primary.version(of: row), primary.now) }
    }

    private func fill(_ key: [UInt8], _ row: Int, _ cache: ResultCache, _ primary: ThreadedPrimary) {
        let decision = cache.beginFill(
            key: key, dependencies: depends([equal("id", Int64(row))]), generation: 1, now: primary.now,
            notOlderThan: .distantPast)
        guard case .fill(let id) = decision else { return }
        let answer = VersionedAnswer(row: row, version: primary.version(of: row))
        _ = cache.completeFill(id, payload: answer, payloadBytes: 16, now: primary.now)
    }
}

private final class VersionedAnswer: Sendable {
    let row: Int
    let version: Int64

    init(row: Int, version: Int64) {
        self.row = row
        self.version = version
    }
}
