import Glibc
import Testing
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: a primary with two standbys and `ANY 1`, a client that writes without pause, and the primary dies in one way
/// or another. Risk: an acknowledged write that is nowhere, one that is there twice, or a cluster that writes nothing more.
@Suite(.serialized) struct SentinelTests {
    @Test(.againstHanging) func aKilledPrimaryIsReplacedAndNothingIsLost() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        try scene.cluster.primary.kill()
        let promoted = try scene.awaitFailover()
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        let outage = try scene.judge("kill -9 of the whole primary", on: promoted)
        #expect(outage < .seconds(20))
    }

    /// Its backends find out one by one; one that computes goes on, and must not acknowledge.
    @Test(.againstHanging) func aKilledPostmasterLeavesBackendsThatAcknowledgeNothing() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let survivor = try scene.connectPastTheProxy(to: scene.cluster.primary)
        try survivor.begin("INSERT INTO writes SELECT 0 FROM generate_series(1, 20000000) HAVING count(*) > 0")
        try eventually("the long statement runs") {
            let running = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series(%'"
            return try scene.cluster.primary.connect().query(running).rows.count >= 1
        }
        try scene.cluster.primary.killPostmaster()
        let promoted = try scene.awaitFailover()
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        #expect(throws: (any Error).self, "a backend without a postmaster acknowledged") { try survivor.finish() }
        let outage = try scene.judge("kill -9 of the postmaster alone", on: promoted)
        #expect(outage < .seconds(20))
        #expect(try scene.countPastTheProxy(on: promoted) == "0")
    }

    /// It wakes after the standbys were severed, after the promotion, and when the new primary is open.
    @Test(.againstHanging, arguments: [FailoverState.census, .opening, .steady])
    func aFrozenPrimaryAcknowledgesNothingOnceItIsBack(in state: FailoverState) throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let old = scene.cluster.primary
        let woken = Flag()
        scene.proxy.onNote { note in
            if note.to == state, !woken.isRaised {
                old.thaw()
                woken.raise()
            }
        }
        let direct = try scene.connectPastTheProxy(to: old)
        old.freeze()
        try direct.begin(SentinelScene.writePastTheProxy)
        let promoted = try scene.awaitFailover()
        try eventually("the old primary was woken") { woken.isRaised }
        try scene.expectWaitsInVain(direct, at: old)
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        #expect(direct.isBusy, "the old primary acknowledged a commit after the promotion")
        let outage = try scene.judge("SIGSTOP of the whole primary, SIGCONT in \(state.rawValue)", on: promoted)
        #expect(outage < .seconds(20))
        #expect(try scene.countPastTheProxy(on: promoted) == "0")
    }
}
