import Testing
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: each server on a host of its own, and the network between them is cut, in both directions or in one. Risk: two
/// primaries that both acknowledge, or a failover for a fault of the sentinel's own.
@Suite(.serialized, .enabled(if: NetworkLab.obstacle == nil, "\(NetworkLab.obstacle ?? "networks can be made")"))
struct SentinelNetworkTests {
    private static func scene() throws -> (SentinelScene, NetworkLab) {
        var options = SentinelScene.Options()
        options.hasNetwork = true
        let scene = try SentinelScene(options)
        return (scene, try #require(scene.network))
    }

    private static let everybody = [NetworkLab.observer, "standby1", "standby2"]

    /// How the primary is cut off: nothing passes, it is not heard, or it hears nothing.
    enum Cut: String, CaseIterable {
        case both, mute, deaf

        func make(_ network: NetworkLab) throws {
            switch self {
            case .both: try network.unplug("primary")
            case .mute: for other in everybody { try network.cut(from: "primary", to: other) }
            case .deaf: for other in everybody { try network.cut(from: other, to: "primary") }
            }
        }

        func heal(_ network: NetworkLab) throws {
            switch self {
            case .both: try network.plug("primary")
            case .mute: for other in everybody { try network.heal(from: "primary", to: other) }
            case .deaf: for other in everybody { try network.heal(from: other, to: "primary") }
            }
        }
    }

    @Test(.againstHanging, arguments: Cut.allCases)
    func aPrimaryCutFromAllIsReplaced(cut: Cut) throws {
        let (scene, network) = try Self.scene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let old = scene.cluster.primary
        let direct = try scene.connectPastTheProxy(to: old)
        try cut.make(network)
        try direct.begin(SentinelScene.writePastTheProxy)
        let promoted = try scene.awaitFailover()
        #expect(scene.proxy.findings.contains(.unreachable), "\(scene.proxy.findings)")
        try cut.heal(network)
        if cut != .deaf { try scene.expectWaitsInVain(direct, at: old) }
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        let isTold = !direct.isBusy
        let outage = try scene.judge("the primary is cut from all (\(cut.rawValue))", on: promoted)
        #expect(outage < .seconds(20))
        // One that hears nothing is heard by the standbys until they are severed: then the commit is there. What a standby
        // confirmed before that is still on its way, and may be heard, and told, when the network is whole again.
        let written = try scene.countPastTheProxy(on: promoted)
        #expect(written == "0" || cut == .deaf && written == "1")
        #expect(!isTold || written == "1", "the old primary acknowledged a commit that nobody else has")
    }

    /// The fault is on the sentinel's side: the primary goes on, and acknowledges what others write.
    @Test(.againstHanging, arguments: [Cut.both, .mute])
    func aSentinelCutFromThePrimaryDoesNothing(cut: Cut) throws {
        let (scene, network) = try Self.scene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let direct = try scene.connectPastTheProxy(to: scene.cluster.primary)
        try network.cut(from: "primary", to: NetworkLab.observer)
        if cut == .both { try network.cut(from: NetworkLab.observer, to: "primary") }
        try scene.awaitFinding(.sentinelBlind)
        // For longer than it would take to fail over from a primary that nobody hears.
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(3) { try direct.query(SentinelScene.writePastTheProxy) }
        let written = try direct.scalar("SELECT count(*) FROM writes WHERE id = 0")
        #expect(scene.proxy.notes.last?.to == .suspect)
        try network.heal(from: "primary", to: NetworkLab.observer)
        if cut == .both { try network.heal(from: NetworkLab.observer, to: "primary") }
        try scene.awaitState(.steady)
        try scene.writeSome()
        scene.expectNoFailover()
        #expect(try scene.countPastTheProxy(on: scene.cluster.primary) == written)
        try scene.judge("the sentinel is cut from the primary (\(cut.rawValue))", on: scene.cluster.primary)
    }

    /// Commits wait for their quorum; that is no reason for a failover, which would need the same standbys.
    @Test(.againstHanging) func standbysCutFromThePrimaryAreWaitedFor() throws {
        let (scene, network) = try Self.scene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        for standby in ["standby1", "standby2"] { try network.cut(from: "primary", to: standby) }
        try scene.awaitFinding(.syncStalled)
        for standby in ["standby1", "standby2"] { try network.heal(from: "primary", to: standby) }
        try scene.writeSome()
        scene.expectNoFailover()
        try scene.judge("the standbys are cut from the primary (mute)", on: scene.cluster.primary, errors: 0)
    }
}
