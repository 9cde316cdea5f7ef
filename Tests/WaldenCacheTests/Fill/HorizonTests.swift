import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct HorizonTests {
    /// xmin 10, xmax 20, in progress 10 and 15.
    private static let primary = Horizon.primary(
        Snapshot(
            xmin: TransactionID(10), xmax: TransactionID(20), inProgress: [TransactionID(15), TransactionID(10)]))

    @Test(arguments: [
        (9, true), (10, false), (11, true), (14, true), (15, false), (19, true), (20, false), (21, false),
    ])
    func onAPrimaryTheSnapshotDecides(xid: UInt64, covered: Bool) {
        #expect(Self.primary.covers(TransactionID(xid), endLSN: .zero) == covered)
        #expect(Self.primary.covers(TransactionID(xid), endLSN: LSN(.max)) == covered)
    }

    @Test(arguments: [(99, true), (100, true), (101, false)])
    func onAStandbyTheReplayedPositionDecides(end: UInt64, covered: Bool) {
        let standby = Horizon.standby(LSN(100))
        #expect(standby.covers(TransactionID(1), endLSN: LSN(end)) == covered)
        #expect(standby.covers(TransactionID(.max), endLSN: LSN(end)) == covered)
    }
}
