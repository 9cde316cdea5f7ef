import Glibc
import Testing
import WaldenTestKit

/// Scenario: the clusters that all integration tests stand on. Risk: a server that outlives its test, and a fault that
/// was not really there.
@Suite struct ClusterTests {
    @Test func primaryAnswersAndEndsWithItsFiles() throws {
        let cluster = try Cluster.start()
        let client = try cluster.primary.connect()
        #expect(try client.scalar("SHOW wal_level") == "logical")
        #expect(try client.scalar("SELECT pg_is_in_recovery()") == "f")
        cluster.end()
        #expect(access(cluster.scratch.path, F_OK) != 0)
        try eventually("the server is gone") { !cluster.primary.isRunning }
    }

    @Test func standbyStreamsAndCommitsWaitForASynchronousOne() throws {
        let cluster = try Cluster.start(.init(standbys: 1))
        try cluster.setSynchronous(["standby1"])
        let writer = try cluster.primary.connect()
        try writer.query("CREATE TABLE t (id int)")
        let standby = try #require(cluster.standbys.first)
        #expect(standby.signal(SIGSTOP, toProcessesTitled: "walreceiver") == 1)
        try writer.begin("INSERT INTO t VALUES (1)")
        let reader = try cluster.primary.connect()
        try eventually("the commit waits for the standby") {
            try reader.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'").rows.count == 1
        }
        #expect(writer.isBusy)
        #expect(try reader.scalar("SELECT count(*) FROM t") == "0")
        standby.signal(SIGCONT, toProcessesTitled: "walreceiver")
        try writer.finish()
        #expect(try reader.scalar("SELECT count(*) FROM t") == "1")
        try cluster.waitForReplay(on: standby)
        #expect(try standby.connect().scalar("SELECT count(*) FROM t") == "1")
    }

    @Test func serverComesBackAfterEveryKindOfStop() throws {
        let cluster = try Cluster.start()
        try cluster.primary.connect().query("CREATE TABLE t AS SELECT 7 AS value")
        let port = cluster.primary.port
        try cluster.primary.restart(.fast)
        try cluster.primary.restart(.immediate)
        try cluster.primary.kill()
        #expect(throws: SQLError.self) { try cluster.primary.connect() }
        try cluster.primary.start()
        #expect(cluster.primary.port == port)
        #expect(try cluster.primary.connect().scalar("SELECT value FROM t") == "7")
    }

    @Test func frozenServerHoldsItsConnectionsAndAnswersNothing() throws {
        let cluster = try Cluster.start()
        let client = try cluster.primary.connect()
        cluster.primary.freeze()
        client.timeout = .milliseconds(100)
        #expect(throws: TestKitError.self) { try client.query("SELECT 1") }
        cluster.primary.thaw()
        client.timeout = .seconds(10)
        #expect(try client.finish().integer == 1)
    }
}
