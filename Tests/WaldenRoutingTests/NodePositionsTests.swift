import Testing
import WaldenCore
import WaldenRouting

@Suite struct NodePositionsTests {
    private func seconds(_ count: Int) -> Instant { .distantPast + .seconds(count) }

    private let a = NodeID(1)

    private func primary(_ end: UInt64, system: String = "7", timeline: UInt32 = 1, at second: Int) -> PrimaryPosition {
        PrimaryPosition(
            systemIdentifier: system, timeline: TimelineID(timeline), end: LSN(end), askedAt: seconds(second))
    }

    /// The primary's log ended at 100 at 1 s, … 1000 at 10 s, on timeline 1.
    private var cluster: NodePositions {
        var cluster = NodePositions()
        for second in 1...10 {
            cluster.primarySampled(primary(UInt64(second) * 100, at: second))
        }
        return cluster
    }

    private func standby(
        replayed: UInt64?, received: UInt64? = nil, system: String = "7", timeline: UInt32 = 1, startedAt: Int64 = 0,
        at second: Int
    ) -> NodePosition {
        NodePosition(
            systemIdentifier: system, timeline: TimelineID(timeline), receivedLSN: received.map(LSN.init),
            replayedLSN: replayed.map(LSN.init), startedAt: startedAt, askedAt: seconds(second),
            answeredAt: seconds(second))
    }

