import Testing
import WaldenCore

@testable import WaldenCache

private let costs = AdmissionCosts()

/// One shape's account, driven by hand; misses come a millisecond apart.
private struct Account {
    var benefit = Benefit()
    var now = Instant(nanoseconds: 1_000_000_000)
    var execution = Duration.microseconds(200)

    /// Misses that filled, of `count`; each filled result has `hits` and, if `ends`, is dropped.
    mutating func misses(_ count: Int, hits: UInt64, ends: Bool = true) -> Int {
        var filled = 0
        for _ in 0..<count {
            now = now + .milliseconds(1)
            guard benefit.admitsMiss(now: now, costs: costs, probeShare: 5_000) else { continue }
            filled += 1
            benefit.noteBegun()
            benefit.noteCompleted(execution: execution, bytes: 100)
            benefit.noteHits(hits)
            if ends { benefit.noteEnded() }
        }
        return filled
    }
}

@Suite struct BenefitTests {
    @Test func newShapeIsAdmitted() {
        var account = Account()
        #expect(account.misses(16, hits: 0) == 16)
        #expect(account.benefit.standing == .admitted)
    }

    @Test func shapeWithoutHitsIsDeclinedOnceSixteenResultsHaveEnded() {
        var account = Account()
        #expect(account.misses(17, hits: 0) == 16)
        #expect(account.benefit.standing == .declined)
    }

    @Test func shapeWhoseResultsLiveIsJudgedLate() {
        var account = Account()
        #expect(account.misses(4_096, hits: 0, ends: false) == 4_096)
        #expect(account.misses(1, hits: 0, ends: false) == 0)
    }

    @Test func fewHitsOnLivingResultsSuffice() {
        var account = Account()
        _ = account.misses(4_000, hits: 0, ends: false)
        account.benefit.noteHits(30)
        #expect(account.misses(10_000, hits: 1, ends: false) == 10_000)
    }

    @Test(arguments: [(1, 200, true), (1, 1, false), (4, 10, true), (0, 1_000_000, false)])
    func costDecides(hits: UInt64, microseconds: Int64, isAdmitted: Bool) {
        var account = Account()
        account.execution = .microseconds(microseconds)
        _ = account.misses(100, hits: hits)
        #expect((account.benefit.standing == .admitted) == isAdmitted)
    }

    @Test func declinedShapeIsTriedLessAndLess() {
        var account = Account()
        _ = account.misses(17, hits: 0)
        let first = account.misses(1_000, hits: 0)
        let later = account.misses(1_000, hits: 0)
        #expect((10...63).contains(first))
        #expect(later < first)
        _ = account.misses(100_000, hits: 0)
        #expect(account.misses(10_240, hits: 0) <= 41)
    }

    @Test func rareMissesAreTriedByTheClock() {
        var account = Account()
        _ = account.misses(17, hits: 0)
        account.now = account.now + .seconds(2)
        #expect(account.misses(1, hits: 0) == 1)
    }

    @Test func shapeComesBackWhenTheWorkloadChanges() {
        var account = Account()
        _ = account.misses(5_000, hits: 0)
        #expect(account.benefit.standing == .declined)
        _ = account.misses(600, hits: 3)
        #expect(account.benefit.standing == .admitted)
        #expect(account.misses(200, hits: 3) == 200)
    }

    @Test func betweenTheThresholdsNothingChanges() {
        // Two thirds of the cost: enough to stay, too little to come back.
        let cost = costs.fill + costs.perByte * 100 + 5_000 + costs.ending
        let execution = Duration.nanoseconds(Int64(cost * 0.66 - costs.relay))
        var admitted = Account()
        admitted.execution = execution
        #expect(admitted.misses(500, hits: 1) == 500)
        var declined = Account()
        declined.execution = execution
        _ = declined.misses(17, hits: 0)
        _ = declined.misses(5_000, hits: 1)
        #expect(declined.benefit.standing == .declined)
    }

    @Test func oneLongWaitDoesNotMakeAShapeDear() {
        var account = Account()
        _ = account.misses(8, hits: 1)
        account.benefit.noteCompleted(execution: .seconds(10), bytes: 100)
        #expect(account.benefit.execution < 1_000_000)
    }
}
