import Testing
import WaldenCore

@testable import WaldenCache

/// The slot was ready before identifier 100 was taken.
@Suite struct StartWindowTests {
    private func isOpen(_ text: String, delivered: [UInt64] = []) -> Bool {
        var window = StartWindow(ceiling: TransactionID(100))
        for xid in delivered { window.transactionDelivered(TransactionID(xid)) }
        return window.isOpen(for: snapshot(text))
    }

    @Test func closedWhenAllBelowTheCeilingHaveEnded() {
        #expect(!isOpen("100:100:"))
        #expect(!isOpen("120:130:125"))
        #expect(!isOpen("100:130:100,125"))
    }

    /// 97 committed before the slot was ready and waits for its standby.
    @Test func openWhileOneFromBeforeIsInProgress() {
        #expect(isOpen("97:130:97"))
        #expect(isOpen("97:130:97,125"))
    }

    /// A snapshot lists nothing at or above its xmax, yet 97 may be in progress there.
    @Test func openWhileTheSnapshotEndsBelowTheCeiling() {
        #expect(isOpen("97:97:"))
        #expect(isOpen("99:99:"))
    }

    @Test func oneThatIsDeliveredIsNoLongerUnknown() {
        #expect(!isOpen("97:130:97", delivered: [97]))
        #expect(isOpen("95:130:95,97", delivered: [97]))
        #expect(!isOpen("95:130:95,97", delivered: [97, 95, 300]))
    }

    /// Delivered or not, what a snapshot does not list is unknown.
    @Test func deliveryDoesNotCloseTheUnlistedPart() {
        #expect(isOpen("97:97:", delivered: [97, 98, 99]))
    }
}
