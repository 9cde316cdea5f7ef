import Glibc
import Testing
import WaldenTestKit

/// Scenario: a commit waits for a stopped synchronous standby. Its change has been decoded and applied, yet no reader
/// can see it. Risk: a read in this gap is kept as if it were newer than the change, and stays stale for good.
@Suite(.serialized) struct VisibilityTests {
    private static let schema = """
        CREATE TABLE accounts (id int PRIMARY KEY, balance int);
        INSERT INTO accounts SELECT id, 100 FROM generate_series(1, 10) AS id
        """

    @Test func readsOfAnInvisibleCommitAreNotKept() throws {
        var configuration = WaldenStack.Configuration(schema: Self.schema)
        configuration.cluster.standbys = 1
        let stack = try WaldenStack.start(configuration)
        try stack.cluster.setSynchronous(["standby1"])
        let standby = try #require(stack.cluster.standbys.first)
        let reader = try stack.proxied()
        func balance(of id: Int) throws -> String? {
            try reader.scalar("SELECT balance FROM accounts WHERE id = \(id)")
        }
        #expect(try stack.warm { try balance(of: 1) } == "100")
        #expect(try stack.warm { try balance(of: 2) } == "100")

        standby.signal(SIGSTOP, toProcessesTitled: "walreceiver")
        defer { standby.signal(SIGCONT, toProcessesTitled: "walreceiver") }
        let writer = try stack.direct()
        try writer.begin("UPDATE accounts SET balance = 200 WHERE id = 1")
        let observer = try stack.direct()
        try eventually("the commit waits for the standby") {
            try observer.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'UPDATE%'")
                .rows.count == 1
        }
        try stack.waitUntilApplied()

        let hits = try stack.hits {
            for _ in 0..<20 {
                let seen = try balance(of: 1)
                let truth = try observer.scalar("SELECT balance FROM accounts WHERE id = 1")
                #expect(seen == "100" && truth == "100")
            }
        }
        #expect(hits == 0, "a read of the row in doubt was kept")
        #expect(writer.isBusy)
        #expect(try stack.warm { try balance(of: 2) } == "100")

        standby.signal(SIGCONT, toProcessesTitled: "walreceiver")
        try writer.finish()
        #expect(try balance(of: 1) == "200")
        #expect(try stack.warm { try balance(of: 1) } == "200")
    }

    /// The replica shows the commit that waits for the other standby. Who has seen it there and is sent to the primary is not
    /// shown less, but waits.
    @Test func whoHasReadOnAReplicaIsNotShownLessByThePrimary() throws {
        var configuration = WaldenStack.Configuration(schema: Self.schema)
        configuration.cluster.standbys = 2
        configuration.usesStandbys = true
        configuration.flags = ["--auth-method", "trust", "--routing-settle-budget", "1min"]
        let stack = try WaldenStack.start(configuration)
        try stack.cluster.setSynchronous(["standby2"])
        let confirming = try #require(stack.cluster.standbys.last)
        let balance = "SELECT balance FROM accounts WHERE id = 1"
        // One has been shown nothing by a replica, and a long transaction runs that no replica shows.
        let (reader, other, long) = (try stack.proxied(), try stack.proxied(), try stack.direct())
        try other.query("SET walden.cache = off; SET walden.route = 'primary'")
        try reader.query("SET walden.cache = off")
        try long.query("BEGIN; UPDATE accounts SET balance = 0 WHERE id = 9")

        confirming.signal(SIGSTOP, toProcessesTitled: "walreceiver")
        defer { confirming.signal(SIGCONT, toProcessesTitled: "walreceiver") }
        let writer = try stack.direct()
        try writer.begin("UPDATE accounts SET balance = 200 WHERE id = 1")
        try eventually("a replica shows the commit") { try reader.scalar(balance) == "200" }
        #expect(try other.scalar(balance) == "100")

        try reader.query("SET walden.route = 'primary'")
        let before = try stack.walden.figures().json["routing"]["settled"].int ?? 0
        try reader.begin(balance)
        try eventually("the read waits") {
            try stack.walden.figures().json["routing"]["settled"].int ?? 0 > before
        }
        for _ in 0..<20 { #expect(try other.scalar(balance) == "100") }
        #expect(reader.isBusy)
        #expect(writer.isBusy)
        confirming.signal(SIGCONT, toProcessesTitled: "walreceiver")
        #expect(try reader.finish().texts == [["200"]])
        try writer.finish()
        // The long transaction still runs: that no replica shows it is known.
        #expect(try stack.walden.figures().json["routing"]["unsettled"].int == 0)
        try long.query("ROLLBACK")
    }

    /// The statement began before the change and ends after it was applied: its rows are old, and not kept.
    @Test func aReadOvertakenByAChangeIsNotKept() throws {
        let stack = try WaldenStack.start(.init(schema: Self.schema))
        let sql = "SELECT balance FROM accounts WHERE id = 3"
        let locker = try stack.direct()
        try locker.query("BEGIN; LOCK accounts IN ACCESS EXCLUSIVE MODE")
        let reader = try stack.proxied()
        try reader.begin(sql)
        try locker.query("UPDATE accounts SET balance = 300 WHERE id = 3; COMMIT")
        let first = try reader.finish().texts
        #expect(first == [["300"]] || first == [["100"]])
        try stack.waitUntilApplied()
        #expect(try reader.scalar(sql) == "300")
        #expect(try stack.warm(reader, sql) == [["300"]])
    }
}
