import Testing
import WaldenCore
import WaldenPool

@Suite struct ClientWatchTests {
    private let limits = ClientTimeLimits(
        query: .seconds(2), transaction: .seconds(5), idleTransaction: .seconds(1), idle: .seconds(10))

    private func look(
        _ watch: inout ClientWatch, _ doing: ClientWatch.Doing, _ answers: UInt64, _ transactions: UInt64,
        at milliseconds: UInt64
    ) -> ClientWatch.Excess? {
        watch.look(doing, answers: answers, transactions: transactions, now: .ms(milliseconds), limits: limits)
    }

    @Test func aQueryIsToldOnceAndANewOneBeginsAnew() {
        var watch = ClientWatch(now: .ms(0))
        let running = ClientWatch.Doing.running(inTransaction: false)
        #expect(look(&watch, running, 0, 0, at: 100) == nil)
        #expect(look(&watch, running, 0, 0, at: 2_099) == nil)
        #expect(look(&watch, running, 0, 0, at: 2_100) == .query)
        #expect(look(&watch, running, 0, 0, at: 2_200) == nil)
        #expect(look(&watch, running, 1, 1, at: 2_300) == nil)
        #expect(look(&watch, running, 1, 1, at: 4_300) == .query)
    }

    @Test func aRestInATransactionIsCountedFromTheLastAnswer() {
        var watch = ClientWatch(now: .ms(0))
        #expect(look(&watch, .restingInTransaction, 1, 0, at: 0) == nil)
        #expect(look(&watch, .restingInTransaction, 2, 0, at: 900) == nil)
        #expect(look(&watch, .restingInTransaction, 2, 0, at: 1_899) == nil)
        #expect(look(&watch, .restingInTransaction, 2, 0, at: 1_900) == .idleTransaction)
    }

    @Test func aTransactionIsCountedFromItsBeginningWhateverItDoes() {
        var watch = ClientWatch(now: .ms(0))
        for step in 0..<10 as Range<UInt64> {
            #expect(look(&watch, .running(inTransaction: true), step, 0, at: step * 500) == nil)
        }
        #expect(look(&watch, .running(inTransaction: true), 10, 0, at: 5_000) == .transaction)
        // Another one, that was begun between two looks.
        #expect(look(&watch, .running(inTransaction: true), 11, 1, at: 5_100) == nil)
    }

    @Test func idlenessIsCountedAndActivityEndsIt() {
        var watch = ClientWatch(now: .ms(0))
        #expect(look(&watch, .nothing, 0, 0, at: 9_999) == nil)
        #expect(look(&watch, .nothing, 1, 1, at: 10_000) == nil)
        #expect(look(&watch, .nothing, 1, 1, at: 20_000) == .idle)
    }

    @Test func withoutLimitsNobodyIsLookedAt() {
        #expect(ClientTimeLimits().lookInterval == nil)
        #expect(ClientTimeLimits(query: .seconds(60)).lookInterval == .seconds(1))
        #expect(ClientTimeLimits(query: .seconds(60), idle: .milliseconds(200)).lookInterval == .milliseconds(50))
    }
}
