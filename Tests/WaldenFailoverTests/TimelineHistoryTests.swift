import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a node that holds log of a lost branch is made to follow, and never receives anything; or one that does not is
/// rewound for nothing.
@Suite struct TimelineHistoryTests {
    private static let history = {
        var history = TimelineHistory()
        history.left(TimelineID(1), at: LSN(100))
        history.left(TimelineID(2), at: LSN(300))
        return history
    }()

    /// After two failovers, of the older timeline as of the newer.
    @Test(arguments: [(1, 100, false), (1, 101, true), (2, 300, false), (2, 301, true), (3, 900, false)])
    func logPastAForkIsNoneOfThePrimarys(timeline: UInt32, position: UInt64, isExcluded: Bool) {
        #expect(Self.history.excludes(TimelineID(timeline), upTo: LSN(position)) == isExcluded)
    }

    /// A node that came back with its journal may tell it again.
    @Test func theNewestWordOfATimelineCounts() {
        var history = Self.history
        history.left(TimelineID(2), at: LSN(400))
        #expect(!history.excludes(TimelineID(2), upTo: LSN(400)))
    }

    @Test func theOldestAreForgotten() {
        var history = TimelineHistory()
        for timeline in 1...UInt32(TimelineHistory.capacity) + 1 { history.left(TimelineID(timeline), at: LSN(1)) }
        #expect(!history.excludes(TimelineID(1), upTo: LSN(9)))
        #expect(history.excludes(TimelineID(2), upTo: LSN(9)))
    }
}
