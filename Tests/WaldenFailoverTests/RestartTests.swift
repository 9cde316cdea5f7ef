import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a promotion that was ordered before the sentinel's end, and another node's after it.
@Suite struct RestartTests {
    /// Restarted with the record of `promote`, whose candidate is b.
    private static func promoting() throws -> Bench {
        var bench = Bench()
        bench.pass(.milliseconds(200))
        bench.kill(Bench.a)
        bench.pass(.seconds(1))
        let record = try #require(bench.records.first { $0.state == .promote })
        #expect(record.incident?.candidate == Bench.b)
        var restarted = Bench(resuming: record, unwatchedFor: .seconds(1))
        restarted.kill(Bench.a)
        return restarted
    }

    @Test func anotherNodeIsNeverPromotedHoweverLongTheCandidateIsAway() throws {
        var bench = try Self.promoting()
        bench.away[Bench.b] = .refused
        bench.pass(.seconds(600))
        #expect(bench.machine.state == .promote)
        #expect(!bench.takeTranscript().contains("promote c"))
        bench.away[Bench.b] = nil
        bench.pass(.seconds(5))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// The other one has become better meanwhile: nearer the front of the configuration does not matter any more.
    @Test func theCandidateStaysTheOneOfTheRecord() throws {
        var bench = try Self.promoting()
        bench.change(Bench.b) { $0.freeSlots = 0 }
        bench.pass(.seconds(5))
        #expect(!bench.takeTranscript().contains("promote c"))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// The old primary is back: past the point of no return that changes nothing.
    @Test func theOldPrimarysReturnChangesNothing() throws {
        var bench = try Self.promoting()
        bench.away[Bench.a] = nil
        bench.pass(.seconds(5))
        #expect(!bench.rows.contains(1_100))
        #expect(bench.machine.evidence.primary == Bench.b)
    }
}
