import Testing
import WaldenCore
import WaldenRouting

@Suite struct PositionHistoryTests {
    private func seconds(_ count: Int) -> Instant { .distantPast + .seconds(count) }

    /// Ends of the log by second: 100 at 1 s, 200 at 2 s …
    private func rising(_ count: Int, capacity: Int = PositionHistory.defaultCapacity) -> PositionHistory {
        var history = PositionHistory(capacity: capacity)
        for second in 1...count { history.record(LSN(UInt64(second) * 100), at: seconds(second)) }
        return history
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
        #expect(history == rising(5))
    }

    @Test func aPositionThatGoesBackBeginsANewBranch() {
        var history = rising(5)
        history.record(LSN(250), at: seconds(6))
        #expect(history.end == LSN(250))
        #expect(history.beginning == seconds(6))
        #expect(history.lastMoment(covering: LSN(200)) == nil)
    }

    @Test func theOldestIsForgottenWhenItIsFull() {
        let history = rising(10, capacity: 4)
        #expect(history.beginning == seconds(7))
        #expect(history.lastMoment(covering: LSN(699)) == nil)
        for second in 7...10 { #expect(history.lastMoment(covering: LSN(UInt64(second) * 100)) == seconds(second)) }
    }

    @Test func aCapacityOfNothingIsRaisedToOne() {
        let history = rising(3, capacity: 0)
        #expect(history.beginning == seconds(3))
        #expect(history.lastMoment(covering: LSN(300)) == seconds(3))
    }

    /// The ring and its bisection against a plain list and a scan.
    @Test(arguments: 1...20) func agreesWithAPlainList(seed: Int) {
        var random = UInt64(seed)
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        let capacity = Int(next(6)) + 1
        var history = PositionHistory(capacity: capacity)
        var list: [(end: UInt64, first: Int, last: Int)] = []
        var end: UInt64 = 50
        for now in 1...200 {
            end = next(30) == 0 ? end / 2 : end + next(3) * 10
            history.record(LSN(end), at: seconds(now))
            if let last = list.last, last.end > end { list.removeAll() }
            let first = list.last?.end == end ? list.removeLast().first : now
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
