import Glibc
import Testing
import WaldenTestKit

/// Scenario: the server is missing, misconfigured, restarted or cut off. Risk: a proxy that dies with it, that serves
/// what may have changed unseen, or that does not come back by itself.
@Suite(.serialized) struct FaultTests {
    private static let schema = """
        CREATE TABLE stock (id int PRIMARY KEY, amount int);
        INSERT INTO stock SELECT id, id FROM generate_series(1, 100) AS id
        """
    private static let sql = "SELECT amount FROM stock WHERE id = 7"

    private func expectCaching(_ stack: WaldenStack) throws {
        try stack.waitUntilCaching()
        let client = try stack.proxied()
        #expect(try stack.warm(client, Self.sql) == [["7"]])
    }

    private func reason(_ stack: WaldenStack) throws -> String {
        try awaitValue("a reason why nothing is cached") { try stack.figures().reason }
    }

    @Test func serverThatIsNotThereYet() throws {
        let cluster = try Cluster.start()
        try cluster.primary.connect().query(Self.schema)
        try WaldenStack.install(on: cluster.primary)
        try cluster.primary.stop()
        let walden = try WaldenStack.startWalden(.init(), before: cluster)
        let stack = WaldenStack(cluster: cluster, walden: walden)
        #expect(try walden.get("/healthz").status == 200)
        #expect(try walden.get("/readyz").status == 503)
        let error = #expect(throws: SQLError.self) { try walden.connect() }
        #expect(error?.message.contains("port \(walden.port)") == true)
        #expect(walden.isRunning)
        try cluster.primary.start()
        try walden.waitUntilReady()
        try expectCaching(stack)
    }

    @Test func logWithoutLogicalDecoding() throws {
        var configuration = Cluster.Configuration(settings: ["wal_level": "replica"])
        configuration.standbys = 0
        let cluster = try Cluster.start(configuration)
        try cluster.primary.connect().query(Self.schema)
        try WaldenStack.install(on: cluster.primary)
        let stack = WaldenStack(cluster: cluster, walden: try WaldenStack.startWalden(.init(), before: cluster))
        try stack.walden.waitUntilReady()
        try eventually("the reason names it") { try reason(stack).contains("wal_level") }
        #expect(try stack.proxied().scalar(Self.sql) == "7")
        try eventually("the log names it") { stack.walden.log.contains("wal_level") }
        try cluster.primary.configure(["wal_level": "logical"])
        try cluster.primary.restart()
        try expectCaching(stack)
    }

    @Test func publicationThatIsMissing() throws {
        let cluster = try Cluster.start()
        try cluster.primary.connect().query(Self.schema)
        let stack = WaldenStack(cluster: cluster, walden: try WaldenStack.startWalden(.init(), before: cluster))
        try stack.walden.waitUntilReady()
        try eventually("the reason names it") { try reason(stack).contains("publication") }
        #expect(try stack.proxied().scalar(Self.sql) == "7")
        try WaldenStack.install(on: cluster.primary)
        try expectCaching(stack)
    }

    @Test func noReplicationSlotLeft() throws {
        let cluster = try Cluster.start(.init(settings: ["max_replication_slots": "1"]))
        let admin = try cluster.primary.connect()
        try admin.query(Self.schema)
        try WaldenStack.install(on: cluster.primary)
        try admin.query("SELECT pg_create_physical_replication_slot('taken')")
        let stack = WaldenStack(cluster: cluster, walden: try WaldenStack.startWalden(.init(), before: cluster))
        try stack.walden.waitUntilReady()
        try eventually("the reason names it") { try reason(stack).contains("slot") }
        #expect(try stack.proxied().scalar(Self.sql) == "7")
        try admin.query("SELECT pg_drop_replication_slot('taken')")
        try expectCaching(stack)
    }

    @Test func killedWalsenderFlushesWhatItMayHaveMissed() throws {
        let stack = try WaldenStack.start(.init(schema: Self.schema))
        try expectCaching(stack)
        let admin = try stack.direct()
        for amount in [1000, 2000, 3000] {
            let ended = try admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_replication").rows.count
            #expect(ended == 1)
            try admin.query("UPDATE stock SET amount = \(amount) WHERE id = 7")
            let reader = try stack.proxied()
            // What is served from memory is never older than the limit, whatever happened to the stream.
            try eventually("the change is seen", timeout: .seconds(3)) {
                try reader.scalar(Self.sql) == "\(amount)"
            }
            try stack.waitUntilCaching()
            #expect(try stack.warm(reader, Self.sql) == [["\(amount)"]])
        }
        #expect(try admin.query("SELECT FROM pg_replication_slots").rows.count == 1)
    }

    @Test func frozenWalsenderMakesReadsGoToTheServer() throws {
        let stack = try WaldenStack.start(.init(schema: Self.schema))
        try expectCaching(stack)
        let frozen = stack.cluster.primary.signal(SIGSTOP, toProcessesTitled: "walsender")
        #expect(frozen == 1)
        defer { stack.cluster.primary.signal(SIGCONT, toProcessesTitled: "walsender") }
        try stack.direct().query("UPDATE stock SET amount = 70 WHERE id = 7")
        let reader = try stack.proxied()
        try eventually("the change is seen though the stream is silent", timeout: .seconds(10)) {
            try reader.scalar(Self.sql) == "70"
        }
        for _ in 0..<20 { #expect(try reader.scalar(Self.sql) == "70") }
        stack.cluster.primary.signal(SIGCONT, toProcessesTitled: "walsender")
        try stack.waitUntilCaching()
        #expect(try stack.warm(reader, Self.sql) == [["70"]])
    }

    @Test func primaryThatRestartsOrCrashes() throws {
        let stack = try WaldenStack.start(.init(schema: Self.schema))
        let actions: [(String, @Sendable (PostgresServer) throws -> Void)] = [
            ("fast", { try $0.stop(.fast, timeout: .seconds(20)) }),
            ("immediate", { try $0.stop(.immediate) }),
            ("killed", { try $0.kill() }),
        ]
        for (index, (name, end)) in actions.enumerated() {
            try expectCachingOf(7 + index * 100, stack)
            let client = try stack.proxied()
            _ = try client.query("SELECT 1")
            try end(stack.cluster.primary)
            #expect(throws: (any Error).self, "\(name)") { try client.query("INSERT INTO stock VALUES (0, 0)") }
            try eventually("walden is not ready") { try !stack.walden.isReady() }
            try stack.cluster.primary.start()
            try stack.direct().query("UPDATE stock SET amount = amount + 100 WHERE id = 7")
            try stack.walden.waitUntilReady()
        }
        try expectCachingOf(307, stack)
    }

    private func expectCachingOf(_ amount: Int, _ stack: WaldenStack) throws {
        try stack.waitUntilCaching()
        let client = try stack.proxied()
        #expect(try stack.warm(client, Self.sql) == [["\(amount)"]])
    }

    /// Stopping the primary must not wait for Walden's walsender, nor Walden hold its log back.
    @Test func idleWaldenHoldsNothingBack() throws {
        let stack = try WaldenStack.start(.init(schema: Self.schema))
        let admin = try stack.direct()
        try admin.query("CREATE TABLE elsewhere (text text); INSERT INTO elsewhere SELECT repeat('x', 1000)")
        try admin.query("INSERT INTO elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        try eventually("the slot follows") {
            try admin.scalar(
                """
                SELECT bool_and(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) < 1000000)
                FROM pg_replication_slots
                """) == "t"
        }
        let started = ContinuousClock.now
        try stack.cluster.primary.stop(.fast)
        #expect(ContinuousClock.now - started < .seconds(10))
    }
}
