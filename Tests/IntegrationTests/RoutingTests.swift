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

    /// A STABLE function that calls a VOLATILE one is a read by all that its text tells.
    @Test func whatAReplicaCannotRunRunsOnThePrimary() throws {
        try stack.direct().query(
            """
            CREATE TABLE noted (n int);
            CREATE FUNCTION note() RETURNS int LANGUAGE sql AS 'INSERT INTO noted VALUES (1) RETURNING n';
            CREATE FUNCTION reads() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN note(); END'
            """)
        for standby in stack.cluster.standbys { try stack.cluster.waitForReplay(on: standby) }
        let before = try reads("primary", ["rerun"])
        var calls = 0
        try eventually("one was run again") {
            calls += 1
            // A session that has called what Walden did not know yet stays bound to its server.
            let client = try stack.proxied()
            try client.query("SET walden.cache = off")
            #expect(try client.scalar("SELECT reads()") == "1")
            return try reads("primary", ["rerun"]) > before
        }
        #expect(try stack.direct().scalar("SELECT count(*) FROM noted") == "\(calls)")
        // 0A000 on a standby.
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
        try client.query("SET default_transaction_isolation = serializable")
        let again = try reads("primary", ["rerun"])
        try eventually("one was run again") {
            #expect(try client.scalar("SELECT count(*) FROM t") == "100")
            return try reads("primary", ["rerun"]) > again
        }
    }

    /// `default_transaction_read_only` counts as if each BEGIN said so, until a transaction says otherwise.
    @Test func transactionsThatAreReadOnlyByDefaultRunOnReplicas() throws {
        let client = try stack.proxied()
        try client.query("SET default_transaction_read_only = on")
        func run(_ statements: String...) throws -> String? {
            try client.query("BEGIN")
            defer { _ = try? client.query("COMMIT") }
            return try statements.map { try client.query($0).texts.first?.first ?? nil }.last ?? nil
        }
        try eventually("one runs on a replica") {
            try run("SELECT count(*) FROM t, (SELECT now()) n", "SELECT pg_is_in_recovery()") == "t"
        }
        #expect(try run("SET TRANSACTION READ WRITE", "UPDATE t SET v = v WHERE id = 50 RETURNING id") == "50")
    }

    @Test func routesAreShown() throws {
        let client = try stack.proxied()
        try client.query("SET walden.cache = off")
        try warmUp()
        let (unproven, bound) = (try reads("primary", ["function"]), try reads("primary", ["bound"]))
        try client.query("SELECT random()")
        #expect(try reads("primary", ["function"]) == unproven + 1)
        try client.query("BEGIN")
        try client.query("SELECT count(*) FROM t")
        try client.query("COMMIT")
        #expect(try reads("primary", ["bound"]) == bound + 1)
        let (all, write) = (try reads("primary"), "UPDATE t SET v = v WHERE id = 51")
        try client.query(write)
        #expect(try reads("primary") == all, "a write is no read")
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
