import Testing
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: the primary's log can be written no more. Risk: a primary that answers every look and commits nothing, or one
/// whose commits reach the disk after the failover and are acknowledged then.
@Suite(.serialized, .enabled(if: Volume.obstacle == nil, "\(Volume.obstacle ?? "file systems can be mounted")"))
struct SentinelStorageTests {
    /// PostgreSQL ends itself when the log has no room, and cannot recover either.
    @Test(.againstHanging) func aFullLogVolumeIsFailedOverFrom() throws {
        var options = SentinelScene.Options()
        options.logVolume = .small(megabytes: 160)
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        try scene.cluster.logVolume?.fill()
        let filler = try BackgroundThread {
            // Every call takes a new file, until there is room for none.
            let client = try scene.cluster.primary.connect()
            for _ in 0..<20 {
                try client.query("SELECT pg_logical_emit_message(false, 'filler', 'x')")
                try client.query("SELECT pg_switch_wal()")
            }
        }
        let promoted = try scene.awaitFailover()
        #expect(throws: (any Error).self) { try filler.join() }
        #expect(scene.cluster.primary.log.contains("No space left on device"))
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        let outage = try scene.judge("pg_wal full", on: promoted)
        #expect(outage < .seconds(20))
    }

    /// The disk takes no write and gives no error: reads go on, no local commit returns.
    @Test(.againstHanging) func aFrozenLogVolumeIsFailedOverFrom() throws {
        var options = SentinelScene.Options()
        options.logVolume = .freezable(megabytes: 160)
        options.configure = { $0.timings.writeStall = .seconds(2) }
        // Without it no commit would wait for the disk.
        options.settings = ["fsync": "on"]
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let old = scene.cluster.primary
        let direct = try scene.connectPastTheProxy(to: old)
        try scene.cluster.logVolume?.freeze()
        try direct.begin(SentinelScene.writePastTheProxy)
        let promoted = try scene.awaitFailover()
        #expect(scene.proxy.findings.contains(.writeDead), "\(scene.proxy.findings)")
        try scene.cluster.logVolume?.thaw()
        try scene.expectWaitsInVain(direct, at: old)
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        #expect(direct.isBusy, "the old primary acknowledged a commit after the promotion")
        let outage = try scene.judge("pg_wal frozen (write_dead after 2 s)", on: promoted)
        #expect(outage < .seconds(20))
        #expect(try scene.countPastTheProxy(on: promoted) == "0")
    }
}
