import WaldenTestKit

/// Where the clients of a load connect to.
enum Target: Sendable {
    case direct
    case walden

    func prepare(_ sql: String, on stage: Stage) throws -> PreparedLoop {
        switch self {
        case .direct: try PreparedLoop(port: stage.cluster.primary.port, sql)
        case .walden: try PreparedLoop(port: stage.walden.port, sql)
        }
    }
}

/// The same statement again and again; its answer is known.
struct AggregateLoad: Sendable {
    let target: Target
    let sql: String
    let truth: Truth

    /// Statements per second.
    func run(_ stage: Stage, clients: Int, for duration: Duration) throws -> Double {
        let expected = try Array(Target.direct.prepare(sql, on: stage).bytes())
        let end = ContinuousClock.now + duration
        let counts = try concurrently(clients) { _ in
            let statement = try target.prepare(sql, on: stage)
            var count = 0
            while ContinuousClock.now < end {
                let isRight = try statement.bytes().elementsEqual(expected)
                if target == .walden { truth.judge(isRight, "the aggregate") }
                count += 1
            }
            return count
        }
        return Double(counts.reduce(0, +)) / duration.inSeconds
    }
}

/// Point reads of accounts by all clients, and updates, each of accounts of its own. Behind Walden, every other client
/// writes past it.
struct PointLoad: Sendable {
    let target: Target
    let truth: Truth
    let writePercentage: Int
    let seed: UInt64

    /// Statements per second.
    func run(_ stage: Stage, clients: Int, for duration: Duration) throws -> Double {
        let end = ContinuousClock.now + duration
        let counts = try concurrently(clients) { index in
            let reader = try target.prepare("SELECT abalance FROM pgbench_accounts WHERE aid = $1", on: stage)
            let writer = try (index % 2 == 0 ? .direct : target).prepare(
                "UPDATE pgbench_accounts SET abalance = $2 WHERE aid = $1", on: stage)
            var generator = SeededGenerator(seed: seed << 32 + UInt64(index))
            var count = 0
            while ContinuousClock.now < end {
                let row = Int.random(in: 0..<truth.ledger.rowCount, using: &generator)
                if Int.random(in: 0..<100, using: &generator) < writePercentage {
                    try write(row - row % clients + index, writer)
                } else {
                    try read(row, reader)
                }
                count += 1
            }
            return count
        }
        return Double(counts.reduce(0, +)) / duration.inSeconds
    }

    private func read(_ row: Int, _ statement: PreparedLoop) throws {
        let sentAt = ContinuousClock.now
        let version = try statement.integer(row + 1)
        if target == .walden { truth.judge(version, of: row, sentAt: sentAt) }
    }

    private func write(_ row: Int, _ statement: PreparedLoop) throws {
        guard row < truth.ledger.rowCount else { return }
        let version = truth.ledger.lastVersion(of: row) + 1
        _ = try statement.integer(row + 1, version)
        truth.ledger.committed(row)
        truth.writes.add()
    }
}
