import Testing
import WaldenTestKit

@Suite struct VersionLedgerTests {
    @Test func readsAreJudgedByWhenTheSuccessorWasCommitted() {
        let ledger = VersionLedger(rows: 2)
        let before = ContinuousClock.now
        ledger.committed(1)
        ledger.committed(1)
        let after = ContinuousClock.now
        #expect(ledger.lastVersion(of: 1) == 2)
        #expect(ledger.lastVersion(of: 0) == 0)
        func problem(_ version: Int, _ sentAt: ContinuousClock.Instant, _ allowed: Duration) -> String? {
            ledger.problem(with: version, of: 1, sentAt: sentAt, allowed: allowed)
        }
        #expect(problem(2, after, .zero) == nil)
        #expect(problem(3, after, .zero) == nil, "committed, and its writer not yet told")
        #expect(problem(4, after, .zero) != nil, "never was")
        #expect(problem(-1, after, .zero) != nil)
        #expect(problem(0, before, .zero) == nil, "sent before the change")
        #expect(problem(0, after + .seconds(1), .milliseconds(500)) != nil)
        #expect(problem(0, after + .seconds(1), .seconds(2)) == nil)
    }
}
