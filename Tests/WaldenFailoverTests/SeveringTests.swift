import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a standby counts as severed that receives, or received after it was counted.
@Suite struct SeveringTests {
    /// In `sever`, with both standbys ordered and away by `outcome`; nothing is counted yet.
    private static func severing(_ outcome: StepOutcome? = nil) -> Bench {
        var bench = Bench()
        bench.pass(.milliseconds(200))
        bench.outcomes["sever"] = outcome
        bench.kill(Bench.a)
        bench.pass(.milliseconds(50))
        return bench
    }

    private static func report(severed: Bool, received: UInt64 = 1_000, asked: Instant) -> NodeReport {
        NodeReport(
            systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: true, received: LSN(received),
            replayed: LSN(received), receiver: severed ? nil : .init(isStreaming: true, silentFor: .zero),
            hasUpstream: !severed, askedAt: asked)
    }

    /// Nobody was told to stay cut off: a receiver that is gone by itself comes back.
    @Test func aReceiverThatIsGoneByItselfIsNotSevered() {
        var bench = Self.severing(.failed("57014"))
        for node in [Bench.b, Bench.c] {
            bench.change(node) {
                $0.receiver = nil
                $0.hasUpstream = false
            }
        }
        bench.pass(.milliseconds(1_000))
        #expect(bench.machine.state == .sever)
        #expect(bench.machine.incident?.severed.isEmpty ?? false)
    }

    /// The order is done, and these are the looks since: which of them make it severed?
    private static func counted(_ looks: [(severed: Bool, after: Int)]) -> Bool {
        var bench = severing()
        #expect(bench.machine.state == .sever)
        for look in looks {
            let asked = bench.now + .milliseconds(look.after)
            bench.machine.observe(.reported(Bench.b, report(severed: look.severed, asked: asked)), at: asked)
        }
        return bench.machine.incident?.severed[Bench.b] != nil
    }

    @Test func itMustBeSeenGoneInTwoLooks() {
        #expect(!Self.counted([(true, 10)]))
        #expect(Self.counted([(true, 10), (true, 20)]))
    }

    @Test func oneLookToldTwiceIsOneLook() {
        #expect(!Self.counted([(true, 10), (true, 10)]))
    }

    @Test func aReceiverSeenBetweenTheTwoBeginsTheCountAnew() {
        #expect(!Self.counted([(true, 10), (false, 20), (true, 30)]))
        #expect(Self.counted([(true, 10), (false, 20), (true, 30), (true, 40)]))
    }

    /// Asked before the order, answered after it.
    @Test func aLookFromBeforeTheOrderIsNone() {
        #expect(!Self.counted([(true, -60), (true, -55)]))
    }

    /// Somebody made one follow again after the census: it is severed again before anybody is promoted.
    @Test func whoFollowsAgainIsSeveredAgainBeforeThePromotion() throws {
        var bench = Self.severing()
        bench.pass(.seconds(1))
        let record = try #require(bench.records.first { $0.state == .promote })
        var restarted = Bench(resuming: record, unwatchedFor: .seconds(1))
        restarted.change(Bench.b) {
            $0.receiver = nil
            $0.hasUpstream = false
        }
        // c follows somebody.
        restarted.away[Bench.a] = .refused
        restarted.pass(.milliseconds(50))
        let steps = restarted.takeTranscript().split(separator: "\n").map { $0.drop { $0 == " " } }
        let severed = try #require(steps.firstIndex(of: "sever c"))
        #expect(severed < steps.firstIndex(of: "promote b") ?? steps.endIndex)
    }

    /// Its log cannot be compared: it would be further for ever, and nobody would be promoted.
    @Test func aStrayTimelineThatIsFurtherDoesNotHoldThePromotionUp() throws {
        var bench = Bench(names: "ANY 2 (b, c)")
        bench.pass(.milliseconds(200))
        bench.change(Bench.c) {
            $0.timeline = TimelineID(7)
            $0.received = LSN(9_000)
        }
        bench.kill(Bench.a)
        bench.pass(.seconds(2))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// It left the timeline while it was being severed: it may hold what was acknowledged before, under other numbers.
    @Test func oneThatLeavesTheTimelineWhileItIsSeveredIsNoProof() {
        var bench = Self.severing(.failed("57014"))
        #expect(bench.machine.state == .sever)
        bench.outcomes["sever"] = nil
        bench.change(Bench.c) { $0.timeline = TimelineID(2) }
        bench.pass(.seconds(5))
        #expect(bench.rows.contains(510))
        #expect(!bench.rows.contains(500))
    }
}
