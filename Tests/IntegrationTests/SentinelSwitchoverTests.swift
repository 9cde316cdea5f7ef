import Testing
import WaldenCore
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: a switchover is ordered under load. Risk: an error that no client had to see, a lost commit, or an old primary
/// that stays out.
@Suite(.serialized) struct SentinelSwitchoverTests {
    @Test(.againstHanging) func aSwitchoverUnderLoadCostsAPauseAndNoError() throws {
        var options = SentinelScene.Options()
        options.configure = { $0.policy.hasAgent = true }
        let scene = try SentinelScene(options)
        defer { scene.end() }
        scene.proxy.onRejoin { node, primary in
            do {
                try scene.servers[node.index].stop()
                try scene.cluster.clone(scene.servers[node.index], from: scene.servers[primary.index])
                return .done
            } catch {
                return .failed("\(error)")
            }
        }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let (old, new) = (scene.cluster.primary, scene.cluster.standbys[0])
        sentinel.request(.switchover(to: scene.node(of: new)))
        #expect(try scene.awaitFailover().name == new.name)
        try scene.writeSome()
        let client = try new.connect()
        try eventually("the old primary follows", timeout: .seconds(40)) {
            let followers = "SELECT FROM pg_stat_replication WHERE application_name IN ('primary', 'standby2')"
            return try client.query("\(followers) AND sync_state = 'quorum'").rows.count == 2
        }
        // Before the drained log's end is taken, and before a rewind would look at the new timeline.
        for server in [old, new] { #expect(server.log.contains("checkpoint starting: immediate force wait")) }
        try scene.writeSome()
        let pause = try scene.judge("a switchover under load", on: new, errors: 0)
        #expect(pause < .seconds(10))
        #expect(scene.proxy.notes.contains { $0.row == 420 })
    }

    /// While work is drained, the old primary begins to acknowledge what no standby need hold.
    @Test(.againstHanging) func aRuleThatIsTakenAwayMeanwhileUndoesIt() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let primary = scene.cluster.primary
        let blocker = try scene.connectPastTheProxy(to: primary)
        try blocker.query("BEGIN")
        try blocker.query("LOCK TABLE writes IN SHARE MODE")
        sentinel.request(.switchover(to: nil))
        _ = try scene.awaitNote(to: .hold)
        try scene.setRule("", on: primary)
        #expect(try scene.awaitNote(to: .aborting).row == 405)
        try blocker.query("ROLLBACK")
        try scene.awaitState(.steady)
        try scene.setRule("ANY 1 (standby1, standby2)", on: primary)
        try scene.writeSome()
        #expect(scene.proxy.serving.primary == .configuredPrimary)
        let incident = try #require(sentinel.incidents.last)
        #expect(incident.refusal?.contains("synchronous_standby_names was changed") ?? false)
        try scene.judge("the rule is taken away during a switchover", on: primary, errors: 0)
    }
}
