import Testing
import WaldenTestKit

/// Scenario: an operator looks at pools and changes them while clients use them, and the primary restarts. Risk: a client
/// is refused that could have waited, waits for what never comes, or a limit holds only after a restart.
@Suite(.serialized) struct PoolControlTests {
    private static let cluster = Result { try Cluster.start(.init()) }

    private let server: PostgresServer

    init() throws {
        server = try Self.cluster.get().primary
    }

    private func start(_ pool: String) throws -> WaldenProcess {
        var run = WaldenProcess.Configuration(primary: server.dsn(user: "postgres"))
        run.file = Self.file(pool)
        let walden = try WaldenProcess.start(run)
        try walden.waitUntilReady()
        return walden
    }

    /// One event loop, so that it is known which links a client can have.
    private static func file(_ pool: String) -> String {
        "auth: {method: trust}\ncache: {enabled: false}\nconsole: {admin_users: [postgres]}\nproxy: {workers: 1}\n"
            + "pool: {\(pool)}\n"
    }

    private func console(_ walden: WaldenProcess) throws -> SQLClient { try walden.connect(database: "walden") }

    private func show(_ view: String, _ walden: WaldenProcess) throws -> [[String: String]] {
        let result = try console(walden).query("SHOW \(view)")
        return result.texts.map { row in
            Dictionary(zip(result.columns, row).map { ($0, $1 ?? "null") }) { first, _ in first }
        }
    }

    @Test func otherLimitsHoldWithoutARestart() throws {
        let walden = try start("size: 1")
        let holder = try walden.connect()
        try holder.query("BEGIN; SELECT 1")
        let waiting = try walden.connect()
        try waiting.begin("SELECT 2")
        try eventually("a client waits") { try show("CLIENTS", walden).contains { $0["state"] == "waiting" } }
        try Files.write(Self.file("size: 2, tcp_user_timeout: 1s").utf8, to: walden.configurationPath)
        try console(walden).query("RELOAD")
        #expect(try waiting.finish().texts == [["2"]])
        #expect(try show("DATABASES", walden).first { $0["name"] == "postgres" }?["pool_size"] == "2")
        // What takes effect with a restart only is told by name.
        #expect(walden.log.contains("pool.tcp_user_timeout"))
        try holder.query("COMMIT")
        #expect(try show("SERVERS", walden).count == 2)
        try Files.write(Self.file("size: 1").utf8, to: walden.configurationPath)
        try console(walden).query("RELOAD")
        try eventually("a link beyond the limit is closed") { try show("SERVERS", walden).count == 1 }
        #expect(try waiting.scalar("SELECT 3") == "3")
        #expect(try holder.scalar("SELECT 4") == "4")
        #expect(try show("SERVERS", walden).count == 1)
    }

    @Test func timeLimitsForClientsThatAreConnectedCanBeSet() throws {
        let walden = try start("size: 1")
        let client = try ProtocolClient(port: walden.port, user: "postgres")
        try client.exchange(FrontendMessage.query("SELECT 1"))
        try Files.write(Self.file("client_idle_timeout: 100ms").utf8, to: walden.configurationPath)
        walden.signal(1)
        #expect(try client.receiveUntilClosed().map(\.sqlState) == ["57P05"])
    }

    @Test func linksArePartOfTheConsolesPicture() throws {
        let walden = try start("size: 2, mode: transaction")
        let client = try walden.connect("application_name=shop")
        #expect(try client.scalar("SELECT 1") == "1")
        func row(_ view: String) throws -> [String: String] {
            try #require(try show(view, walden).first { $0["database"] == "postgres" })
        }
        // It has given its link back.
        #expect(try row("CLIENTS")["link"] == "")
        #expect(try row("SERVERS")["state"] == "idle")
        #expect(try row("SERVERS")["link"] == "")
        var pool = try row("POOLS")
        #expect([pool["sv_idle"], pool["sv_active"], pool["pool_mode"]] == ["1", "0", "transaction"])
        #expect(try show("PINS", walden).isEmpty)
        try client.query("LISTEN news")
        try eventually("the session is bound to its server") {
            try show("PINS", walden).map { $0["pin"] } == ["listen"]
        }
        #expect(try row("SERVERS")["state"] == "active")
        #expect(try row("SERVERS")["application_name"] == "shop")
        #expect(try row("SERVERS")["ptr"] == row("CLIENTS")["link"])
        #expect(try row("SERVERS")["link"] == row("CLIENTS")["ptr"])
        #expect(try row("SERVERS")["remote_pid"] == client.scalar("SELECT pg_backend_pid()"))
        pool = try row("POOLS")
        #expect([pool["sv_idle"], pool["sv_active"]] == ["0", "1"])
    }

    @Test func aDatabaseThatWasKilledIsPaused() throws {
        let walden = try start("size: 2")
        let victim = try walden.connect()
        #expect(try victim.scalar("SELECT 1") == "1")
        try console(walden).query("KILL postgres")
        #expect(throws: SQLError.self) { try victim.query("SELECT 1") }
        try eventually("its links are closed") { try show("SERVERS", walden).isEmpty }
        let late = try walden.connect()
        try late.begin("SELECT 2")
        try eventually("a client waits") { try show("CLIENTS", walden).contains { $0["state"] == "waiting" } }
        #expect(try show("DATABASES", walden).first { $0["name"] == "postgres" }?["paused"] == "1")
        try console(walden).query("RESUME postgres")
        #expect(try late.finish().texts == [["2"]])
    }

    @Test func aClientThatConnectsIsToldOfAnOutageAtOnce() throws {
        let cluster = try Cluster.start(.init())
        defer { cluster.end() }
        var run = WaldenProcess.Configuration(primary: cluster.primary.dsn(user: "postgres"))
        run.file = Self.file("outage_wait: 300ms")
        let walden = try WaldenProcess.start(run)
        try walden.waitUntilReady()
        let connected = try walden.connect()
        #expect(try connected.scalar("SELECT 1") == "1")
        try cluster.primary.kill()
        // Its session is known; what it asks waits for a while.
        let error = try #require(#expect(throws: SQLError.self) { try connected.query("SELECT 2") })
        #expect("\(error)".contains("could not connect to the server"))
        let stranger = try ProtocolClient(port: walden.port)
        try stranger.send(FrontendMessage.startup([("user", "postgres"), ("database", "template1")]))
        #expect(try stranger.receiveUntilClosed().last?.sqlState == "08001")
        try cluster.primary.start()
        try eventually("the primary is reached again") { try walden.connect().scalar("SELECT 3") == "3" }
    }
}
