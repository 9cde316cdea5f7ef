import Glibc
import Testing
import WaldenTestKit

/// Scenario: a client cancels while its commit waits for standbys, of which none answers. Risk: PostgreSQL ends the wait and
/// tells of the commit, no standby has it, and the next failover loses it; or what should be cancelled is not.
@Suite(.serialized) struct CommitGuardTests {
    private static let withheld = "walden_cancels_withheld_total"

    /// - Parameter authenticates: Whether sessions have servers of a pool; else each has its own.
    @Test(.againstHanging, arguments: [true, false])
    func aCommitsWaitForStandbysIsNotCancelled(_ authenticates: Bool) throws {
        var configuration = SuccessionLoad.configuration
        if !authenticates { configuration.settings = [] }
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let statement = try stack.walden.connect()
        let transaction = try stack.walden.connect()
        try transaction.query("BEGIN")
        try transaction.query("INSERT INTO writes VALUES (2)")
        try stack.withFrozenReceivers {
            try statement.begin("INSERT INTO writes VALUES (1)")
            try stack.awaitWaiting(1)
            try statement.canceller().cancel()
            #expect(try stack.walden.metrics()[Self.withheld] == 1)
            try transaction.begin("COMMIT")
            try stack.awaitWaiting(2)
            try transaction.canceller().cancel()
            #expect(try stack.walden.metrics()[Self.withheld] == 2)
            #expect(try stack.waiting() == 2)

            // What is in no commit ends at once.
            for text in ["SELECT pg_sleep(60)", "INSERT INTO writes SELECT 3 FROM pg_sleep(60)"] {
                let other = try stack.walden.connect()
                try stack.cancelWhileAsleep(other, text)
                try other.query("BEGIN")
                try stack.cancelWhileAsleep(other, text)
            }
        }
        // An end of the wait would have been told by a warning, and Walden would have ended the session.
        for client in [statement, transaction] {
            try client.finish()
            #expect(client.takeNotices().isEmpty)
        }
        #expect(try stack.walden.connect().scalar("SELECT count(*) FROM writes WHERE id IN (1, 2)") == "2")
        #expect(stack.walden.log.contains("its commit waits for standbys"))
        #expect(stack.walden.log.contains("the transaction is at its COMMIT"))
    }

    /// By somebody who does not go through Walden: the client is told that nobody knows, not that it is committed.
    @Test(.againstHanging, arguments: [false, true])
    func aWaitThatIsCutOffAtTheServerIsNoAcknowledgement(_ isExtended: Bool) throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        try stack.withFrozenReceivers {
            let walden = stack.walden
            let writer = try BackgroundThread {
                let client = try walden.connect()
                let text = "INSERT INTO writes VALUES (1)"
                guard isExtended else { return try client.query(text) }
                try client.prepare("write", text)
                return try client.execute(prepared: "write")
            }
            try stack.awaitWaiting(1)
            try stack.cluster.primary.connect().query(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            let error = #expect(throws: SQLError.self) { try writer.join() }
            #expect("\(error as Any)".contains("wait for standbys to confirm a commit has been cut off"))
        }
    }

    /// Whoever cannot look withholds what may commit, and says how that is mended.
    @Test(.againstHanging) func withoutTheRightToLookNothingThatMayCommitIsCancelled() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let admin = try stack.cluster.primary.connect()
        try admin.query("REVOKE pg_monitor FROM walden_sentinel")
        let client = try stack.walden.connect()
        let text = "INSERT INTO writes SELECT 1 FROM pg_sleep(60)"
        try client.begin(text)
        try stack.awaitRunning(text)
        try client.canceller().cancel()
        #expect(try stack.walden.metrics()[Self.withheld] == 1)
        #expect(stack.walden.log.contains("GRANT pg_monitor or pg_read_all_stats"))
        try admin.query("GRANT pg_monitor TO walden_sentinel")
        try client.canceller().cancel()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "57014")
    }
}

// MARK: What happens at the servers

extension FailoverStack {
    fileprivate func withFrozenReceivers(_ body: () throws -> Void) throws {
        for standby in cluster.standbys {
            try #require(standby.signal(SIGSTOP, toProcessesTitled: "walreceiver") == 1)
        }
        defer {
            for standby in cluster.standbys { standby.signal(SIGCONT, toProcessesTitled: "walreceiver") }
        }
        try body()
    }

    fileprivate func waiting() throws -> Int {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query ~ '^(INSERT|COMMIT)'"
        return Int(try cluster.primary.connect().scalar(sql) ?? "") ?? -1
    }

    fileprivate func awaitWaiting(_ count: Int) throws {
        try eventually("\(count) commits wait for standbys") { try waiting() == count }
    }

    /// Wherever it was sent.
    fileprivate func awaitRunning(_ text: String) throws {
        let clients = try servers.map { try $0.connect() }
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = '\(text)'"
        try eventually("it runs: \(text)") { try clients.contains { try $0.scalar(sql) == "1" } }
    }

    fileprivate func cancelWhileAsleep(_ client: SQLClient, _ text: String) throws {
        try client.begin(text)
        try awaitRunning(text)
        try client.canceller().cancel()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "57014")
    }
}
