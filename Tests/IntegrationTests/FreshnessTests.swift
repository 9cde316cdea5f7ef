import Glibc
import Testing
import WaldenTestKit

/// Scenario: eight writers, half of them past Walden, and eight readers through it work for 20 s on rows that carry
/// their version. Risk: a hit older than `max_staleness`, or an entry that stays stale when all is quiet.
@Suite struct FreshnessTests {
    private static let rowCount = 400
    private static let workers = 8
    private static let maxStaleness = Duration.seconds(1)
    private static let schema = """
        CREATE TABLE versions (id int PRIMARY KEY, version int NOT NULL, filler text);
        INSERT INTO versions SELECT id, 0, repeat('x', 50) FROM generate_series(0, 399) AS id
        """

    @Test func noHitIsOlderThanAllowed() throws {
        var configuration = WaldenStack.Configuration(schema: Self.schema)
        configuration.flags = ["--cache-max-staleness", "1s"]
        let stack = try WaldenStack.start(configuration)
        let ledger = VersionLedger(rows: Self.rowCount)
        let end = ContinuousClock.now + .seconds(20)
        let seed = UInt64.random(in: 0..<1_000_000)

        let outcomes = try concurrently(2 * Self.workers) { index -> Outcome in
            var generator = SeededGenerator(seed: seed + UInt64(index))
            if index < Self.workers {
                return try Self.write(index, stack, ledger, until: end, &generator)
            }
            return try Self.read(stack, ledger, until: end, &generator)
        }

        let reads = outcomes.map(\.reads).reduce(0, +)
        let writes = outcomes.map(\.writes).reduce(0, +)
        let figures = try stack.figures()
        print("freshness: seed=\(seed) reads=\(reads) writes=\(writes) hits=\(figures.hits) misses=\(figures.misses)")
        #expect(outcomes.flatMap(\.stale).isEmpty, "seed \(seed)")
        #expect(reads > 1000)
        #expect(writes > 100)
        #expect(figures.hits > reads / 5, "of \(reads) reads; \(figures.json)")

        try stack.waitUntilApplied()
        let client = try stack.proxied()
        for _ in 0..<3 {
            for id in 0..<Self.rowCount {
                let version = try client.query(Self.read, ["\(id)"]).integer
                #expect(version == ledger.lastVersion(of: id), "row \(id) after all writers have ended")
            }
        }
    }

    private static let read = "SELECT version, filler FROM versions WHERE id = $1"

    private struct Outcome: Sendable {
        var reads = 0
        var writes = 0
        var stale: [String] = []
    }

    /// Each row has one writer, so its versions follow one another.
    private static func write(
        _ worker: Int, _ stack: WaldenStack, _ ledger: VersionLedger, until end: ContinuousClock.Instant,
        _ generator: inout SeededGenerator
    ) throws -> Outcome {
        let client = try worker % 2 == 0 ? stack.direct() : stack.proxied()
        var outcome = Outcome()
        while ContinuousClock.now < end {
            let id = Int.random(in: 0..<(rowCount / workers), using: &generator) * workers + worker
            let version = ledger.lastVersion(of: id) + 1
            let sql = update(id, to: version)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                try client.query("BEGIN; \(update(id, to: version + 1_000_000)); ROLLBACK")
                continue
            case 1...3: try client.query("BEGIN; \(sql); COMMIT")
            default: try client.query(sql)
            }
            ledger.committed(id)
            outcome.writes += 1
            // At full speed eight writers leave two processors no time for anybody who reads.
            usleep(4000)
        }
        return outcome
    }

    private static func update(_ id: Int, to version: Int) -> String {
        "UPDATE versions SET version = \(version) WHERE id = \(id)"
    }

    private static func read(
        _ stack: WaldenStack, _ ledger: VersionLedger, until end: ContinuousClock.Instant,
        _ generator: inout SeededGenerator
    ) throws -> Outcome {
        let client = try stack.proxied()
        try client.prepare("read", read)
        var outcome = Outcome()
        while ContinuousClock.now < end {
            // Half of the reads go to a tenth of the rows.
            let isHot = Bool.random(using: &generator)
            let id = Int.random(in: 0..<(isHot ? rowCount / 10 : rowCount), using: &generator)
            let sentAt = ContinuousClock.now
            guard let version = try client.execute(prepared: "read", ["\(id)"]).integer else {
                throw TestKitError("row \(id) is not there")
            }
            outcome.reads += 1
            if let problem = ledger.problem(with: version, of: id, sentAt: sentAt, allowed: maxStaleness) {
                outcome.stale.append(problem)
            }
        }
        return outcome
    }
}
