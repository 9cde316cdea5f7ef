import Glibc
import Synchronization
import Testing
import WaldenTestKit

/// Scenario: the primary dies while a COMMIT waits for standbys. Risk: the client is told of a commit that nobody has, or
/// of a rollback of one that is there, or what became of another transaction that bears the same number.
@Suite(.serialized) struct CommitInDoubtTests {
    /// The standbys have the COMMIT and have not said so.
    @Test(.againstHanging) func aCommitThatAStandbyHasIsAcknowledged() throws {
        let stack = try start()
        defer { stack.end() }
        let client = try openTransaction(stack)
        try stack.awaitReplay()
        try stack.delayCommits()
        try client.query("SET LOCAL synchronous_commit = remote_apply")
        try client.begin("COMMIT")
        try stack.awaitCommits(1)
        try stack.awaitReceipt()
        try stack.cluster.primary.kill()
        // A standby that waits does not follow another primary.
        try stack.applyCommits()
        try client.finish()
        // The session goes on at the new primary.
        #expect(try client.scalar("SELECT count(*) FROM writes WHERE id = 1") == "1")
        #expect(try stack.resolved() == ["committed": 1])
    }

    /// The standbys know of the transaction and not of its COMMIT.
    @Test(.againstHanging) func aCommitThatNoStandbyHasIsRolledBack() throws {
        let stack = try start()
        defer { stack.end() }
        let client = try openTransaction(stack)
        try stack.awaitReplay()
        try stack.freezeSenders()
        try client.begin("COMMIT")
        try stack.awaitCommits(1)
        try stack.cluster.primary.kill()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "40001")
        #expect(try client.scalar("SELECT count(*) FROM writes WHERE id = 1") == "0")
        #expect(try stack.resolved() == ["rolled_back": 1])
    }

    /// The standbys know nothing of it: the new primary gives its number to another transaction, which is committed.
    @Test(.againstHanging) func aCommitOfWhichNobodyKnowsTheNumberStaysUnknown() throws {
        let stack = try start()
        defer { stack.end() }
        try stack.freezeSenders()
        let client = try openTransaction(stack)
        let number = try #require(
            try stack.cluster.primary.connect().scalar(
                "SELECT backend_xid FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL"
            ))
        try client.begin("COMMIT")
        try stack.awaitCommits(1)
        try stack.cluster.primary.kill()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect("\(error as Any)".contains("the new primary's log does not name the transaction"))
        let other = try stack.walden.connect()
        try eventually("the number is another transaction's") {
            try other.query("INSERT INTO writes VALUES (2)")
            return try other.scalar("SELECT pg_current_xact_id() > '\(number)'::xid8") == "t"
        }
        #expect(try other.scalar("SELECT pg_xact_status('\(number)'::xid8)") == "committed")
        #expect(try other.scalar("SELECT count(*) FROM writes WHERE id = 1") == "0")
        #expect(try stack.resolved() == ["unknown": 1])
    }

    /// Its process alone ends, and no other node takes the primary's place: nobody is waited for.
    @Test(.againstHanging) func aCommitWhoseProcessEndsStaysUnknown() throws {
        let stack = try start()
        defer { stack.end() }
        let client = try openTransaction(stack)
        try stack.freezeSenders()
        try client.begin("COMMIT")
        try stack.awaitCommits(1)
        try stack.cluster.primary.connect().query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'")
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect("\(error as Any)".contains("no other node has taken the primary's place"))
    }

    enum Loss: CaseIterable {
        /// The moment decides what standbys have.
        case killed
        /// Standbys find the commits in their sockets.
        case killedAfterSending
        case frozen
    }

    /// Whatever clients are told, each transaction is where they were told that it is.
    @Test(.againstHanging, arguments: Loss.allCases) func manyClientsAreToldTheTruth(_ loss: Loss) throws {
        let stack = try start()
        defer { stack.end() }
        let load = try BlockLoad(stack)
        try load.progress()
        switch loss {
        case .killed: try stack.cluster.primary.kill()
        case .killedAfterSending:
            try stack.signalReceivers(SIGSTOP)
            try stack.awaitCommits(BlockLoad.clients)
            try stack.cluster.primary.kill()
            try stack.signalReceivers(SIGCONT)
        case .frozen: stack.cluster.primary.freeze()
        }
        try load.progress()
        if loss == .frozen { stack.cluster.primary.thaw() }
        let told = try load.finish()
        let resolved = try stack.resolved()
        print(
            "commits in doubt: \(loss), \(told.mapValues(\.count)), of them asked for: \(resolved)"
        )
        let rows = try stack.walden.connect().query("SELECT id, count(*) FROM writes GROUP BY id").texts
        let counts = Dictionary(uniqueKeysWithValues: rows.map { ($0[0] ?? "", $0[1] ?? "") })
        #expect(counts.values.allSatisfy { $0 == "1" })
        #expect(told["committed", default: []].filter { counts["\($0)"] == nil } == [], "told, and not there")
        #expect(told["rolled back", default: []].filter { counts["\($0)"] != nil } == [], "there, and told otherwise")
        #expect(loss != .killedAfterSending || resolved["committed", default: 0] > 0)
    }

    private func start() throws -> FailoverStack {
        var configuration = SuccessionLoad.configuration
        configuration.failover = ["resolve_commits: true"]
        return try FailoverStack.start(configuration)
    }

    private func openTransaction(_ stack: FailoverStack) throws -> SQLClient {
        let client = try stack.walden.connect()
        try client.query("BEGIN")
        try client.query("INSERT INTO writes VALUES (1)")
        return client
    }
}

