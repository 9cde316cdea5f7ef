import Synchronization
import WaldenCore

@testable import WaldenCache

/// A primary whose commits become visible at once, shared by threads: a version per row, a log, a stream.
final class ThreadedPrimary: Sendable {
    struct State {
        var versions: [Int64]
        var nextXID: UInt64 = 1000
        var position: UInt64 = 1000
        var stream: [CommittedTransaction] = []
    }

    let relation = TestRelation(["id", "v"], key: ["id"])
    private let state: Mutex<State>
    private let readers: Atomic<Int>
    private let origin = ContinuousClock.now

    init(rows: Int, readers: Int) {
        self.readers = Atomic(readers)
        state = Mutex(State(versions: Array(repeating: 0, count: rows)))
    }

    /// A nanosecond at least, so that no instant is the distant past.
    var now: Instant {
        Instant(nanoseconds: UInt64((ContinuousClock.now - origin).wholeNanoseconds) + 1)
    }

    var readersRunning: Bool { readers.load(ordering: .relaxed) > 0 }

    func readerEnded() { readers.subtract(1, ordering: .relaxed) }

    func version(of row: Int) -> Int64 { state.withLock { $0.versions[row] } }

    func write(_ row: Int) {
        state.withLock { state in
            state.versions[row] += 1
            state.position += 100
            let new: [Cell] = [.integer(Int64(row)), .integer(state.versions[row])]
            state.stream.append(
                CommittedTransaction(
                    xid: UInt32(truncatingIfNeeded: state.nextXID), commitLSN: LSN(state.position - 10),
                    endLSN: LSN(state.position), commitTime: 0, changes: [relation.update(nil, new)],
                    wholeRelations: [], messages: [], changeCount: 1))
            state.nextXID += 1
        }
    }

    func probe() -> Probe {
        let start = now
        return state.withLock { state in
            let next = TransactionID(state.nextXID)
            return Probe(
                startedAt: start, snapshot: Snapshot(xmin: next, xmax: next, inProgress: []),
                insertLSN: LSN(state.position))
        }
    }

    func takeStream() -> [CommittedTransaction] {
        state.withLock { state in
            let stream = state.stream
            state.stream = []
            return stream
        }
    }
}
