import Testing
import WaldenCore
import WaldenRouting

@Suite struct PositionHistoryTests {
    private func seconds(_ count: Int) -> Instant { .distantPast + .seconds(count) }

    /// Ends of the log by second: 100 at 1 s, 200 at 2 s …
    private func rising(_ count: Int, recent: Int = 2_048, thinned: Int = 0) -> PositionHistory {
        var history = PositionHistory(recent: recent, thinned: thinned)
        for second in 1...count { history.record(LSN(UInt64(second) * 100), at: seconds(second)) }
        return history
    }

    /// Between two samples the log is taken to have grown evenly.
    @Test func momentsBetweenSamplesAreEstimated() {
        var history = PositionHistory()
        #expect(history.estimatedMoment(of: LSN(5)) == nil)
        history.record(LSN(100), at: .distantPast + .milliseconds(1_000))
        history.record(LSN(100), at: .distantPast + .milliseconds(1_100))
        history.record(LSN(200), at: .distantPast + .milliseconds(1_200))
        #expect(history.estimatedMoment(of: LSN(99)) == nil)
        #expect(history.estimatedMoment(of: LSN(100)) == .distantPast + .milliseconds(1_100))
        #expect(history.estimatedMoment(of: LSN(150)) == .distantPast + .milliseconds(1_150))
        #expect(history.estimatedMoment(of: LSN(200)) == .distantPast + .milliseconds(1_200))
        #expect(history.estimatedMoment(of: LSN(900)) == .distantPast + .milliseconds(1_200))
        #expect(history.lastMoment(covering: LSN(150)) == .distantPast + .milliseconds(1_100), "that is what is shown")
    }

    @Test func anEmptyHistoryKnowsNothing() {
        let history = PositionHistory()
        #expect(history.end == nil)
        #expect(history.beginning == nil)
        #expect(history.end(asOf: .distantFuture) == nil)
        #expect(history.lastMoment(covering: LSN(.max)) == nil)
    }

    @Test(
        arguments: [
            (LSN(99), nil), (LSN(100), 1), (LSN(199), 1), (LSN(200), 2), (LSN(201), 2), (LSN(1000), 10),
            (LSN(5000), 10),
        ] as [(LSN, Int?)])
    func aPositionHasAMoment(position: LSN, second: Int?) {
        #expect(rising(10).lastMoment(covering: position) == second.map(seconds))
    }

    @Test func aMomentHasAPosition() {
        let history = rising(10)
        #expect(history.end(asOf: .distantPast + .milliseconds(999)) == nil)
        #expect(history.end(asOf: seconds(1)) == LSN(100))
        #expect(history.end(asOf: .distantPast + .milliseconds(1_999)) == LSN(100))
        #expect(history.end(asOf: seconds(2)) == LSN(200))
        #expect(history.end(asOf: .distantFuture) == LSN(1000))
    }

    @Test func anIdleLogStaysYoung() {
        var history = rising(3)
        for second in 4...1_000 { history.record(LSN(300), at: seconds(second)) }
        #expect(history.lastMoment(covering: LSN(300)) == seconds(1_000))
        #expect(history.lastMoment(covering: LSN(299)) == seconds(2))
        history.record(LSN(301), at: seconds(1_001))
        #expect(history.lastMoment(covering: LSN(300)) == seconds(1_000))
    }

    /// A look at a standby falls between two looks at an idle primary: the log ended there all the while.
    @Test func anIdleLogEndedThereAllTheWhile() {
        var history = rising(3)
        history.record(LSN(300), at: seconds(9))
        #expect(history.end(asOf: seconds(3)) == LSN(300))
        #expect(history.end(asOf: seconds(5)) == LSN(300))
        #expect(history.end(asOf: seconds(2)) == LSN(200))
    }

    @Test func whatIsKnownBeganWithTheFirstLook() {
        var history = PositionHistory()
        history.record(LSN(100), at: seconds(1))
        history.record(LSN(100), at: seconds(9))
        #expect(history.beginning == seconds(1))
    }

