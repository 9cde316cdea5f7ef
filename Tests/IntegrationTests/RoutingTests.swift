import Testing
import WaldenTestKit

/// Scenario: pooled clients whose reads run on two standbys, of which one or both pause or are gone. Risk: a read that fails
/// although the primary could answer it, or that is answered by a node that must not.
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

    /// Until standbys serve.
    private func warmUp() throws {
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
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
        try warmUp()
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

    @Test func readsGoOnWithoutAStandby() throws {
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
        try warmUp()
        for standby in stack.cluster.standbys {
            try standby.kill()
            for _ in 0..<50 { #expect(try client.scalar("SELECT count(*) FROM t") == "100") }
        }
        #expect(try stack.proxied().scalar("SELECT count(*) FROM t") == "100")
        for standby in stack.cluster.standbys { try standby.start() }
        try warmUp()
    }
}
