import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a switchover that takes the old primary's log for ended while something is under way, or leaves it without the
/// checkpoint that a quick end and a rewind need.
@Suite struct SwitchoverTests {
    private static func ordered(_ change: (inout Bench) -> Void = { _ in }) -> Bench {
        var bench = Bench()
        bench.pass(.milliseconds(200))
        _ = bench.takeTranscript()
        change(&bench)
        bench.machine.observe(.requested(.switchover(to: Bench.b)), at: bench.now)
        return bench
    }

    @Test func fromTheOrderToItsEnd() {
        var bench = Self.ordered()
        bench.pass(.seconds(1))
        #expect(
            bench.takeTranscript() == """
                210 hold
                  record hold
                  hold
                  drain
                  checkpoint a
                420 sever
                  record sever
                  sever c
                  sever b
                500 census
                  record census
                600 fence
                  record fence
                  raise_term
                  close_connections a
                710 promote
                  record promote
                  raise_term
                  close_connections a
                  set_synchronous_names b
                  promote b
                800 opening
                  record opening
                  follow c
                  create_slot b
                  begin_epoch
                900 open
                  record open
                  release
                1000 steady
                  record steady
                  release
                """)
    }

    /// A heartbeat that the others receive after the one wished for was severed would keep that from being chosen.
    @Test func theOneWishedForIsSeveredLast() {
        var bench = Self.ordered { $0.outcomes["sever"] = .failed("not yet") }
        bench.pass(.milliseconds(150))
        #expect(bench.machine.state == .sever)
        #expect(!bench.takeTranscript().contains("sever b"))
        // One that cannot be severed does not keep it waiting for ever.
        bench.pass(.milliseconds(400))
        #expect(bench.takeTranscript().contains("sever b"))
    }

    /// Its log had parted, it was rewound while the others were severed, and was severed with them: nobody else lets it follow.
    @Test func oneThatWasRewoundMeanwhileFollowsAgain() {
        var bench = Self.ordered {
            $0.change(Bench.c) { $0.receiver = nil }
            $0.machine.parted = [Bench.c]
            $0.outcomes["drain"] = .failed("not yet")
        }
        bench.pass(.milliseconds(200))
        for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 0 } }
        bench.outcomes = ["sever": .failed("not yet")]
        bench.pass(.milliseconds(300))
        #expect(bench.machine.state == .sever)
        bench.change(Bench.c) { $0.receiver = .init(isStreaming: true, silentFor: .zero) }
        bench.pass(.milliseconds(50))
        #expect(bench.machine.parted.isEmpty)
        bench.outcomes = [:]
        bench.pass(.seconds(3))
        #expect(bench.rows.contains(610))
        #expect(bench.takeTranscript().contains("follow c"))
        #expect(bench.machine.detached.isEmpty)
    }

    @Test func withoutItsCheckpointNothingIsSevered() {
        var bench = Self.ordered { $0.outcomes["checkpoint"] = .failed("57014") }
        bench.pass(.seconds(5))
        #expect(bench.machine.state == .hold)
        bench.pass(.seconds(7))
        #expect(bench.rows.contains(430))
        #expect(bench.machine.evidence.primary == Bench.a)
    }

    /// What was asked before the checkpoint was done may have been answered before the last commit.
    @Test func theEndOfTheLogIsReadAfterTheCheckpoint() {
        var bench = Self.ordered { $0.outcomes["checkpoint"] = .failed("not yet") }
        bench.pass(.milliseconds(300))
        let asked = bench.now
        bench.outcomes["checkpoint"] = nil
        bench.pass(.milliseconds(200), looking: false)
        #expect(bench.machine.state == .hold)
        bench.machine.observe(
            .reported(
                Bench.a,
                NodeReport(
                    systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: false, received: LSN(1_000),
                    replayed: LSN(1_000), synchronousStandbyNames: "ANY 1 (b, c)", askedAt: asked)),
            at: bench.now)
        #expect(!(bench.machine.incident?.isEndKnown ?? true))
        bench.pass(.milliseconds(50))
        #expect(bench.machine.incident?.isEndKnown ?? false)
    }
}
