import Glibc
import Testing
import WaldenTestKit

/// Scenario: people start, question, reload and stop Walden. Risk: a bad configuration that is found out too late, and a
/// stop that breaks what was under way.
@Suite(.serialized) struct OperationTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(schema: "CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things VALUES (1, 'one')"))
    }

    // MARK: Configuration

    @Test(arguments: [
        ("listen: nonsense\n", [":1:", "listen", "nonsense"]),
        ("cache:\n  max_staleness: soon\n", [":2:", "cache.max_staleness", "soon"]),
        ("cache: {max_result_bytes: -1}\n", ["cache.max_result_bytes", "-1"]),
        ("no_such_key: 1\n", [":1:", "no_such_key"]),
        ("cache: 7\n", ["cache"]),
        ("listen: [broken\n", []),
    ])
    func badFileIsRefused(content: String, words: [String]) throws {
        let scratch = try Scratch()
        let path = try scratch.write("walden.yaml", content)
        let primary = try Self.stack.get().cluster.primary.dsn()
        let result = try WaldenProcess.run(["run", "--config", path, "--primary", primary], timeout: .seconds(20))
        #expect(result.status == .exited(78), "\(result.transcript)")
        for word in words + ["walden.yaml"] { #expect(result.transcript.contains(word), "\(result.transcript)") }
    }

    @Test func badEnvironmentAndFlagsAreRefused() throws {
        let primary = try Self.stack.get().cluster.primary.dsn()
        let byEnvironment = try WaldenProcess.run(
            ["run", "--primary", primary], environment: ["WALDEN_CACHE_MAX_STALENESS": "soon"], timeout: .seconds(20))
        #expect(byEnvironment.status == .exited(78))
        #expect(byEnvironment.transcript.contains("WALDEN_CACHE_MAX_STALENESS"))
        let missing = try WaldenProcess.run(["run", "--config", "/nowhere.yaml", "--primary", primary])
        #expect(missing.status == .exited(78))
        #expect(missing.transcript.contains("/nowhere.yaml"))
        let withoutPrimary = try WaldenProcess.run(["run"])
        #expect(withoutPrimary.status == .exited(78))
        #expect(withoutPrimary.transcript.contains("primary"))
    }

    @Test func flagsBeatEnvironmentBeatsFile() throws {
        let stack = try Self.stack.get()
        var configuration = WaldenStack.Configuration()
        configuration.file = "primary: host=127.0.0.1 port=1 dbname=x\ncache: {max_staleness: 7s}\n"
        configuration.environment = ["WALDEN_PRIMARY": "host=127.0.0.1 port=2 dbname=x"]
        let walden = try WaldenStack.startWalden(configuration, before: stack.cluster)
        try walden.waitUntilReady()
        #expect(try walden.connect().scalar("SELECT 1") == "1")
    }

    @Test func badFileAtReloadLeavesTheOldOneInForce() throws {
        let stack = try Self.stack.get()
        var configuration = WaldenStack.Configuration()
        configuration.file = "log: {level: info}\n"
        let walden = try WaldenStack.startWalden(configuration, before: stack.cluster)
        try walden.waitUntilReady()
        let client = try walden.connect()
        try walden.rewriteConfiguration("log: {level: loud}\n")
        walden.reload()
        try eventually("the log names the key") { walden.log.contains("log.level") && walden.log.contains("loud") }
        #expect(try client.scalar("SELECT 1") == "1")
        try walden.rewriteConfiguration("log: {level: debug}\n")
        walden.reload()
        try eventually("the log tells of the reload") { walden.log.contains("the configuration was read again") }
        #expect(try client.scalar("SELECT 2") == "2")
    }

    // MARK: Stopping

    @Test func terminationDrains() throws {
        let stack = try Self.stack.get()
        let walden = try WaldenStack.startWalden(.init(), before: stack.cluster)
        try walden.waitUntilReady()
        let idle = try ProtocolClient(port: walden.port, user: "postgres")
        let busy = try walden.connect()
        try busy.begin("SELECT pg_sleep(1), 'done' AS word")
        try eventually("the statement runs") {
            try stack.direct().query(
                "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1)%word' AND state = 'active'"
            ).rows.count == 1
        }
        walden.signal(SIGTERM)
        #expect(try busy.finish().texts.first?.last == "done")
        #expect(try idle.receiveUntilClosed().allSatisfy { $0.tag == "E" && $0.sqlState == "57P01" })
        #expect(try walden.waitForExit() == .exited(0))
        let left = "SELECT count(*) FROM pg_replication_slots WHERE active_pid IS NULL"
        #expect(try stack.direct().scalar(left) == "0")
    }

    @Test func killedWaldenLeavesNoSlotAndNoSession() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let before = try admin.scalar("SELECT count(*) FROM pg_replication_slots")
        let walden = try WaldenStack.startWalden(.init(), before: stack.cluster)
        try eventually("it has its slot") { try admin.scalar("SELECT count(*) FROM pg_replication_slots") != before }
        let client = try walden.connect("application_name=orphan")
        _ = try client.query("SELECT 1")
        walden.signal(SIGKILL)
        _ = try walden.waitForExit()
        try eventually("its slot is gone") { try admin.scalar("SELECT count(*) FROM pg_replication_slots") == before }
        try eventually("its sessions are gone") {
            try admin.scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orphan'") == "0"
        }
    }

    // MARK: Looking

    @Test func figuresAreToldInBothForms() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        try stack.warm(client, "SELECT name FROM things WHERE id = 1")
        try client.query("UPDATE things SET name = 'uno' WHERE id = 1")
        try stack.waitUntilApplied()
        let figures = try stack.figures()
        #expect(figures.hits > 0)
        #expect(figures.misses > 0)
        #expect(figures.bypassCount > 0)
        #expect(figures.invalidations > 0)
        let metrics = try stack.walden.metrics()
        #expect(!metrics.isEmpty)
        #expect(metrics.keys.allSatisfy { $0.hasPrefix("walden_") }, "\(metrics.keys)")
        #expect(try stack.walden.get("/nowhere").status == 404)
    }

    @Test func commandsAnswer() throws {
        let stack = try Self.stack.get()
        let dsn = stack.cluster.primary.dsn()
        #expect(try WaldenProcess.run(["--version"]).status.isSuccess)
        let doctor = try WaldenProcess.run(["doctor", dsn])
        #expect(doctor.status.isSuccess, "\(doctor.transcript)")
        let exact = try WaldenProcess.run(["explain", dsn, "SELECT name FROM things WHERE id = 1"])
        #expect(exact.status.isSuccess && exact.output.contains("things"), "\(exact.transcript)")
        let refused = try WaldenProcess.run(["explain", dsn, "SELECT now()"])
        #expect(refused.output.contains("now"), "\(refused.transcript)")
        let admin = "127.0.0.1:\(stack.walden.adminPort)"
        let status = try WaldenProcess.run(["status", "--json", "--admin", admin])
        #expect(status.status.isSuccess)
        #expect(try JSONValue(parsing: status.output)["hits"].int != nil)
    }

    @Test func initDoctorAndUninstall() throws {
        let cluster = try Cluster.start()
        let dsn = cluster.primary.dsn()
        let admin = try cluster.primary.connect()
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'walden'"
        #expect(try !WaldenProcess.run(["doctor", dsn]).status.isSuccess)
        let dry = try WaldenProcess.run(["init", dsn, "--dry-run"])
        #expect(dry.status.isSuccess && dry.output.contains("CREATE PUBLICATION"), "\(dry.transcript)")
        #expect(try admin.scalar(schemas) == "0")
        for _ in 0..<2 { try WaldenStack.install(on: cluster.primary) }
        #expect(try admin.scalar(schemas) == "1")
        #expect(try WaldenProcess.run(["doctor", dsn]).status.isSuccess)
        #expect(try WaldenProcess.run(["init", dsn, "--uninstall"]).status.isSuccess)
        #expect(try admin.scalar(schemas) == "0")
        #expect(try admin.scalar("SELECT count(*) FROM pg_publication") == "0")
        #expect(try admin.scalar("SELECT count(*) FROM pg_event_trigger") == "0")
    }
}
