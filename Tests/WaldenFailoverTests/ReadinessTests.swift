import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: people are told that all is ready where it is not, or a time that nothing supports.
@Suite struct ReadinessTests {
    private static func steady(
        policy: FailoverPolicy = FailoverPolicy(), names: String = "ANY 1 (b, c)"
    ) -> Bench {
        var bench = Bench(policy: policy, names: names)
        bench.pass(.milliseconds(200))
        return bench
    }

    private static func block(_ bench: Bench) -> Readiness.Block? { bench.machine.readiness(at: bench.now).block }

    @Test func nothingBlocksAHealthyCluster() {
        let bench = Self.steady()
        let readiness = bench.machine.readiness(at: bench.now)
        #expect(readiness.block == nil)
        #expect(readiness.obstacle == nil)
    }

    @Test func eachBlockHasItsWordAndItsWords() {
        var found: [Readiness.Block: Bench] = [:]
        found[.undiscovered] = Bench()
        found[.rule] = Self.steady(names: "ANY 1 (*)")
        var manual = FailoverPolicy()
        manual.isAutomatic = false
        found[.manual] = Self.steady(policy: manual)
        var careful = FailoverPolicy()
        careful.mayLoseUnacknowledged = false
        found[.noQuorum] = Self.steady(policy: careful, names: "")
        var nobody = FailoverPolicy()
        nobody.priorities = [Bench.b: 0, Bench.c: 0]
        found[.noCandidate] = Self.steady(policy: nobody)
        var away = Self.steady()
        away.away = [Bench.c: .silent]
        away.pass(.seconds(2))
        found[.unproven] = away
        away.away[Bench.b] = .silent
        away.pass(.seconds(2))
        found[.noStandby] = away
        var paused = Self.steady()
        paused.machine.observe(.requested(.pause), at: paused.now)
        paused.pass(.milliseconds(100))
        found[.maintenance] = paused
        var failed = Self.steady()
        failed.kill(Bench.a)
        failed.pass(.seconds(2))
        failed.away = [:]
        failed.change(Bench.a) {
            $0.isInRecovery = true
            $0.timeline = TimelineID(2)
        }
        failed.pass(.seconds(1))
        found[.cooldown] = failed
        for (block, bench) in found {
            #expect(Self.block(bench) == block, "\(block)")
            #expect(bench.machine.readiness(at: bench.now).obstacle?.isEmpty == false, "\(block)")
        }
        #expect(Set(found.keys) == Set(Readiness.Block.allCases))
    }

    /// Whoever is wished for is judged alone, with its own reason.
    @Test func aWishIsJudgedAlone() {
        var policy = FailoverPolicy()
        policy.priorities = [Bench.b: 200]
        var bench = Self.steady(policy: policy)
        bench.change(Bench.c) { $0.received = LSN(900) }
        bench.pass(.milliseconds(100))
        #expect(bench.machine.readiness(at: bench.now).candidate == Bench.b)
        let wished = bench.machine.readiness(for: Bench.c, at: bench.now)
        #expect(wished.candidate == Bench.c)
        #expect(wished.missingBytes == 100)
        bench.change(Bench.c) { $0.isReplayPaused = true }
        bench.pass(.milliseconds(100))
        let obstacle = bench.machine.switchoverObstacle(to: Bench.c, at: bench.now)
        #expect(obstacle == "c: its replay is paused: call pg_wal_replay_resume()")
        #expect(bench.machine.switchoverObstacle(to: nil, at: bench.now) == nil)
    }

    /// A failover that people have to order stands in the way of no switchover, and none may be taken for the reason.
    @Test func aSwitchoverNeedsNoAutomaticFailover() {
        var policy = FailoverPolicy()
        policy.isAutomatic = false
        policy.priorities = [Bench.b: 0, Bench.c: 0]
        var bench = Self.steady(policy: policy)
        #expect(
            bench.machine.switchoverObstacle(to: nil, at: bench.now) == "b: its priority is 0; c: its priority is 0")
        policy.priorities = [:]
        bench = Self.steady(policy: policy)
        #expect(bench.machine.switchoverObstacle(to: nil, at: bench.now) == nil)
    }

    @Test func theEstimateIsTypicalUntilATakeoverWasMeasured() {
        var bench = Self.steady()
        let timings = bench.machine.timings
        #expect(!bench.machine.estimate.isMeasured)
        #expect(bench.machine.estimate.total == timings.heartbeat + timings.typicalTakeover)
        bench.kill(Bench.a)
        bench.pass(.seconds(2))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.estimate.isMeasured)
        // The bench looks each 50 ms, and what is severed is seen twice.
        #expect(bench.machine.estimate.takeover >= .milliseconds(100))
        #expect(bench.machine.estimate.takeover < .milliseconds(500))
        #expect(bench.machine.switchoverEstimate.total == bench.machine.estimate.takeover)
    }

    @Test func withoutAQuorumARestartIsWaitedForFirst() {
        let bench = Self.steady(names: "")
        let timings = bench.machine.timings
        #expect(bench.machine.estimate.detection == timings.heartbeat + timings.restartGrace)
    }

    /// One that was given up says nothing of how long a takeover lasts.
    @Test func whatIsGivenUpIsNotMeasured() {
        var bench = Self.steady()
        bench.outcomes["sever"] = .failed("no")
        bench.kill(Bench.a)
        bench.pass(.seconds(4))
        #expect(bench.rows.contains(510))
        #expect(!bench.machine.estimate.isMeasured)
    }
}
