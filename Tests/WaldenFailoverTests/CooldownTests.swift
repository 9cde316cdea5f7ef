import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a cluster that fails over to and fro for one fault, or a second crash that nobody fails over from.
@Suite struct CooldownTests {
    /// b is the primary since a moment ago, and a follows it.
    private static func failedOver() -> Bench {
        var policy = FailoverPolicy()
        policy.hasAgent = true
        var bench = Bench(policy: policy)
        bench.pass(.milliseconds(200))
        bench.kill(Bench.a)
        bench.pass(.seconds(2))
        #expect(bench.machine.evidence.primary == Bench.b)
        bench.away[Bench.a] = nil
        for node in [Bench.a, Bench.c] {
            bench.change(node) {
                $0.isInRecovery = true
                $0.timeline = TimelineID(2)
                $0.hasUpstream = true
                $0.receiver = .init(isStreaming: true, silentFor: .milliseconds(10))
            }
        }
        bench.pass(.seconds(2))
        _ = bench.takeTranscript()
        return bench
    }

    @Test func silenceIsNoReasonSoSoon() {
        var bench = Self.failedOver()
        bench.isolate(Bench.b, after: .seconds(1))
        bench.pass(.seconds(30))
        #expect(bench.machine.state == .suspect)
        #expect(!bench.rows.contains(310))
    }

    @Test func silenceIsOneLater() {
        var bench = Self.failedOver()
        bench.pass(.seconds(601))
        bench.isolate(Bench.b, after: .seconds(1))
        bench.pass(.seconds(4))
        #expect(bench.rows.contains(310))
    }

    @Test func aCrashAlwaysIs() {
        var bench = Self.failedOver()
        bench.kill(Bench.b)
        bench.pass(.seconds(2))
        #expect(bench.machine.evidence.primary != Bench.b)
    }
}
