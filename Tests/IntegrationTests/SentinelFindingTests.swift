import Glibc
import Testing
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: a primary that lives, and does not answer as it should. Risk: a failover that nothing called for, which costs
/// an outage and, with a primary that goes on, two of them.
@Suite(.serialized) struct SentinelFindingTests {
    /// New connections hang, those at hand work: for people, not for a failover.
    @Test(.againstHanging) func aStoppedPostmasterIsToldAndLeftAlone() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        scene.cluster.primary.signalPostmaster(SIGSTOP)
        try scene.awaitFinding(.hungAccept)
        try scene.writeSome(1_000)
        let mark = scene.proxy.findings.count
        scene.cluster.primary.signalPostmaster(SIGCONT)
        try scene.awaitFinding(.healthy, since: mark)
        scene.expectNoFailover()
        try scene.judge("SIGSTOP of the postmaster alone", on: scene.cluster.primary, errors: 0)
    }

    /// By setting it is a reason; then the old primary's sessions, which live on, must acknowledge nothing.
    @Test(.againstHanging) func aStoppedPostmasterIsFailedOverFromBySetting() throws {
        var options = SentinelScene.Options()
        options.configure = { $0.timings.hungAccept = .seconds(1) }
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let old = scene.cluster.primary
        let direct = try scene.connectPastTheProxy(to: old)
        let witness = try scene.connectPastTheProxy(to: old)
        old.signalPostmaster(SIGSTOP)
        let promoted = try scene.awaitFailover()
        try direct.begin(SentinelScene.writePastTheProxy)
        try eventually("the old primary waits for a quorum in vain") {
            try witness.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'").rows.count >= 1
        }
        try scene.writeSome()
        #expect(direct.isBusy, "the old primary acknowledged a commit after the promotion")
        try scene.judge("SIGSTOP of the postmaster alone, hung_accept = 1 s", on: promoted)
        #expect(try scene.countPastTheProxy(on: promoted) == "0")
    }

    /// The sentinel's own sessions are gone, and there is no room for new ones.
    @Test(.againstHanging) func aFullPrimaryIsLeftAlone() throws {
        var options = SentinelScene.Options()
        options.settings = ["max_connections": "30", "superuser_reserved_connections": "3"]
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let primary = scene.cluster.primary
        let witness = try primary.connect()
        let crowd = try Crowd(at: primary)
        defer { crowd.leave() }
        try eventually("there is no room", timeout: .seconds(30)) { crowd.isRefused }
        let mark = scene.proxy.findings.count
        let found = try awaitValue("the primary is found overloaded", timeout: .seconds(30)) { () -> Bool? in
            try witness.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'walden_sentinel'")
            return scene.proxy.findings.dropFirst(mark).contains(.overloaded) ? true : nil
        }
        #expect(found)
        try scene.writeSome()
        crowd.leave()
        try eventually("it is found healthy", timeout: .seconds(30)) { scene.proxy.findings.last == .healthy }
        scene.expectNoFailover()
        try scene.judge("max_connections full", on: primary, errors: 0)
    }

    /// A process of the server was killed: all others end, then it recovers. A stopped one keeps it from that for a while.
    @Test(.againstHanging) func aPrimaryThatRestartsItselfIsWaitedFor() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let primary = scene.cluster.primary
        let bystander = try scene.connectPastTheProxy(to: primary)
        kill(bystander.backendPID, SIGSTOP)
        primary.signal(SIGKILL, toProcessesTitled: "checkpointer")
        try scene.awaitFinding(.recovering)
        kill(bystander.backendPID, SIGCONT)
        try scene.writeSome()
        try scene.awaitState(.steady)
        scene.expectNoFailover()
        try scene.judge("57P03 while the primary restarts itself", on: primary)
    }
}

/// Clients that take every place there is, again and again.
private final class Crowd: Sendable {
    private let isOver = Flag()
    private let refusals = Counter()
    private let members: [BackgroundThread<Void>]

    init(at server: PostgresServer) throws {
        let (isOver, refusals) = (isOver, refusals)
        members = try (0..<40).map { _ in
            try BackgroundThread {
                while !isOver.isRaised {
                    guard let client = try? server.connect() else {
                        refusals.add()
                        usleep(1_000)
                        continue
                    }
                    while !isOver.isRaised, (try? client.query("SELECT")) != nil { usleep(20_000) }
                }
            }
        }
    }

    var isRefused: Bool { refusals.value > 100 }

    func leave() {
        isOver.raise()
    }
}
