import Glibc
import Synchronization
import Testing
import WaldenCore
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: a failover meets a second fault. Risk: two nodes that write, a lost commit on the way from one to the next, or
/// an incident that neither ends nor says why.
@Suite(.serialized) struct SentinelCandidateTests {
    /// The others wait for the chosen one, which alone may hold what was acknowledged.
    @Test(.againstHanging) func aCandidateKilledBeforeItsPromotionIsWaitedFor() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let killed = Flag()
        scene.proxy.onNote { note in
            // Its record, which names it, was written by the row before.
            guard note.to == .promote, !killed.isRaised, let candidate = try? scene.candidate() else { return }
            try? candidate.kill()
            killed.raise()
        }
        try scene.cluster.primary.kill()
        try eventually("the candidate was killed", timeout: .seconds(40)) { killed.isRaised }
        let candidate = try #require(try scene.candidate())
        let other = try #require(scene.cluster.standbys.first { $0.name != candidate.name })
        try expectWaits(for: candidate, other, scene)
        try candidate.start()
        #expect(try scene.awaitFailover().name == candidate.name)
        try scene.awaitFollower(of: candidate)
        try scene.writeSome()
        try scene.judge("the candidate is killed before its promotion", on: candidate)
    }

    /// For longer than a promotion takes, nobody else writes.
    private func expectWaits(for candidate: PostgresServer, _ other: PostgresServer, _ scene: SentinelScene) throws {
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(2) {
            #expect(try SQLClient(other.socketDSN()).scalar("SELECT pg_is_in_recovery()") == "t")
            #expect(scene.proxy.notes.last?.to == .promote)
        }
    }

    /// It has the order, and may have carried it out or not.
    @Test(.againstHanging) func aCandidateKilledDuringItsPromotionIsPromotedAgain() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let killer = Killer(of: scene)
        try scene.cluster.primary.kill()
        let candidate = try killer.join()
        try candidate.start()
        #expect(try scene.awaitFailover().name == candidate.name)
        try scene.awaitFollower(of: candidate)
        try scene.writeSome()
        try scene.judge("the candidate is killed during its promotion", on: candidate)
    }

    /// It was promoted, and the old primary, which the new rule names, is away: too few for another proof. People are told,
    /// and the node's return is enough.
    @Test(.againstHanging) func aCandidateKilledAfterItsPromotionIsWaitedFor() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let killed = Flag()
        scene.proxy.onNote { note in
            guard note.to == .opening, !killed.isRaised, let candidate = try? scene.candidate() else { return }
            try? candidate.kill()
            killed.raise()
        }
        try scene.cluster.primary.kill()
        try eventually("the candidate was killed", timeout: .seconds(40)) { killed.isRaised }
        let candidate = try #require(try scene.candidate())
        let other = try #require(scene.cluster.standbys.first { $0.name != candidate.name })
        #expect(try other.connect().scalar("SELECT pg_is_in_recovery()") == "t")
        try candidate.start()
        try scene.awaitFollower(of: candidate)
        try scene.writeSome()
        #expect(scene.proxy.serving.primary == scene.node(of: candidate))
        try scene.judge("the candidate is killed after its promotion", on: candidate)
    }

    /// Within the cooldown only a crash is a reason.
    @Test(.againstHanging) func aSecondFailoverWithinTheCooldownNeedsACrash() throws {
        var options = SentinelScene.Options()
        options.configure = { $0.timings.cooldown = .seconds(600) }
        let scene = try SentinelScene(options)
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        try scene.cluster.primary.kill()
        let second = try scene.awaitFailover()
        try scene.awaitFollower(of: second)
        try scene.cluster.clone(scene.cluster.primary, from: second)
        try scene.writeSome()
        let mark = scene.proxy.findings.count
        second.freeze()
        try scene.awaitFinding(.unreachable, since: mark)
        let begun = ContinuousClock.now
        while begun.duration(to: .now) < .seconds(3) {
            #expect(scene.proxy.notes.last?.to == .suspect)
            usleep(10_000)
        }
        second.thaw()
        try scene.writeSome()
        try scene.awaitState(.steady)
        try second.kill()
        let third = try scene.awaitFailover(from: scene.node(of: second))
        try scene.writeSome()
        #expect(scene.proxy.notes.filter { $0.to == .opening }.map(\.term.number) == [2, 3])
        try scene.judge("a second failover, by a crash within the cooldown", on: third)
    }

    /// Somebody promoted a standby and made it a standby again: its log has left the primary's, and with it the proof.
    @Test(.againstHanging) func aDivergedStandbyIsNeitherProofNorFollowed() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        let diverged = scene.cluster.standbys[1]
        try diverged.connect().query("SELECT pg_promote()")
        try diverged.connect().query("CREATE TABLE lost_branch ()")
        try diverged.stop()
        try Files.write("".utf8, to: "\(diverged.dataDirectory)/standby.signal")
        try diverged.start()
        try scene.writeSome()
        try scene.cluster.primary.kill()
        let note = try scene.awaitNote(to: .needsHuman)
        #expect(note.details.contains { $0.contains("standby2") && $0.contains("timeline 2") }, "\(note.details)")
        for standby in scene.cluster.standbys {
            #expect(try standby.connect().scalar("SELECT pg_is_in_recovery()") == "t")
        }
        try scene.cluster.primary.start()
        try scene.awaitState(.steady)
        try scene.writeSome()
        #expect(scene.proxy.serving.primary == .configuredPrimary)
        try scene.judge("a diverged standby: no proof, no failover", on: scene.cluster.primary)
    }

    /// Three restarts in a row, each as fast as the server can.
    @Test(.againstHanging) func aPrimaryThatComesAndGoesEndsSteadyOrReplacedOnce() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        for _ in 0..<3 { try scene.cluster.primary.restart(.immediate) }
        try eventually("it is steady again", timeout: .seconds(40)) {
            scene.proxy.notes.last?.to == .steady && !scene.proxy.serving.isHeld
        }
        try scene.writeSome()
        let opened = scene.proxy.notes.filter { $0.to == .opening }
        #expect(opened.count <= 1)
        let primary = scene.servers[scene.proxy.serving.primary.index]
        try scene.judge("three quick restarts, \(opened.count) failover", on: primary)
    }
}

/// Kills the candidate as soon as it has the order to promote itself.
private final class Killer: Sendable {
    private let thread = Mutex<BackgroundThread<PostgresServer>?>(nil)

    init(of scene: SentinelScene) {
        scene.proxy.onNote { [self] note in
            guard note.to == .promote, let candidate = try? scene.candidate() else { return }
            let killing = try? BackgroundThread {
                while !candidate.log.contains("received promote request") {}
                try candidate.kill()
                return candidate
            }
            thread.withLock { $0 = killing }
        }
    }

    func join() throws -> PostgresServer {
        try awaitValue("the order to promote", timeout: .seconds(30)) { thread.withLock { $0 } }.join()
    }
}
