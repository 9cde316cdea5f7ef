import Testing
import WaldenCore

@testable import WaldenSentinel

/// Scenario: the primary crashes and is back before it fails for good. Risk: it counts as one run, and a transaction of the
/// first is taken for one of the second that bears the same number.
@Suite struct SightingsTests {
    private func instant(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func aRunIsAsLongAsBothHaveSeenIt() {
        var sightings = Sightings()
        sightings.sessions = [NodeID(0): instant(5), NodeID(1): instant(90), NodeID(2): instant(91)]
        sightings.receivers = [NodeID(1): instant(3), NodeID(2): instant(8)]
        #expect(sightings.oneRun(of: NodeID(0), seenBy: NodeID(1)) == instant(5))
        #expect(sightings.oneRun(of: NodeID(0), seenBy: NodeID(2)) == instant(8))
    }

    @Test func whatOneHasNotSeenIsNoRun() {
        var sightings = Sightings()
        sightings.sessions = [NodeID(0): instant(5)]
        #expect(sightings.oneRun(of: NodeID(0), seenBy: NodeID(1)) == nil)
        sightings.receivers = [NodeID(1): instant(3)]
        #expect(sightings.oneRun(of: NodeID(2), seenBy: NodeID(1)) == nil)
    }
}
