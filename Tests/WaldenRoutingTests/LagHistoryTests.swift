import Testing
import WaldenCore
import WaldenRouting

@Suite struct LagHistoryTests {
    private func at(_ milliseconds: Int) -> Instant { .distantPast + .milliseconds(milliseconds) }
    private func lag(_ seconds: Int) -> Lag {
        Lag(replayBytes: UInt64(seconds) * 10, receiveBytes: nil, age: .about(.seconds(seconds)))
    }

    @Test func aSecondKeepsItsHighest() {
        var history = LagHistory()
        for (moment, seconds) in [(1_000, 1), (1_100, 5), (1_900, 2), (2_000, 3)] {
            history.record(lag(seconds), at: at(moment))
        }
        #expect(history.points == [.init(at: at(1_000), lag: lag(5)), .init(at: at(2_000), lag: lag(3))])
    }

    @Test func aGapIsHigherThanAnyLag() {
        var history = LagHistory()
        history.record(lag(1), at: at(1_000))
        history.record(nil, at: at(1_100))
        history.record(lag(9), at: at(1_200))
        #expect(history.points == [.init(at: at(1_000), lag: nil)])
    }

    @Test func tenMinutesAreKept() {
        var history = LagHistory()
        for second in 1...1_000 { history.record(lag(second), at: at(second * 1_000)) }
        #expect(history.points.count == LagHistory.capacity)
        #expect(history.points.first?.at == at(401_000))
    }

    @Test func thePeakOfASpan() {
        var history = LagHistory()
        #expect(history.peak(since: .distantPast) == nil)
        for (second, value) in [(1, 9), (2, 3), (3, 4)] { history.record(lag(value), at: at(second * 1_000)) }
        history.record(nil, at: at(4_000))
        #expect(history.peak(since: at(1_000))?.age == .seconds(9))
        #expect(history.peak(since: at(1_001))?.age == .seconds(4))
        #expect(history.peak(since: at(1_001))?.bytes == 40)
        #expect(history.peak(since: at(4_000)) == nil)
    }
}