/// Clients that write in blocks, one after the other, each a row with a number of its own.
private final class BlockLoad: Sendable {
    static let clients = 16
    private static let stride = 1_000_000

    private let stack: FailoverStack
    /// Numbers by what was told of their transactions.
    private let told = Mutex<[String: [Int]]>([:])
    private let isOver = Flag()
    private let threads = Mutex<[BackgroundThread<Void>]>([])

    init(_ stack: FailoverStack) throws {
        self.stack = stack
        for client in 1...Self.clients {
            let thread = try BackgroundThread { [self] in self.write(from: client * Self.stride) }
            threads.withLock { $0.append(thread) }
        }
    }

    private func write(from first: Int) {
        var client: SQLClient?
        var id = first
        while !isOver.isRaised {
            id += 1
            var outcome = "rolled back"
            do {
                let session = try client ?? stack.walden.connect()
                client = session
                try session.query("BEGIN")
                try session.query("INSERT INTO writes VALUES (\(id))")
                outcome = "unknown"
                try session.query("COMMIT")
                outcome = "committed"
            } catch let error as SQLError where error.sqlState == "40001" {
                outcome = "rolled back"
            } catch {
                client = nil
            }
            told.withLock { $0[outcome, default: []].append(id) }
        }
    }

    /// Until commits have gone on for a while.
    func progress() throws {
        let before = committed
        try eventually("commits go on", timeout: .seconds(60)) { committed >= before + 500 }
    }

    private var committed: Int { told.withLock { $0["committed", default: []].count } }

    func finish() throws -> [String: [Int]] {
        isOver.raise()
        for thread in threads.withLock({ $0 }) { try thread.join() }
        return told.withLock { $0 }
    }
}

extension FailoverStack {
    /// By what clients were told.
    fileprivate func resolved() throws -> [String: Double] {
        let name = "walden_commits_in_doubt_total"
        return Dictionary(
            uniqueKeysWithValues: try walden.metrics().filter { $0.key.hasPrefix(name) }.map { key, value in
                (String(key.dropFirst(name.count).split(separator: "\"")[1]), value)
            })
    }

    /// Until the standbys have applied all that the primary has written.
    fileprivate func awaitReplay() throws {
        let end = try cluster.primary.connect().scalar("SELECT pg_current_wal_insert_lsn()") ?? ""
        try awaitStandbys("pg_last_wal_replay_lsn() >= '\(end)'")
    }

    /// Until they have all that is on the primary's disk.
    fileprivate func awaitReceipt() throws {
        let end = try cluster.primary.connect().scalar("SELECT pg_current_wal_flush_lsn()") ?? ""
        try awaitStandbys("pg_last_wal_receive_lsn() >= '\(end)'")
    }

    private func awaitStandbys(_ condition: String) throws {
        for standby in cluster.standbys {
            let client = try standby.connect()
            try eventually("\(standby.name): \(condition)") { try client.scalar("SELECT \(condition)") == "t" }
        }
    }

    /// The standbys receive commits and apply none.
    fileprivate func delayCommits() throws {
        for standby in cluster.standbys {
            try standby.configure(["recovery_min_apply_delay": "1h"])
            standby.reload()
            let client = try standby.connect()
            try eventually("\(standby.name) delays a commit") {
                try client.scalar(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'RecoveryApplyDelay'") == "1"
            }
        }
    }

    fileprivate func applyCommits() throws {
        for standby in cluster.standbys {
            try standby.configure(["recovery_min_apply_delay": "0"])
            standby.reload()
        }
    }

    fileprivate func signalReceivers(_ number: Int32) throws {
        for standby in cluster.standbys {
            try #require(standby.signal(number, toProcessesTitled: "walreceiver") == 1)
        }
    }

    /// The standbys receive nothing any more.
    fileprivate func freezeSenders() throws {
        try #require(cluster.primary.signal(SIGSTOP, toProcessesTitled: "walsender") >= 2)
    }

    fileprivate func awaitCommits(_ count: Int) throws {
        let client = try cluster.primary.connect()
        try eventually("\(count) commits wait for standbys") {
            try client.scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'") == "\(count)"
        }
    }
}
