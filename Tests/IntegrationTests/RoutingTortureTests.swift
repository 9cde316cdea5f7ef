import Synchronization
import Testing
import WaldenTestKit

/// Scenario: sessions that write and read without a pause, at the level `session`, while the replay of one or both standbys
/// is paused, resumed and delayed. Risk: a session that does not see its own write, or goes back in time; and one that is
/// exact because nearly all its reads go to the primary.
///
/// Eligible are the reads that are proven to be any node's, while the replay of some standby is neither paused nor further
/// behind than the wait budget. Each that goes to the primary in such a time counts against the share, whatever the
/// reason; hits of the cache count for nothing.
@Suite(.serialized) struct RoutingTortureTests {
    /// Half of them of the session's own row, half of the others'.
    private static let readsPerWrite = 8
    private static let sessionCount = 6
    private static let primaryReasons = ["not_covered", "overdue", "max_lag", "unusable", "rerun", "bound"]

    private static let stack = Result { () throws -> WaldenStack in
        var configuration = WaldenStack.Configuration(
            schema: "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, 0 FROM generate_series(1, 6) n"
        )
        configuration.cluster.standbys = 2
        configuration.usesStandbys = true
        // The default is a quarter of it; servers, clients and Walden share the machine here.
        configuration.flags = ["--auth-method", "trust", "--routing-wait-budget", "20ms"]
        return try WaldenStack.start(configuration)
    }

    private let stack: WaldenStack

    init() throws {
        stack = try Self.stack.get()
    }

    private struct Share {
        var replica = 0.0
        var primary: [String: Double] = [:]

        var total: Double { replica + primary.values.reduce(0, +) }

        static func - (left: Share, right: Share) -> Share {
            Share(
                replica: left.replica - right.replica,
                primary: left.primary.merging(right.primary) { $0 - $1 })
        }

        static func + (left: Share, right: Share) -> Share {
            Share(
                replica: left.replica + right.replica, primary: left.primary.merging(right.primary, uniquingKeysWith: +)
            )
        }
    }

    private func share() throws -> Share {
        var share = Share()
        for (name, value) in try stack.walden.metrics() where name.hasPrefix("walden_reads_total{") {
            if name.contains(#"route="replica""#) {
                share.replica += value
            } else if let reason = Self.primaryReasons.first(where: { name.contains(#"reason="\#($0)""#) }) {
                share.primary[reason, default: 0] += value
            }
        }
        return share
    }

    // MARK: Sessions

    /// Writes and reads until it is over. What it was shown that it must not have been.
    private func run(_ id: Int, isCached: Bool, until isOver: borrowing Atomic<Bool>) throws -> [String] {
        let client = try stack.proxied()
        if !isCached { try client.query("SET walden.cache = off") }
        func read(_ row: Int) throws -> Int { Int(try client.scalar("SELECT v FROM t WHERE id = \(row)") ?? "") ?? -1 }
        var stale: [String] = []
        var seen = try (1...Self.sessionCount).map { try read($0) }
        while !isOver.load(ordering: .relaxed) {
            seen[id - 1] += 1
            try client.query("UPDATE t SET v = \(seen[id - 1]) WHERE id = \(id)")
            for number in 0..<Self.readsPerWrite {
                let row = number % 2 == 0 ? id : (id + number) % Self.sessionCount + 1
                let shown = try read(row)
                if shown < seen[row - 1] || row == id && shown > seen[row - 1] {
                    stale.append("row \(row), read \(number): \(shown) after \(seen[row - 1])")
                }
                seen[row - 1] = shown
            }
        }
        return stale
    }

    /// Until the sessions have written so often.
    private func progress(_ writes: Int) throws {
        let client = try stack.direct()
        func written() throws -> Int { Int(try client.scalar("SELECT sum(v) FROM t") ?? "") ?? 0 }
        let goal = try written() + writes
        try eventually("the sessions have written", timeout: .seconds(60)) { try written() >= goal }
    }

    // MARK: Standbys

    private func pausing(_ standbys: [PostgresServer], _ body: () throws -> Void) throws {
        for standby in standbys {
            let client = try standby.connect()
            try client.query("SELECT pg_wal_replay_pause()")
            try eventually("the replay has stopped") {
                try client.scalar("SELECT pg_get_wal_replay_pause_state()") == "paused"
            }
        }
        defer { for standby in standbys { _ = try? standby.connect().query("SELECT pg_wal_replay_resume()") } }
        try body()
    }

    private func delaying(_ standbys: [PostgresServer], by delay: String, _ body: () throws -> Void) throws {
        func set(_ value: String) throws {
            for standby in standbys {
                try standby.configure(["recovery_min_apply_delay": value])
                standby.reload()
                let client = try standby.connect()
                try eventually("the delay is in force") {
                    try client.scalar("SHOW recovery_min_apply_delay") == value
                }
            }
        }
        try set(delay)
        defer { try? set("0") }
        try body()
    }

    private func waitUntilAllCover() throws {
        try eventually("both follow", timeout: .seconds(30)) {
            try stack.walden.status()["nodes"].array.filter { $0["role"].string == "replica" }
                .allSatisfy { ($0["covered_seconds"].double ?? .infinity) < 0.5 }
        }
    }

    // MARK: Tests

    @Test(arguments: [true, false]) func noReadIsStaleAndMostRunOnReplicas(isCached: Bool) throws {
        try waitUntilAllCover()
        let isOver = Flag()
        let sessions = try (1...Self.sessionCount).map { id in
            try BackgroundThread { try run(id, isCached: isCached, until: isOver.value) }
        }
        try progress(20)
        let (first, second) = (stack.cluster.standbys[0], stack.cluster.standbys[1])
        var total = Share()
        func eligible(_ name: String, _ body: () throws -> Void) throws {
            try waitUntilAllCover()
            let before = try share()
            try body()
            let gained = try share() - before
            print("\(name), cache \(isCached): \(gained)")
            total = total + gained
        }
        for standby in [first, second, first, second] {
            try eligible("one paused") { try pausing([standby]) { try progress(60) } }
        }
        try eligible("resumed") { try progress(60) }
        try eligible("one delayed by 100 ms") { try delaying([first], by: "100ms") { try progress(60) } }
        try eligible("one paused, one delayed by 2 ms") {
            try delaying([second], by: "2ms") { try pausing([first]) { try progress(60) } }
        }
        // Here no replica can keep up, so that what runs on the primary says nothing.
        try pausing([first, second]) { try progress(60) }
        try delaying([first, second], by: "200ms") { try progress(60) }
        isOver.value.store(true, ordering: .relaxed)
        for session in sessions { #expect(try session.join() == []) }
        print("cache \(isCached), \(Self.readsPerWrite) reads a write: \(total.replica / total.total) of \(total)")
        #expect(total.replica >= 0.8 * total.total, "\(total)")
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}
