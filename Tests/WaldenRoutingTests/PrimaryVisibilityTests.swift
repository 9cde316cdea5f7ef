import Testing
import WaldenCore
import WaldenRouting

@Suite struct PrimaryVisibilityTests {
    private let node = NodeID(1)

    private func at(_ second: Int) -> Instant { .distantPast + .seconds(second) }

    private func snapshot(_ text: String) -> Snapshot? { Snapshot(text) }

    private func view(
        at second: Int = 1, xmax: UInt64, question: String? = nil, committed: [UInt64] = []
    ) -> StandbyView {
        StandbyView(
            askedAt: at(second), xmax: TransactionID(xmax), question: question.flatMap(Snapshot.init),
            committed: committed.map(TransactionID.init))
    }

    // MARK: One view

    private struct Case: CustomTestStringConvertible {
        let what: String
        var xmax: UInt64 = 100
        var question: String?
        var committed: [UInt64] = []
        let snapshot: String
        let isContained: Bool

        var testDescription: String { what }
    }

    private static let cases = [
        Case(what: "all that the standby may show has ended", snapshot: "100:100:", isContained: true),
        Case(what: "later ones run", snapshot: "100:103:100,102", isContained: true),
        Case(what: "the newest is not known to have ended", snapshot: "99:99:", isContained: false),
        Case(what: "one runs of which the standby was not asked", snapshot: "97:100:97", isContained: false),
        Case(
            what: "one runs that the standby does not show", question: "97:99:97", snapshot: "97:100:97",
            isContained: true),
        Case(
            what: "one runs whose commit the standby shows", question: "97:99:97", committed: [97],
            snapshot: "97:100:97", isContained: false),
        Case(
            what: "the one whose commit it shows has ended since, another runs", question: "96:99:96,97",
            committed: [97], snapshot: "96:100:96", isContained: true),
        Case(
            what: "one runs that began after the question was put together", question: "97:98:97",
            snapshot: "97:100:97,99", isContained: false),
        Case(
            what: "one ended before the question, so it was not asked of, and runs in an older snapshot",
            question: "97:100:97", snapshot: "95:100:95,97", isContained: false),
    ]

    @Test(arguments: cases) private func whatTheTransactionsTell(_ example: Case) throws {
        let view = view(xmax: example.xmax, question: example.question, committed: example.committed)
        #expect(try view.isContained(in: #require(snapshot(example.snapshot))) == example.isContained)
    }

    // MARK: Over time

    @Test func theNewestViewThatIsContainedCounts() throws {
        var visibility = PrimaryVisibility()
        #expect(visibility.settled(node) == .distantPast)
        visibility.standbyShowed(view(at: 1, xmax: 90), on: node)
        visibility.standbyShowed(view(at: 2, xmax: 100), on: node)
        visibility.standbyShowed(view(at: 3, xmax: 101), on: node)
        visibility.primarySaw(try #require(snapshot("100:100:")))
        #expect(visibility.settled(node) == at(2))
        #expect(visibility.settled(NodeID(2)) == .distantPast)
        visibility.primarySaw(try #require(snapshot("101:101:")))
        #expect(visibility.settled(node) == at(3))
        // Known at once.
        visibility.standbyShowed(view(at: 4, xmax: 101), on: node)
        #expect(visibility.settled(node) == at(4))
    }

    /// While a commit hangs nothing is settled, however many views come; then the first ones and the newest are known.
    @Test func aHangingCommitLeavesTheOldestAndTheNewest() throws {
        var visibility = PrimaryVisibility(capacity: 4)
        visibility.primarySaw(try #require(snapshot("99:99:")))
        for second in 1...100 { visibility.standbyShowed(view(at: second, xmax: UInt64(99 + second)), on: node) }
        #expect(visibility.settled(node) == .distantPast)
        visibility.primarySaw(try #require(snapshot("102:102:")))
        #expect(visibility.settled(node) == at(3))
        visibility.primarySaw(try #require(snapshot("199:199:")))
        #expect(visibility.settled(node) == at(100))
    }

    @Test func whatAServerShowedBeforeItsRestartIsNotAskedAfter() throws {
        var visibility = PrimaryVisibility()
        visibility.standbyShowed(view(at: 1, xmax: 100), on: node)
        visibility.standbyLost(node)
        visibility.primarySaw(try #require(snapshot("100:100:")))
        #expect(visibility.settled(node) == .distantPast)
        visibility.primaryChanged()
        #expect(visibility.snapshot == nil)
    }
}
