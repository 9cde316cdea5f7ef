import Testing
import WaldenCore
import WaldenRouting

@Suite struct SamplingPaceTests {
    private let start = Instant.distantPast + .seconds(100)

    private func next(_ pace: SamplingPace, _ isPrimary: Bool, at now: Instant? = nil) -> Duration {
        pace.next(after: start, isPrimary: isPrimary, now: now ?? start).elapsed(since: start)
    }

    @Test func trafficMakesItDense() {
        var pace = SamplingPace()
        #expect(next(pace, true) == .seconds(1))
        #expect((pace.readRouted(start)) == true, "whoever sleeps must be woken")
        #expect((pace.readRouted(start)) == false)
        #expect(next(pace, true) == .milliseconds(100))
        #expect(next(pace, false) == .milliseconds(100))
        #expect(next(pace, true, at: start + .seconds(5)) == .seconds(1))
        #expect((pace.readRouted(start + .seconds(5))) == true)
    }

    /// First the primary is asked, then it is worth asking the replicas.
    @Test func aRefusedReadAsksThePrimaryAndThenTheReplicas() {
        var pace = SamplingPace()
        _ = pace.readRouted(start)
        let refused = start + .milliseconds(20)
        #expect((pace.lookWanted(refused)) == true)
        #expect(next(pace, true) == .milliseconds(1))
        #expect(next(pace, false) == .milliseconds(100))
        #expect((pace.lookWanted(refused + .microseconds(10))) == false, "it is awake and looks again")
        let answered = refused + .milliseconds(1)
        // A look that had begun before is no answer.
        #expect((pace.primarySampled(askedAt: refused - .milliseconds(1), now: answered)) == false)
        #expect((pace.primarySampled(askedAt: refused + .microseconds(20), now: answered)) == true)
        #expect(next(pace, true, at: answered) == .milliseconds(100))
        #expect(next(pace, false, at: answered) == .milliseconds(1))
        #expect(pace.next(after: answered, isPrimary: false, now: answered) == answered + .milliseconds(100))
        #expect((pace.lookWanted(answered + .milliseconds(1))) == true, "a new wish wakes it again")
    }

    @Test func aProbeOfAnotherCountsForThePrimarysMonitor() {
        var pace = SamplingPace()
        _ = pace.readRouted(start)
        _ = pace.lookWanted(start + .milliseconds(1))
        #expect((pace.primarySampled(askedAt: start + .milliseconds(2), now: start + .milliseconds(3))) == true)
        #expect(next(pace, true) == .milliseconds(100))
    }

    @Test func whileSomebodyWaitsReplicasAreAskedAgainAndAgain() {
        var pace = SamplingPace()
        pace.waitersChanged(to: 1)
        #expect(next(pace, false) == .milliseconds(1))
        #expect(next(pace, true) == .seconds(1))
        pace.waitersChanged(to: 0)
        #expect(next(pace, false) == .seconds(1))
        pace.replicaLookWanted(start + .milliseconds(1))
        #expect(next(pace, false) == .milliseconds(1))
    }

    @Test func whileSomebodyWaitsForThePrimaryToShowItAllAreAsked() {
        var pace = SamplingPace()
        pace.settlersChanged(to: 1)
        #expect(next(pace, false) == .milliseconds(1))
        #expect(next(pace, true) == .milliseconds(1))
        pace.settlersChanged(to: 0)
        #expect(next(pace, true) == .seconds(1))
    }
}
