import Testing
import WaldenTestKit

/// Scenario: operators look and act through the console, with psql and with drivers. Risk: somebody gets in who must not;
/// an answer that a driver reads as something else; a look that disturbs the clients looked at.
@Suite(.serialized) struct ConsoleTests {
    private struct Site {
        let stack: WaldenStack
        let sockets: Scratch
    }

    private static let site = Result {
        let sockets = try Scratch()
        var configuration = WaldenStack.Configuration(
            schema: "CREATE ROLE reader LOGIN; CREATE ROLE other LOGIN; CREATE TABLE items (id int PRIMARY KEY)")
        configuration.flags = [
            "--listen", "unix:\(sockets.path)/.s.PGSQL.6432", "--console-admin-users", "postgres",
            "--console-stats-users", "reader",
        ]
        return Site(stack: try WaldenStack.start(configuration), sockets: sockets)
    }
    private static let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)

    private func console(user: String = "postgres") throws -> SQLClient {
        try Self.site.get().stack.walden.connect(database: "walden", user: user)
    }

    /// The rows of a view by their columns' names.
    private func show(_ view: String) throws -> [[String: String]] {
        let result = try console().query("SHOW \(view)")
        return result.texts.map { row in
            Dictionary(zip(result.columns, row).map { ($0, $1 ?? "null") }) { first, _ in first }
        }
    }

    private func expect(_ state: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("\(state) was expected")
        } catch let error as SQLError {
            #expect(error.sqlState == state, "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    // MARK: Who gets in

    @Test func rolesProveThemselvesToThePrimary() throws {
        #expect(try console().scalar("SHOW VERSION")?.hasPrefix("Walden ") == true)
        let reader = try console(user: "reader")
        #expect(try reader.query("SHOW LISTS").rows.isEmpty == false)
        expect("42501") { try reader.query("RELOAD") }
        #expect(try reader.scalar("SHOW VERSION") != nil)
    }

    @Test func othersAreRefused() throws {
        let walden = try Self.site.get().stack.walden
        let client = try ProtocolClient(port: walden.port)
        try client.send(FrontendMessage.startup([("user", "other"), ("database", "walden")]))
        let answer = try client.receiveUntilClosed()
        #expect(answer.count == 1)
        #expect(answer.first?.sqlState == "28000")
    }

    @Test func aRoleThatThePrimaryRefusesIsRefused() throws {
        let stack = try Self.site.get().stack
        try stack.direct().query("ALTER ROLE reader NOLOGIN")
        defer { _ = try? stack.direct().query("ALTER ROLE reader LOGIN") }
        let client = try ProtocolClient(port: stack.walden.port)
        try client.send(FrontendMessage.startup([("user", "reader"), ("database", "walden")]))
        #expect(try client.receiveUntilClosed().last?.sqlState == "28000")
    }

    /// The tests run as the user that Walden runs as.
    @Test func theOwnerGetsInByTheSocket() throws {
        let site = try Self.site.get()
        let result = try ProcessRunner.run([
            "psql", "-X", "-At", "-h", site.sockets.path, "-p", "6432", "-U", "whoever", "-d", "walden", "-c",
            "SHOW VERSION", "-c", "FLUSH", "-c", "\\echo :LAST_ERROR_SQLSTATE",
        ])
        #expect(result.status.isSuccess, "\(result.transcript)")
        #expect(result.output.hasPrefix("Walden "))
        #expect(result.output.hasSuffix("FLUSH\n00000\n"))
    }

    // MARK: What it shows

    @Test func clientsServersAndPinsBelongTogether() throws {
        let stack = try Self.site.get().stack
        let client = try stack.walden.connect(user: "other", "application_name=shop")
        let pid = try #require(try client.scalar("SELECT pg_backend_pid()"))
        let row = try #require(try show("CLIENTS").first { $0["application_name"] == "shop" })
        #expect(row["user"] == "other")
        #expect(row["database"] == "postgres")
        #expect(row["state"] == "active")
        #expect(row["addr"] == "127.0.0.1")
        #expect(row["local_port"] == "\(stack.walden.port)")
        let server = try #require(try show("SERVERS").first { $0["ptr"] == row["link"] })
        #expect(server["link"] == row["ptr"])
        #expect(server["remote_pid"] == pid)
        #expect(server["node"] == "primary")
        let pin = try #require(try show("PINS").first { $0["client_id"] == row["id"] })
        #expect(pin["server_pid"] == pid)
        let pool = try #require(try show("POOLS").first { $0["user"] == "other" })
        #expect(pool["cl_active"] == "1")
        #expect(pool["sv_active"] == "1")
    }

    @Test func trafficIsCountedByDatabase() throws {
        let stack = try Self.site.get().stack
        try stack.direct().query("CREATE DATABASE counted")
        let client = try stack.walden.connect(database: "counted")
        for _ in 0..<5 { try client.query("SELECT 1") }
        try client.query("BEGIN; SELECT pg_sleep(0.05)")
        try client.query("COMMIT")
        let row = try #require(try show("STATS").first { $0["database"] == "counted" })
        #expect(row["total_query_count"] == "7")
        #expect(row["total_xact_count"] == "6")
        #expect(Int(row["total_xact_time"] ?? "") ?? 0 >= 50_000)
        #expect(Int(row["total_query_time"] ?? "") ?? 0 >= 50_000)
        #expect(Int(row["total_received"] ?? "") ?? 0 > 100)
        #expect(Int(row["total_sent"] ?? "") ?? 0 > 100)
    }

    @Test func secretsAreNotAmongTheSettings() throws {
        let config = try show("CONFIG")
        #expect(config.first { $0["key"] == "console.admin_users" }?["value"] == "postgres")
        #expect(config.contains { $0["key"] == "primary" && $0["changeable"] == "no" })
    }

    @Test func figuresAreThoseOfTheStatusDocument() throws {
        let stack = try Self.site.get().stack
        let hits = try stack.figures().hits
        #expect(try show("CACHE").first { $0["name"] == "hits" }?["value"] == "\(hits)")
        #expect(try show("ROUTES").first { $0["target"] == "cache" }?["count"] == "\(hits)")
    }

    @Test func keepsTheHistoryOfTheLag() throws {
        try eventually("the lag has been recorded") {
            try show("LAG HISTORY").contains { $0["name"] == "cache" }
        }
    }

    // MARK: What it does

    /// What arrives while a connection is idle, libpq tells without its SQLSTATE.
    private func expectKilled(_ client: SQLClient) {
        do {
            try client.query("SELECT 1")
            Issue.record("the client goes on")
        } catch {
            #expect("\(error)".contains("terminating connection due to administrator command"))
        }
    }

    @Test func killsOneClient() throws {
        let stack = try Self.site.get().stack
        let victim = try stack.walden.connect("application_name=victim")
        let other = try stack.walden.connect("application_name=bystander")
        let id = try #require(try show("CLIENTS").first { $0["application_name"] == "victim" }?["id"])
        try console().query("KILL_CLIENT \(id)")
        expectKilled(victim)
        #expect(try other.scalar("SELECT 1") == "1")
        expect("42704") { try console().query("KILL_CLIENT \(id)") }
    }

    @Test func killsTheClientsOfADatabase() throws {
        let stack = try Self.site.get().stack
        try stack.direct().query("CREATE DATABASE doomed")
        let victim = try stack.walden.connect(database: "doomed")
        let other = try stack.walden.connect()
        try console().query("KILL doomed")
        expectKilled(victim)
        #expect(try other.scalar("SELECT 1") == "1")
    }

    @Test func flushEmptiesTheCache() throws {
        let stack = try Self.site.get().stack
        let client = try stack.proxied()
        try stack.warm(client, "SELECT count(*) FROM items")
        try console().query("FLUSH")
        #expect(try stack.hits { try client.query("SELECT count(*) FROM items") } == 0)
    }

    @Test func flushOfARelationLeavesTheOthers() throws {
        let stack = try Self.site.get().stack
        try stack.direct().query("CREATE SCHEMA shop; CREATE TABLE shop.\"Orders\" (id int PRIMARY KEY)")
        let client = try stack.proxied()
        let (orders, items) = ("SELECT count(*) FROM shop.\"Orders\"", "SELECT max(id) FROM items")
        try stack.warm(client, orders)
        try stack.warm(client, items)
        expect("42P01") { try console().query("FLUSH shop.orders") }
        try console().query("FLUSH shop.\"Orders\"")
        #expect(try stack.hits { try client.query(orders) } == 0)
        #expect(try stack.hits { try client.query(items) } == 1)
    }

    @Test func poolsAreNotPausedWhereThereAreNone() throws {
        for command in ["PAUSE", "RESUME", "RECONNECT"] { expect("55000") { try console().query(command) } }
    }

    @Test func driversReadIt() throws {
        let python = try ProcessRunner.run(["\(Self.folder)/../../scripts/python-env.sh"], timeout: .seconds(300))
        try #require(python.status.isSuccess, "\(python.transcript)")
        let interpreter = String(python.output.split(separator: "\n").last ?? "")
        let walden = try Self.site.get().stack.walden
        let result = try ProcessRunner.run(
            [interpreter, "\(Self.folder)/Scripts/console.py", walden.dsn(database: "walden")], timeout: .seconds(120))
        #expect(result.output == "ok\n", "\(result.transcript)")
    }

    /// A database and its console in a process whose primary is not there.
    @Test func theOwnerGetsInWithoutAPrimary() throws {
        let sockets = try Scratch()
        var run = WaldenProcess.Configuration(primary: "host=127.0.0.1 port=1 dbname=x")
        run.flags = ["--listen", "unix:\(sockets.path)/.s.PGSQL.6432"]
        let walden = try WaldenProcess.start(run)
        let client = try SQLClient("host=\(sockets.path) port=6432 user=me dbname=walden")
        #expect(try client.query("SHOW REPLICAS").texts.first?[4] == "f")
        walden.signal(15)
        #expect(try walden.waitForExit().isSuccess)
    }

    @Test func reloadReadsTheFileAgain() throws {
        let sockets = try Scratch()
        let address = "unix:\(sockets.path)/.s.PGSQL.6432"
        var run = WaldenProcess.Configuration(primary: "host=127.0.0.1 port=1 dbname=x")
        run.flags = ["--listen", address]
        run.file = "log: {level: info}\n"
        let walden = try WaldenProcess.start(run)
        let client = try SQLClient("host=\(sockets.path) port=6432 user=me dbname=walden")
        try Files.write("log: {level: debug}\n".utf8, to: walden.configurationPath)
        try client.query("RELOAD")
        let config = try client.query("SHOW CONFIG").texts
        #expect(config.contains { $0[0] == "log.level" && $0[1] == "debug" })
        try Files.write("log: {level: loud}\n".utf8, to: walden.configurationPath)
        expect("F0000") { try client.query("RELOAD") }
        #expect(try client.query("SHOW CONFIG").texts == config)
    }
}
