import Testing
import WaldenCore
import WaldenRouting

@Suite struct NodePositionsTests {
    private func seconds(_ count: Int) -> Instant { .distantPast + .seconds(count) }

    /// The primary's log ended at 100 at 1 s, … 1000 at 10 s, on timeline 1.
    private var cluster: NodePositions {
        var cluster = NodePositions()
        for second in 1...10 {
            cluster.primarySampled(end: LSN(UInt64(second) * 100), timeline: TimelineID(1), at: seconds(second))
        }
        return cluster
    }

    private func standby(
        replayed: UInt64?, received: UInt64? = nil, timeline: UInt32 = 1, at second: Int
    ) -> NodePosition {
        NodePosition(
            timeline: TimelineID(timeline), receivedLSN: received.map(LSN.init), replayedLSN: replayed.map(LSN.init),
            sampledAt: seconds(second))
    }

    private func lag(_ position: NodePosition) -> Lag? {
        var cluster = cluster
        cluster.standbySampled("a", position)
        return cluster.lag(of: "a")
    }

    @Test func aStandbyThatHasEverythingIsNotBehind() {
        #expect(
            lag(standby(replayed: 1000, received: 1000, at: 10))
                == Lag(replayBytes: 0, receiveBytes: 0, age: .about(.zero)))
        // It was asked after the primary and has newer log.
        #expect(
            lag(standby(replayed: 1050, received: 1060, at: 11))
                == Lag(replayBytes: 0, receiveBytes: 0, age: .about(.zero)))
    }

    @Test func bytesAndAgeAreCountedAsOfTheLook() {
        #expect(
            lag(standby(replayed: 650, received: 900, at: 10))
                == Lag(replayBytes: 350, receiveBytes: 100, age: .about(.seconds(4))))
        // At 8 s the log ended at 800: what was written later is no lag of that moment.
        #expect(
            lag(standby(replayed: 700, received: 800, at: 8))
                == Lag(replayBytes: 100, receiveBytes: 0, age: .about(.seconds(1))))
    }

    @Test func anIdlePrimaryMakesNobodyOlder() {
        var cluster = cluster
        for second in 11...100 {
            cluster.primarySampled(end: LSN(1000), timeline: TimelineID(1), at: seconds(second))
        }
        cluster.standbySampled("a", standby(replayed: 1000, at: 100))
        #expect(cluster.lag(of: "a")?.age == .about(.zero))
        cluster.primarySampled(end: LSN(1001), timeline: TimelineID(1), at: seconds(101))
        cluster.standbySampled("a", standby(replayed: 1000, at: 101))
        #expect(cluster.lag(of: "a") == Lag(replayBytes: 1, receiveBytes: nil, age: .about(.seconds(1))))
    }

    @Test func aLookBetweenTwoAtAnIdlePrimaryMissesNothing() {
        var cluster = cluster
        cluster.standbySampled("a", standby(replayed: 950, at: 11))
        cluster.primarySampled(end: LSN(1000), timeline: TimelineID(1), at: seconds(12))
        #expect(cluster.lag(of: "a") == Lag(replayBytes: 50, receiveBytes: nil, age: .about(.seconds(2))))
    }

    @Test func beyondTheHistoryTheAgeIsALowerBound() {
        let lag = lag(standby(replayed: 40, at: 10))
        #expect(lag?.replayBytes == 960)
        #expect(lag?.age == .moreThan(.seconds(9)))
        #expect(lag?.age.duration == .seconds(9))
    }

    @Test func whatCannotBeToldIsNil() {
        #expect(cluster.lag(of: "nobody") == nil)
        #expect(lag(standby(replayed: nil, received: 100, at: 10)) == nil)
        #expect(lag(standby(replayed: 100, at: 0)) == nil)
        #expect(lag(standby(replayed: 1000, timeline: 2, at: 10)) == nil)
        var empty = NodePositions()
        empty.standbySampled("a", standby(replayed: 100, at: 1))
        #expect(empty.lag(of: "a") == nil)
    }

    @Test func aPromotionBeginsANewHistory() {
        var cluster = cluster
        cluster.standbySampled("a", standby(replayed: 900, at: 10))
        cluster.primarySampled(end: LSN(2000), timeline: TimelineID(2), at: seconds(11))
        #expect(cluster.timeline == TimelineID(2))
        #expect(cluster.lag(of: "a") == nil)
        cluster.standbySampled("a", standby(replayed: 1900, timeline: 2, at: 11))
        #expect(cluster.lag(of: "a")?.replayBytes == 100)
    }

    @Test func theNewestLookCounts() {
        var cluster = cluster
        cluster.standbySampled("a", standby(replayed: 900, at: 10))
        cluster.standbySampled("a", standby(replayed: 100, at: 9))
        #expect(cluster.position(of: "a")?.replayedLSN == LSN(900))
        cluster.standbySampled("a", standby(replayed: 800, at: 11))
        #expect(cluster.position(of: "a")?.replayedLSN == LSN(800))
        cluster.standbyForgotten("a")
        #expect(cluster.position(of: "a") == nil)
        #expect(cluster.lag(of: "a") == nil)
    }
}
