import Testing
import WaldenTestKit

/// Scenario: clients that Walden has authenticated share server connections. Risk: a limit is passed, a client starves or
/// hangs, a cancel request hits another client, or one client's end shows to the next.
@Suite(.serialized) struct PoolTests {
    private static let cluster = Result { try Cluster.start(.init()) }

    private let server: PostgresServer

    init() throws {
        server = try Self.cluster.get().primary
    }

    /// A Walden of its own, since its limits are what is tested.
    private func start(_ flags: [String]) throws -> WaldenProcess {
        var run = WaldenProcess.Configuration(primary: server.dsn(user: "postgres"))
        run.flags = ["--auth-method", "trust", "--cache-enabled", "false"] + flags
        return try WaldenProcess.start(run)
    }

    private func expect(_ state: String, _ body: () throws -> Void) throws -> SQLError {
        let error = #expect(throws: SQLError.self) { try body() }
        #expect(error?.sqlState == state)
        return try #require(error)
    }

    /// Server connections in a database that only one test uses.
    private func backends(_ database: String) throws -> Int {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database)' AND pid <> pg_backend_pid()"
        return Int(try server.connect().scalar(sql) ?? "") ?? -1
    }

    private func makeDatabase(_ name: String) throws {
        try server.connect().query("CREATE DATABASE \(name)")
    }

    @Test func manyClientsShareFewServersWithinTheLimitAndNoneStarves() throws {
        try makeDatabase("shared")
        let walden = try start(["--pool-size", "2", "--proxy-workers", "3"])
        let clients = try (0..<12).map { number in
            try BackgroundThread {
                let client = try walden.connect(database: "shared")
                for round in 0..<25 {
                    let sql = "SELECT \(number * 1_000 + round), pg_sleep(0.001)"
                    guard try client.scalar(sql) == "\(number * 1_000 + round)" else { return false }
                }
                return true
            }
        }
        var most = 0
        for client in clients {
            most = max(most, try backends("shared"))
            #expect(try client.join())
        }
        #expect((1...2).contains(most))
        // They are connected still, and no server is theirs.
        #expect(try backends("shared") <= 2)
    }

    @Test func whoWaitsTooLongIsToldWhatIsFull() throws {
        let walden = try start(["--pool-size", "1", "--pool-query-wait-timeout", "300ms"])
        let holder = try walden.connect()
        try holder.query("BEGIN; SELECT 1")
        let other = try walden.connect()
        // Of an error before the connection's end, libpq tells the text only.
        let error = try #require(#expect(throws: SQLError.self) { try other.query("SELECT 2") })
        let all = "All 1 server connections of user \"postgres\""
        for words in ["no server connection became free", all, "pool.size"] {
            #expect("\(error)".contains(words))
        }
        try holder.query("COMMIT")
        #expect(try walden.connect().scalar("SELECT 3") == "3")
    }

    @Test func cancelReachesTheServerThatServesAndTheQueueOfThoseThatWait() throws {
        let walden = try start(["--pool-size", "1"])
        let runner = try walden.connect()
        try runner.begin("SELECT pg_sleep(60)")
        try eventually("it runs") {
            try server.connect().scalar("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
                == "1"
        }
        let waiter = try walden.connect()
        try waiter.begin("SELECT 'waited'")
        try eventually("it waits") { try walden.get("/metrics").body.contains("walden_pool_clients_waiting 1") }
        try waiter.canceller().cancel()
        let error = try expect("57014") { try waiter.finish() }
        #expect(error.detail == "The statement was waiting for a server connection.")
        try runner.canceller().cancel()
        _ = try expect("57014") { try runner.finish() }
        // Both go on, and no late cancel hits either.
        for round in 0..<20 {
            #expect(try runner.scalar("SELECT \(round)") == "\(round)")
            #expect(try waiter.scalar("SELECT \(round)") == "\(round)")
        }
        // Idle: without effect.
        try runner.canceller().cancel()
        #expect(try runner.scalar("SELECT 'still'") == "still")
    }

    @Test func aServerThatEndsWhileIdleIsNotNoticedByClients() throws {
        try makeDatabase("killed")
        let walden = try start([])
        let client = try walden.connect(database: "killed")
        for round in 0..<5 {
            #expect(try client.scalar("SELECT \(round)") == "\(round)")
            let control = try server.connect()
            try control.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'killed'")
            try eventually("it is gone") {
                try control.scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed'") == "0"
            }
            try eventually("Walden knows") {
                try walden.get("/metrics").body.contains("walden_pool_links_closed_total \(round + 1)")
            }
        }
    }

    @Test func anAbandonedTransactionIsRolledBackBeforeTheNextClient() throws {
        let walden = try start(["--pool-size", "1"])
        try server.connect().query("CREATE TABLE abandoned (x int)")
        do {
            let client = try walden.connect()
            try client.query("BEGIN; INSERT INTO abandoned VALUES (1)")
        }
        let next = try walden.connect()
        #expect(try next.scalar("SELECT count(*) FROM abandoned") == "0")
        #expect(try next.scalar("SELECT pg_current_xact_id_if_assigned() IS NULL") == "t")
    }

    @Test func aClientThatDiesInAResultLeavesNothingToTheNext() throws {
        let walden = try start(["--pool-size", "1"])
        for _ in 0..<3 {
            do {
                let client = try walden.connect()
                try client.begin("SELECT repeat('x', 1000) FROM generate_series(1, 4000)")
            }
            #expect(try walden.connect().scalar("SELECT 'clean'") == "clean")
        }
    }

    @Test func aRefusedLoginIsToldInTheServersWords() throws {
        let walden = try start([])
        let error = #expect(throws: SQLError.self) { try walden.connect(database: "no_such_database") }
        #expect(error?.message.contains("database \"no_such_database\" does not exist") == true)
    }

    @Test func idleTransactionsAndClientsEndInPostgreSQLsWords() throws {
        let walden = try start([
            "--pool-idle-transaction-timeout", "200ms", "--pool-client-idle-timeout", "2s", "--pool-query-timeout",
            "1s",
        ])
        let client = try walden.connect()
        try client.query("BEGIN; SELECT 1")
        try eventually("the transaction is ended") {
            try server.connect().scalar("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
                == "0"
        }
        let ended = #expect(throws: SQLError.self) { try client.query("SELECT 1") }
        #expect(ended?.sqlState == "25P03" || ended?.message.contains("idle-in-transaction timeout") == true)
        let long = try walden.connect()
        _ = try expect("57014") { try long.query("SELECT pg_sleep(60)") }
        #expect(try long.scalar("SELECT 1") == "1")
    }

    @Test func pauseAwaitsTransactionsAndResumeServesThoseWhoWaited() throws {
        try makeDatabase("paused")
        let walden = try start(["--console-admin-users", "postgres"])
        let console = try walden.connect(database: "walden")
        let busy = try walden.connect(database: "paused")
        try busy.query("BEGIN; SELECT 1")
        try console.begin("PAUSE paused")
        let late = try walden.connect(database: "paused")
        try late.begin("SELECT 'late'")
        try eventually("it waits") { try walden.get("/metrics").body.contains("walden_pool_clients_waiting 1") }
        #expect(console.isBusy)
        #expect(try busy.scalar("SELECT 'goes on'") == "goes on")
        try busy.query("COMMIT")
        try console.finish()
        #expect(try backends("paused") == 0)
        #expect(late.isBusy)
        try console.query("RESUME paused")
        #expect(try late.finish().texts == [["late"]])
    }
}
