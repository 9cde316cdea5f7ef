import Testing
import WaldenWire

@testable import WaldenSession

/// The tracker by itself: what the client was told, and what each event makes of it.
@Suite struct TransactionTrackerTests {
    private let begin = TransactionTracker.Deferral(messages: [1], isExtended: false, parses: false)

    @Test func aDeferredTransactionIsOpenToTheClientAlone() {
        var tracker = TransactionTracker()
        #expect(tracker.shown(.idle) == .idle)
        tracker.began(deferring: begin)
        #expect(tracker.isDeferred && tracker.shown(.idle) == .inTransaction)
        #expect(tracker.obstacle(.idle) == nil)
        tracker.endedUnseen()
        #expect(!tracker.isDeferred && tracker.shown(.idle) == .idle)
        #expect(tracker.open() == nil)
    }

    @Test func itIsOpenedOnce() {
        var tracker = TransactionTracker()
        tracker.began(deferring: begin)
        #expect(tracker.open() == begin)
        #expect(tracker.open() == nil)
        #expect(tracker.isOpening && tracker.shown(.idle) == .inTransaction)
        tracker.endedUnseen()
        #expect(tracker.isOpening)
        tracker.opened(.inTransaction)
        #expect(!tracker.isOpening && tracker.obstacle(.inTransaction) == nil)
        #expect(tracker.shown(.failed) == .failed)
    }

    @Test func aRefusalPutsItBack() {
        var tracker = TransactionTracker()
        tracker.began(deferring: begin)
        for count in 1...3 {
            #expect(tracker.open() == begin)
            tracker.opened(.idle)
            #expect(tracker.isDeferred && tracker.refusals == count)
        }
        tracker.began(deferring: begin)
        #expect(tracker.refusals == 0)
    }

    @Test func disturbanceLastsUntilTheEnd() {
        var tracker = TransactionTracker()
        tracker.unitEnded(.init(began: .readCommitted), from: .idle, to: .inTransaction)
        #expect(tracker.obstacle(.inTransaction) == nil)
        tracker.unitEnded(.init(disturbs: true), from: .inTransaction, to: .inTransaction)
        tracker.unitEnded(.init(), from: .inTransaction, to: .failed)
        #expect(tracker.obstacle(.failed) == .failed)
        tracker.unitEnded(.init(crossedEnd: true), from: .failed, to: .inTransaction)
        #expect(tracker.obstacle(.inTransaction) == .wrote)
        tracker.unitEnded(.init(crossedEnd: true), from: .inTransaction, to: .idle)
        #expect(tracker.obstacle(.idle) == nil)
    }

    @Test func onlyReadCommittedForCertainMayHit() {
        for began in [nil, BeginForm.Isolation.repeatableRead] {
            var tracker = TransactionTracker()
            tracker.unitEnded(.init(began: began), from: .idle, to: .inTransaction)
            #expect(tracker.obstacle(.inTransaction) == .isolation)
        }
        var tracker = TransactionTracker()
        tracker.unitEnded(.init(began: .readCommitted), from: .idle, to: .inTransaction)
        tracker.unitEnded(.init(crossedEnd: true, isMixed: true), from: .inTransaction, to: .inTransaction)
        #expect(tracker.obstacle(.inTransaction) == .isolation)
    }
}
