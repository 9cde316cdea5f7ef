import Testing
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel
import WaldenTestKit

/// Scenario: the primary dies in a cluster whose configuration lets no failover end well. Risk: standbys that are severed for
/// nothing, or people who are not told what is missing.
@Suite(.serialized) struct SentinelRefusalTests {
    /// What is wrong, how it is mended, and what people are told.
    private struct Fault: Sendable {
        let name: String
        let make: @Sendable (SentinelScene) throws -> Void
        let mend: @Sendable (SentinelScene) throws -> Void
        let told: [String]
        /// Rules are in the journal as soon as the sentinel has seen them.
        var isRule = false
    }

    private static func rule(_ rule: String) -> @Sendable (SentinelScene) throws -> Void {
        { scene in try scene.setRule(rule, on: scene.cluster.primary) }
    }

    private static func onPrimary(_ sql: String) -> @Sendable (SentinelScene) throws -> Void {
        { scene in
            let client = try scene.cluster.primary.connect()
            try client.query(sql)
            for standby in scene.cluster.standbys { try scene.cluster.waitForReplay(on: standby) }
        }
    }

    private static func onStandbys(_ sql: String) -> @Sendable (SentinelScene) throws -> Void {
        { scene in for standby in scene.cluster.standbys { try standby.connect().query(sql) } }
    }

    private static let faults = [
        Fault(
            name: "synchronous_standby_names names nobody", make: rule("ANY 1 (standby1, standby2, nobody)"),
            mend: rule("ANY 1 (standby1, standby2)"), told: ["names \"nobody\"", "add the node"], isRule: true),
        Fault(
            name: "k > n", make: rule("ANY 3 (standby1, standby2)"), mend: rule("ANY 1 (standby1, standby2)"),
            told: ["requires 3 of 2 standbys", "require at most 2"], isRule: true),
        Fault(
            name: "no room for a slot",
            make: onStandbys("SELECT pg_create_physical_replication_slot('taken' || n) FROM generate_series(1, 4) n"),
            mend: onStandbys("SELECT pg_drop_replication_slot('taken' || n) FROM generate_series(1, 4) n"),
            told: ["standby1: it has no free replication slot", "raise its max_replication_slots"]),
        Fault(
            name: "missing rights",
            make: onPrimary("REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM walden_sentinel"),
            mend: onPrimary("GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO walden_sentinel"),
            told: ["standby2: the sentinel's role lacks EXECUTE ON FUNCTION pg_promote", "run sql/sentinel.sql"]),
    ]

    /// In one cluster, one after the other: each is mended, and the primary comes back.
    @Test(.againstHanging) func whatCannotEndWellIsNotBegun() throws {
        var options = SentinelScene.Options()
        options.settings = ["max_replication_slots": "4"]
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        for fault in Self.faults {
            let mark = scene.proxy.notes.count
            try fault.make(scene)
            try sentinelSees(fault, scene)
            try scene.cluster.primary.kill()
            let note = try scene.awaitNote(to: .needsHuman, since: mark)
            for text in fault.told {
                #expect(note.details.contains { $0.contains(text) }, "\(fault.name): \(note.details)")
            }
            for standby in scene.cluster.standbys {
                #expect(try standby.connect().scalar("SELECT current_setting('primary_conninfo') <> ''") == "t")
            }
            try scene.cluster.primary.start()
            try fault.mend(scene)
            try scene.awaitState(.steady)
            try scene.writeSome()
        }
        scene.expectNoFailover()
        try scene.judge("refused: \(Self.faults.map(\.name).joined(separator: ", "))", on: scene.cluster.primary)
    }

    private func sentinelSees(_ fault: Fault, _ scene: SentinelScene) throws {
        guard fault.isRule else { return try scene.writeSome(50) }
        try eventually("the sentinel records that there is no rule") {
            try scene.record()["rules"]["current"]["required"].int == nil
        }
    }

    @Test(.againstHanging) func nodesOfTwoClustersAreRefusedAtTheStart() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        var configuration = Cluster.Configuration()
        configuration.isStranger = true
        let stranger = try Cluster.start(configuration)
        defer { stranger.end() }
        try stranger.primary.connect().query(Files.text("\(SentinelScene.tree)/sql/sentinel.sql"))
        let dsn = try DSN(stranger.primary.dsn(user: "walden_sentinel"))
        let sentinel = try scene.makeSentinel { $0.nodes[2].dsn = dsn }
        try sentinel.start(scene.proxy)
        defer { sentinel.stop() }
        let note = try scene.awaitNote(to: .needsHuman)
        #expect(note.row == 100)
        #expect(note.details.contains { $0.contains("system identifiers differ") && $0.contains("pg_basebackup") })
        try scene.writeSome(400)
        scene.expectNoFailover()
        try scene.judge("refused: nodes of two clusters", on: scene.cluster.primary, errors: 0)
    }
}
