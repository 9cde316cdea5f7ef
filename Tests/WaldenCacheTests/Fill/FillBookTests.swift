import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct FillBookTests {
    private final class Token: Sendable {}

    private var book = FillBook()

    private static func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    private static func probe(_ start: UInt64, _ lsn: UInt64) -> Probe {
        Probe(
            startedAt: at(start), snapshot: Snapshot(xmin: TransactionID(1), xmax: TransactionID(1), inProgress: []),
            insertLSN: LSN(lsn))
    }

    private mutating func begin(
        _ key: [UInt8], on horizon: Horizon = .primary(snapshot("5:5:")), taint: Taint? = nil, now: UInt64 = 0
    ) -> FillID {
        book.begin(key, hash: key.keyHash, horizon: horizon, taint: taint, shows: Self.at(now), now: Self.at(now))
    }

    private mutating func complete(_ id: FillID, now: UInt64, bytes: Int = 10) {
        book.complete(id, with: FillBook.Result(payload: Token(), bytes: bytes), now: Self.at(now))
    }

    @Test mutating func namesAreNeverUsedTwice() {
        let first = begin([1])
        book.remove(first)
        let second = begin([1])
        #expect(first.slot == second.slot)
        #expect(first != second)
        #expect(book[first] == nil)
        #expect(book[second] != nil)
        // Names that were never given out.
        #expect(book[FillID(slot: 77, generation: 1)] == nil)
        #expect(book[FillID(slot: -1, generation: 1)] == nil)
    }

    @Test mutating func theNewestFillOfAKeyIsFound() {
        #expect(book.newest(of: [1], hash: [UInt8]([1]).keyHash) == nil)
        let first = begin([1], taint: .recentTransaction)
        let second = begin([1])
        #expect(book.newest(of: [1], hash: [UInt8]([1]).keyHash) == second)
        book.remove(first)
        #expect(book.newest(of: [1], hash: [UInt8]([1]).keyHash) == second)
        book.remove(second)
        #expect(book.newest(of: [1], hash: [UInt8]([1]).keyHash) == nil)
    }

    @Test mutating func becomesServableOnlyPastAProbeBegunAfterItsCompletion() {
        let id = begin([1])
        complete(id, now: 100)
        #expect(book.wantsProbe)
        book.probeCompleted(Self.probe(99, 500), now: Self.at(120))
        #expect(book.wantsProbe)
        #expect(book.nextServable(at: LSN(9999), invisibleFrom: nil) == nil)
        book.probeCompleted(Self.probe(100, 600), now: Self.at(130))
        #expect(!book.wantsProbe)
        #expect(book.waitingForWatermarkSince == Self.at(130))
        #expect(book.nextServable(at: LSN(599), invisibleFrom: nil) == nil)
        #expect(book.nextServable(at: LSN(600), invisibleFrom: nil) == id)
        #expect(book.nextServable(at: LSN(600), invisibleFrom: nil) == nil)
    }

    @Test mutating func severalShareAProbe() {
        let ids = (0..<3).map { begin([UInt8($0)]) }
        for (offset, id) in ids.enumerated() { complete(id, now: 100 + UInt64(offset)) }
        book.probeCompleted(Self.probe(101, 500), now: Self.at(120))
        book.probeCompleted(Self.probe(110, 700), now: Self.at(130))
        #expect(book.nextServable(at: LSN(500), invisibleFrom: nil) == ids[0])
        #expect(book.nextServable(at: LSN(500), invisibleFrom: nil) == ids[1])
        #expect(book.nextServable(at: LSN(500), invisibleFrom: nil) == nil)
        #expect(book.nextServable(at: LSN(700), invisibleFrom: nil) == ids[2])
    }

    @Test mutating func aTaintedRunningFillStaysForItsWaiters() {
        let id = begin([1])
        #expect(book.addWaiter(7, to: id, limit: 2) == true)
        book.taint(id, .row)
        #expect(book[id]?.isTainted == true)
        #expect(book[id]?.waiters == [7])
        // The first taint counts.
        book.taint(id, .gap)
        if case .tainted(let taint)? = book[id]?.phase { #expect(taint == .row) }
    }

    @Test mutating func aTaintedFinishedFillIsGone() {
        let waitsForProbe = begin([1])
        let waitsForWatermark = begin([2])
        complete(waitsForWatermark, now: 10)
        book.probeCompleted(Self.probe(20, 100), now: Self.at(20))
        complete(waitsForProbe, now: 30)
        #expect(book.completed == 2)
        #expect(book.completedBytes == 20)
        book.taint(waitsForProbe, .row)
        book.taint(waitsForWatermark, .row)
        #expect(book.completed == 0)
        #expect(book.completedBytes == 0)
        #expect(book.count == 0)
        #expect(book.nextServable(at: LSN(999), invisibleFrom: nil) == nil)
        // The queue's front was a removed one; it does not hold up the next.
        book.probeCompleted(Self.probe(40, 200), now: Self.at(40))
        #expect(!book.wantsProbe)
    }

    @Test mutating func waitersAreBoundedAndMayLeave() {
        let id = begin([1])
        #expect(book.addWaiter(1, to: id, limit: 2) == true)
        #expect(book.addWaiter(2, to: id, limit: 2) == true)
        #expect(book.addWaiter(3, to: id, limit: 2) == false)
        book.removeWaiter(1, from: id)
        #expect(book.addWaiter(3, to: id, limit: 2) == true)
        #expect(book[id]?.waiters == [2, 3])
        complete(id, now: 5)
        #expect(book[id]?.waiters == [])
        #expect(book.addWaiter(4, to: id, limit: 2) == false)
        book.remove(id)
        #expect(book.addWaiter(4, to: id, limit: 2) == false)
        book.removeWaiter(4, from: id)
    }

    @Test mutating func completingTwiceChangesNothing() {
        let id = begin([1])
        complete(id, now: 10)
        complete(id, now: 20, bytes: 99)
        #expect(book.completed == 1)
        #expect(book.completedBytes == 10)
        book.remove(id)
        book.remove(id)
        #expect(book.completed == 0)
        #expect(book.count == 0)
    }

    @Test mutating func listsAllThatAreThere() {
        let ids = (0..<4).map { begin([UInt8($0)]) }
        book.remove(ids[1])
        #expect(Set(book.all) == [ids[0], ids[2], ids[3]])
        #expect(book.running == 3)
    }
}
