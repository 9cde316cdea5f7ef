import Testing
import WaldenCore

@Suite struct FreshnessNeedsTests {
    private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    private func needs(wrote: UInt64, saw: UInt64, level: ConsistencyLevel = .session) -> FreshnessNeeds {
        FreshnessNeeds(level: level, wroteAt: at(wrote), sawAt: at(saw), arrivedAt: at(50))
    }

    @Test func eachLevelDemandsMoreThanTheOneBefore() {
        let needs = needs(wrote: 10, saw: 20)
        #expect(needs.bounded == at(10))
        #expect(needs.session == at(20))
        #expect(needs.strict == at(50))
    }

    @Test func aWriteAfterTheLastReadCountsAtEveryLevel() {
        let needs = needs(wrote: 30, saw: 20)
        #expect(needs.bounded == at(30))
        #expect(needs.session == at(30))
    }

    /// A unit that ended after the request had been read, before it was looked up.
    @Test func strictIsNeverBehindSession() {
        #expect(needs(wrote: 60, saw: 20).strict == at(60))
        #expect(needs(wrote: 10, saw: 70).strict == at(70))
    }

    @Test func theStatementsOwnLevelGoesFirst() {
        let needs = needs(wrote: 10, saw: 20, level: .strict)
        #expect(needs.instant() == at(50))
        #expect(needs.instant(.bounded) == at(10))
        #expect(needs.instant(.session) == at(20))
    }
}
