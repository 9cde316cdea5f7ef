import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct AuditBudgetTests {
    private func at(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
    }

    @Test func oneAuditAtATime() {
        let budget = AuditBudget()
        #expect(budget.begins(now: at(0)))
        #expect(!budget.begins(now: at(1)))
        #expect(budget.postponed == 1)
    }

    @Test func afterAnAuditNoneBeginsForFiftyTimesAsLong() {
        let budget = AuditBudget()
        #expect(budget.begins(now: at(0)))
        budget.ended(began: at(0), now: at(10))
        #expect(!budget.begins(now: at(509)))
        #expect(budget.begins(now: at(510)))
    }

    /// A connection may go without a word of its audit.
    @Test func aLostAuditHoldsUpTheOthersForAMinute() {
        let budget = AuditBudget()
        #expect(budget.begins(now: at(0)))
        #expect(!budget.begins(now: at(59_999)))
        #expect(budget.begins(now: at(60_000)))
    }
}
