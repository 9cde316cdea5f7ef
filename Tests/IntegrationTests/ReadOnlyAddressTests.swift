import Testing
import WaldenTestKit

/// Scenario: clients of the read-only address, with two standbys behind it, of which one fails, and then without a primary.
/// Risk: a client that cannot log in or read although a replica is there, or that is shown what is older than promised.
@Suite(.serialized) struct ReadOnlyAddressTests {
    private struct World {
        let stack: WaldenStack
        let port: Int
    }

    private static let world = Result { () throws -> World in
        let port = try Ports.free()
        var configuration = WaldenStack.Configuration(
            schema: """
                CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0);
                CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader
                """)
        configuration.cluster.standbys = 2
        configuration.usesStandbys = true
        configuration.flags = [
            "--auth-method", "trust", "--proxy-read-only-listen", "127.0.0.1:\(port)", "--routing-max-lag", "1h",
        ]
        return World(stack: try WaldenStack.start(configuration), port: port)
    }

    private let world: World
    private var stack: WaldenStack { world.stack }

    init() throws {
        world = try Self.world.get()
    }

    private func reader(user: String = "postgres", _ more: String = "") throws -> SQLClient {
        try SQLClient("host=127.0.0.1 port=\(world.port) dbname=postgres user=\(user) \(more)")
    }

    private func waitUntilReplicasServe() throws {
        try eventually("replicas serve") {
            try stack.walden.status()["nodes"].array.filter { $0["role"].string == "replica" }.count == 2
                && (try? reader().scalar("SELECT v FROM t")) != nil
        }
    }

    @Test func statementsRunOnReplicas() throws {
        try waitUntilReplicasServe()
        // What libpq finds is a standby.
        let client = try reader("target_session_attrs=standby")
        #expect(client.parameterStatus("in_hot_standby") == "on")
        #expect(try client.scalar("SELECT pg_is_in_recovery()") == "t")
        let error = #expect(throws: SQLError.self) { try client.query("UPDATE t SET v = 1") }
        #expect(error?.sqlState == "25006")
        #expect(try client.scalar("SELECT pg_is_in_recovery()") == "t")
    }

    /// The replica that runs the statement ends it; the other one answers.
    @Test func aReadOutlivesItsServerProcess() throws {
        try waitUntilReplicasServe()
        let client = try reader()
        try client.begin("SELECT count(*) FROM generate_series(1, 3000000) a, t")
        try eventually("it was ended") {
            for standby in stack.cluster.standbys {
                let ended = try standby.connect().query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE query LIKE '%generate_series(1, 3000000)%' AND state = 'active' AND pid <> pg_backend_pid()
                    """)
                if !ended.rows.isEmpty { return true }
            }
            return false
        }
        #expect(try client.finish().texts == [["3000000"]])
    }

    /// A lock binds the session to a replica. That falls behind, and says so rather than showing what is old.
    @Test func aBoundSessionIsRefusedWhatItsReplicaLacks() throws {
        try waitUntilReplicasServe()
        let client = try reader()
        try client.query("SET walden.cache = off")
        try client.query("SELECT pg_advisory_lock(7)")
        let direct = try stack.direct()
        for standby in stack.cluster.standbys { try standby.connect().query("SELECT pg_wal_replay_pause()") }
        defer {
            for standby in stack.cluster.standbys { _ = try? standby.connect().query("SELECT pg_wal_replay_resume()") }
        }
        for standby in stack.cluster.standbys {
            let watcher = try standby.connect()
            try eventually("the replay has stopped") {
                try watcher.scalar("SELECT pg_get_wal_replay_pause_state()") == "paused"
            }
        }
        try direct.query("UPDATE t SET v = v + 1")
        #expect(try client.scalar("SELECT v FROM t") != nil, "at the level of sessions it has seen nothing newer")
        try client.query("SET walden.consistency = strict")
        let error = #expect(throws: SQLError.self) { try client.query("SELECT v FROM t") }
        #expect(error?.sqlState == "57P03")
        #expect(error?.message.contains("bound") == true, "\(String(describing: error))")
        for standby in stack.cluster.standbys { try standby.connect().query("SELECT pg_wal_replay_resume()") }
        let expected = try direct.scalar("SELECT v FROM t")
        try eventually("it reads again") { (try? client.scalar("SELECT v FROM t")) == expected }
        #expect(try client.scalar("SELECT pg_advisory_unlock(7)") == "t")
    }

    /// Last: it leaves the cluster without its primary.
    @Test func zNewClientsAreGreetedWithoutThePrimary() throws {
        try waitUntilReplicasServe()
        try stack.cluster.primary.stop(.immediate)
        try eventually("the primary is gone") { try !stack.walden.isReady() }
        // Of this user's pools no server has told anything yet.
        let client = try reader(user: "reader")
        #expect(client.parameterStatus("server_version") != nil)
        #expect(client.parameterStatus("in_hot_standby") == "on")
        #expect(try client.scalar("SELECT v FROM t") != nil)
        try stack.cluster.standbys[0].kill()
        for _ in 0..<10 { #expect(try reader(user: "reader").scalar("SELECT v FROM t") != nil) }
    }
}
