import Synchronization
import Testing
import WaldenTestKit

/// Scenario: pooled clients whose reads run on two standbys, of which one or both lag, pause, or are gone. Risk: a session
/// that does not see its own write, or goes back in time; a read that fails although the primary could answer it.
@Suite(.serialized) struct RoutingTests {
    private static let stack = Result { () throws -> WaldenStack in
        var configuration = WaldenStack.Configuration(
            schema: """
                CREATE TABLE t (id int PRIMARY KEY, v int);
                INSERT INTO t SELECT n, 0 FROM generate_series(1, 100) n
                """)
        configuration.cluster.standbys = 2
        configuration.usesStandbys = true
        configuration.flags = ["--auth-method", "trust"]
        return try WaldenStack.start(configuration)
    }

    private let stack: WaldenStack

    init() throws {
        stack = try Self.stack.get()
    }

    private func pause(_ standby: PostgresServer) throws {
        let client = try standby.connect()
        try client.query("SELECT pg_wal_replay_pause()")
        try eventually("the replay has stopped") {
            try client.scalar("SELECT pg_get_wal_replay_pause_state()") == "paused"
        }
    }

    private func resume(_ standby: PostgresServer) throws {
        try standby.connect().query("SELECT pg_wal_replay_resume()")
    }

    private func reads(_ route: String, _ reasons: [String]? = nil) throws -> Double {
        try stack.walden.metrics().filter { name, _ in
            guard name.hasPrefix("walden_reads_total{"), name.contains("route=\"\(route)\"") else { return false }
            return reasons?.contains { name.contains("reason=\"\($0)\"") } ?? true
        }.values.reduce(0, +)
    }

    /// Until both standbys serve.
    private func warmUp(_ client: SQLClient) throws {
        try eventually("reads run on replicas") {
            let before = try reads("replica")
            try client.query("SELECT count(*) FROM t")
            return try reads("replica") > before
        }
    }

    @Test func aReadRunsOnAReplica() throws {
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
        try client.query("SET walden.consistency = bounded")
        try warmUp(client)
        for standby in stack.cluster.standbys { try pause(standby) }
        defer { for standby in stack.cluster.standbys { try? resume(standby) } }
        try stack.direct().query("UPDATE t SET v = v + 1 WHERE id = 100")
        // What the primary does not show any more only a replica can have answered.
        #expect(try client.scalar("SELECT v FROM t WHERE id = 100") == "0")
        try client.query("SET walden.route = 'primary'")
        #expect(try client.scalar("SELECT v FROM t WHERE id = 100") == "1")
        #expect(client.parameterStatus("in_hot_standby") == "off")
        try client.query("SET walden.route = 'auto'")
        try client.query("UPDATE t SET v = v + 1 WHERE id = 100")
        #expect(try client.scalar("SELECT v FROM t WHERE id = 100") == "2")
    }

    /// A result that a replica showed is kept, and goes with the next change.
    @Test func resultsOfReplicasAreCachedExactly() throws {
        let client = try stack.proxied()
        let writer = try stack.direct()
        try eventually("a result of a replica is served from memory") {
            let before = (hits: try stack.figures().hits, replica: try reads("replica"))
            try writer.query("UPDATE t SET v = v + 1 WHERE id = 99")
            let expected = try writer.scalar("SELECT v FROM t WHERE id = 99")
            try client.query("SET walden.consistency = strict")
            let shown = try client.scalar("SELECT v FROM t WHERE id = 99")
            guard shown == expected else { throw TestKitError("\(shown ?? "nil") instead of \(expected ?? "nil")") }
            try client.query("SET walden.consistency = session")
            for _ in 0..<3 { try client.query("SELECT v FROM t WHERE id = 99") }
            return try stack.figures().hits > before.hits && reads("replica") > before.replica
        }
    }

    @Test(arguments: [true, false]) func sessionsReadTheirOwnWrites(isCached: Bool) throws {
        let primaryReasons = ["not_covered", "max_lag", "unusable", "rerun"]
        try warmUp(try stack.proxied())
        let before = (replica: try reads("replica"), primary: try reads("primary", primaryReasons))
        let isOver = Atomic(false)
        let sessions = try (1...6).map { id in
            try BackgroundThread {
                let client = try stack.proxied()
                if !isCached { try client.query("SET walden.cache = off") }
                var stale: [String] = []
                var value = Int(try client.scalar("SELECT v FROM t WHERE id = \(id)") ?? "") ?? -1
                while !isOver.load(ordering: .relaxed) {
                    value += 1
                    try client.query("UPDATE t SET v = \(value) WHERE id = \(id)")
                    for read in 0..<50 {
                        let shown = try client.scalar("SELECT v FROM t WHERE id = \(id)")
                        if shown != "\(value)" { stale.append("read \(read): \(shown ?? "nil"), not \(value)") }
                    }
                }
                return stale
            }
        }
        let pauses = 12
        for round in 0..<pauses {
            let standby = stack.cluster.standbys[round % 2]
            try pause(standby)
            // Work goes on meanwhile.
            let writer = try stack.direct()
            let goal = (Int(try writer.scalar("SELECT sum(v) FROM t WHERE id <= 6") ?? "") ?? 0) + 20
            try eventually("the sessions have written") {
                (Int(try writer.scalar("SELECT sum(v) FROM t WHERE id <= 6") ?? "") ?? 0) >= goal
            }
            try resume(standby)
        }
        isOver.store(true, ordering: .relaxed)
        for session in sessions { #expect(try session.join() == []) }
        let replica = try reads("replica") - before.replica
        let primary = try reads("primary", primaryReasons) - before.primary
        #expect(replica > 0)
        print(try stack.walden.metrics().filter { $0.key.hasPrefix("walden_reads") || $0.key.hasPrefix("walden_read_") || $0.key.hasPrefix("walden_route") || $0.key.hasPrefix("walden_hit") })
        print("reads on replicas, cache \(isCached): \(replica) of \(replica + primary)")
    }

    @Test func readsGoOnWithoutAStandby() throws {
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
        try warmUp(client)
        for standby in stack.cluster.standbys {
            try standby.kill()
            for _ in 0..<50 { #expect(try client.scalar("SELECT count(*) FROM t") == "100") }
        }
        #expect(try stack.proxied().scalar("SELECT count(*) FROM t") == "100")
        for standby in stack.cluster.standbys { try standby.start() }
        try warmUp(client)
    }
}