    private func lag(_ position: NodePosition) -> Lag? {
        var cluster = cluster
        cluster.standbySampled(a, position)
        return cluster.lag(of: a)
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
            cluster.primarySampled(primary(1000, at: second))
        }
        cluster.standbySampled(a, standby(replayed: 1000, at: 100))
        #expect(cluster.lag(of: a)?.age == .about(.zero))
        cluster.primarySampled(primary(1001, at: 101))
        cluster.standbySampled(a, standby(replayed: 1000, at: 101))
        #expect(cluster.lag(of: a) == Lag(replayBytes: 1, receiveBytes: nil, age: .about(.seconds(1))))
    }

    @Test func aLookBetweenTwoAtAnIdlePrimaryMissesNothing() {
        var cluster = cluster
        cluster.standbySampled(a, standby(replayed: 950, at: 11))
        cluster.primarySampled(primary(1000, at: 12))
        #expect(cluster.lag(of: a) == Lag(replayBytes: 50, receiveBytes: nil, age: .about(.seconds(2))))
    }

    @Test func beyondTheHistoryTheAgeIsALowerBound() {
        let lag = lag(standby(replayed: 40, at: 10))
        #expect(lag?.replayBytes == 960)
        #expect(lag?.age == .moreThan(.seconds(9)))
        #expect(lag?.age.duration == .seconds(9))
    }

    @Test func whatCannotBeToldIsNil() {
        #expect(cluster.lag(of: NodeID(9)) == nil)
        #expect(lag(standby(replayed: nil, received: 100, at: 10)) == nil)
        #expect(lag(standby(replayed: 100, at: 0)) == nil)
        #expect(lag(standby(replayed: 1000, timeline: 2, at: 10)) == nil)
        var empty = NodePositions()
        empty.standbySampled(a, standby(replayed: 100, at: 1))
        #expect(empty.lag(of: a) == nil)
    }

    @Test func aPromotionBeginsANewHistory() {
        var cluster = cluster
        cluster.standbySampled(a, standby(replayed: 900, at: 10))
        cluster.primarySampled(primary(2000, timeline: 2, at: 11))
        #expect(cluster.timeline == TimelineID(2))
        #expect(cluster.lag(of: a) == nil)
        cluster.standbySampled(a, standby(replayed: 1900, timeline: 2, at: 11))
        #expect(cluster.lag(of: a)?.replayBytes == 100)
    }

    @Test func theNewestLookCounts() {
        var cluster = cluster
        cluster.standbySampled(a, standby(replayed: 900, at: 10))
        cluster.standbySampled(a, standby(replayed: 100, at: 9))
        #expect(cluster.position(of: a)?.replayedLSN == LSN(900))
        cluster.standbySampled(a, standby(replayed: 800, at: 11))
        #expect(cluster.position(of: a)?.replayedLSN == LSN(800))
        cluster.standbyLost(a, .notAStandby)
        #expect(cluster.position(of: a) == nil)
        #expect(cluster.lag(of: a) == nil)
    }

    // MARK: Standing

    private func standing(
        _ position: NodePosition, after change: (inout NodePositions) -> Void = { _ in }
    ) -> NodeStanding {
        var cluster = cluster
        cluster.standbySampled(a, position)
        change(&cluster)
        return cluster.standing(of: a)
    }

    @Test func aStandbyCoversTheNewestLookWhosePositionItHasReplayed() {
        #expect(standing(standby(replayed: 1000, at: 10)) == .covered(seconds(10)))
        #expect(standing(standby(replayed: 999, at: 10)) == .covered(seconds(9)))
        #expect(standing(standby(replayed: 100, at: 10)) == .covered(seconds(1)))
        // What it had replayed at 5 s it still has, whenever the primary is asked.
        #expect(
            standing(standby(replayed: 1000, at: 5)) { $0.primarySampled(primary(1000, at: 20)) }
                == .covered(seconds(20)))
        // What was received counts for nothing.
        #expect(standing(standby(replayed: 100, received: 1000, at: 10)) == .covered(seconds(1)))
    }

    @Test func obstacles() {
        #expect(cluster.standing(of: a) == .unusable(.unknown))
        #expect(standing(standby(replayed: 1000, system: "8", at: 10)) == .unusable(.otherSystem))
        #expect(standing(standby(replayed: 1000, timeline: 2, at: 10)) == .unusable(.otherTimeline))
        #expect(standing(standby(replayed: 99, at: 10)) == .unusable(.tooFarBehind))
        #expect(standing(standby(replayed: nil, at: 10)) == .unusable(.tooFarBehind))
        #expect(
            standing(standby(replayed: 1000, at: 10)) { $0.standbyLost(a, .unreachable) } == .unusable(.unreachable))
        #expect(
            standing(standby(replayed: 1000, at: 10)) { $0.standbyLost(a, .notAStandby) } == .unusable(.notAStandby))
        var unaware = NodePositions()
        unaware.standbySampled(a, standby(replayed: 1000, at: 10))
        #expect(unaware.standing(of: a) == .unusable(.unknown), "nothing is known of the primary")
    }

    @Test func anotherPrimaryUnderTheNameCoversNothing() {
        #expect(
            standing(standby(replayed: 1000, at: 10)) { $0.primarySampled(primary(500, system: "8", at: 11)) }
                == .unusable(.otherSystem))
        #expect(
            standing(standby(replayed: 1000, at: 10)) { $0.primarySampled(primary(1000, timeline: 2, at: 11)) }
                == .unusable(.otherTimeline))
        #expect(
            standing(standby(replayed: 1000, at: 10)) {
                $0.primarySampled(primary(1100, timeline: 2, at: 11))
                $0.standbySampled(a, standby(replayed: 1050, timeline: 2, at: 12))
            } == .unusable(.tooFarBehind), "of the old timeline's moments nothing is known on the new one")
    }

    /// It has replayed what the primary does not have, though the primary was asked later.
    @Test func aStandbyAheadOfThePrimaryHasDiverged() {
        let ahead = standby(replayed: 1001, startedAt: 1, at: 11)
        #expect(standing(ahead) == .covered(seconds(10)), "the primary was asked before")
        #expect(standing(ahead) { $0.primarySampled(primary(1000, at: 12)) } == .unusable(.diverged))
        #expect(
            standing(ahead) {
                $0.primarySampled(primary(1000, at: 12))
                $0.primarySampled(primary(2000, at: 13))
                $0.standbySampled(a, standby(replayed: 1001, startedAt: 1, at: 14))
            } == .unusable(.diverged), "that others write further does not mend it")
        #expect(
            standing(ahead) {
                $0.primarySampled(primary(1000, at: 12))
                $0.primarySampled(primary(2000, at: 13))
                $0.standbySampled(a, standby(replayed: 1001, startedAt: 2, at: 14))
            } == .covered(seconds(12)), "it was rewound or made anew")
    }

    @Test func aBreakOfTheWatchIsRemembered() throws {
        func since(_ change: (inout NodePositions) -> Void) throws -> Instant {
            var cluster = cluster
            cluster.standbySampled(a, standby(replayed: 500, startedAt: 1, at: 5))
            cluster.standbySampled(a, standby(replayed: 600, startedAt: 1, at: 6))
            change(&cluster)
            return try #require(cluster.standings.standbys.first).availableSince
        }
        #expect(try since { _ in } == seconds(5))
        #expect(
            try since {
                $0.standbyLost(a, .unreachable)
                $0.standbySampled(a, standby(replayed: 550, startedAt: 1, at: 8))
            } == seconds(8))
        #expect(try since { $0.standbySampled(a, standby(replayed: 550, startedAt: 2, at: 8)) } == seconds(8))
    }

    @Test func laterStandingsHaveHigherVersions() {
        var cluster = cluster
        var version = cluster.standings.version
        let events: [(inout NodePositions) -> Void] = [
            { $0.standbySampled(a, standby(replayed: 500, at: 5)) }, { $0.standbyLost(a, .unreachable) },
            { $0.primarySampled(primary(1000, at: 11)) },
        ]
        for event in events {
            event(&cluster)
            #expect(cluster.standings.version > version)
            version = cluster.standings.version
        }
    }
}