    @Test func aLateLookIsIgnored() {
        var history = rising(5)
        history.record(LSN(450), at: seconds(4))
        #expect(history.end == LSN(500))
        #expect(history.lastMoment(covering: LSN(499)) == seconds(4))
        #expect(history.end(asOf: seconds(4)) == LSN(400))
    }

    /// Two looks under way together, of which the later was answered first; or a crash that lost the end of the log. What
    /// had been committed by the earlier moment and still is lies before the lower position.
    @Test func aLowerPositionHoldsForTheTimeBeforeToo() {
        var history = rising(5)
        history.record(LSN(250), at: seconds(6))
        #expect(history.end == LSN(250))
        #expect(history.newest == seconds(6))
        #expect(history.beginning == seconds(1))
        #expect(history.lastMoment(covering: LSN(249)) == seconds(2))
        #expect(history.lastMoment(covering: LSN(250)) == seconds(6))
        #expect(history.end(asOf: seconds(4)) == LSN(250))
        history.record(LSN(200), at: seconds(7))
        #expect(history.lastMoment(covering: LSN(200)) == seconds(7))
        history.record(LSN(10), at: seconds(8))
        #expect(history.lastMoment(covering: LSN(9)) == nil)
        #expect(history.lastMoment(covering: LSN(10)) == seconds(8))
    }

    /// Looks a millisecond apart for ten seconds: of the time before the recent past one a second is left, and what a
    /// position covers is never more than it does.
    @Test func denseLooksAreThinned() throws {
        var history = PositionHistory(recent: 100, thinned: 5)
        for tick in 1...10_000 {
            history.record(LSN(UInt64(tick)), at: .distantPast + .milliseconds(tick))
        }
        let beginning = try #require(history.beginning)
        #expect(beginning >= seconds(4) && beginning <= seconds(6))
        for tick in stride(from: 5_000, through: 10_000, by: 7) {
            guard let moment = history.lastMoment(covering: LSN(UInt64(tick))) else { continue }
            let exact = Instant.distantPast + .milliseconds(tick)
            #expect(moment <= exact)
            #expect(exact.elapsed(since: moment) < (tick > 9_900 ? .milliseconds(1) : .seconds(2)))
        }
    }

    @Test func theOldestIsForgottenWhenItIsFull() {
        let history = rising(10, recent: 4)
        #expect(history.beginning == seconds(7))
        #expect(history.lastMoment(covering: LSN(699)) == nil)
        for second in 7...10 { #expect(history.lastMoment(covering: LSN(UInt64(second) * 100)) == seconds(second)) }
    }

    @Test func aCapacityOfNothingIsRaisedToOne() {
        let history = rising(3, recent: 0)
        #expect(history.beginning == seconds(3))
        #expect(history.lastMoment(covering: LSN(300)) == seconds(3))
    }

    /// The bisection against a plain list and a scan.
    @Test(arguments: 1...20) func agreesWithAPlainList(seed: Int) {
        var random = UInt64(seed)
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        let capacity = Int(next(6)) + 1
        var history = PositionHistory(recent: capacity, thinned: 0)
        var list: [(end: UInt64, first: Int, last: Int)] = []
        var end: UInt64 = 50
        for now in 1...200 {
            end = next(30) == 0 ? end / 2 : end + next(3) * 10
            history.record(LSN(end), at: seconds(now))
            var since = now
            while let last = list.last, last.end > end {
                since = last.first
                list.removeLast()
            }
            let first = list.last?.end == end ? list.removeLast().first : since
            list.append((end, first, now))
            if list.count > capacity { list.removeFirst() }
            let position = next(end + 20)
            let moment = Int(next(UInt64(now) + 2))
            #expect(
                history.lastMoment(covering: LSN(position))
                    == list.last { $0.end <= position }.map { seconds($0.last) })
            #expect(history.end(asOf: seconds(moment)) == list.last { $0.first <= moment }.map { LSN($0.end) })
            #expect(history.end == LSN(end))
        }
    }
}
