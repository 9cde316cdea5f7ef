import Glibc
import Synchronization
import WaldenCore
import WaldenPostgres
import WaldenTestKit

/// Collects what the replication stream delivers, for a runner that waits for its own transactions.
final class ChangeFeed: StreamDelegate {
    private struct State {
        var position: LSN?
        var transactions: [CommittedTransaction] = []
        var loss: String?
    }

    private let state = Mutex(State())
    private let news = Semaphore()

    func streamStarted(at position: LSN, identity: SystemIdentity) {
        state.withLock { $0.position = position }
        news.raise()
    }

    func streamDelivered(_ transaction: CommittedTransaction) {
        state.withLock { $0.transactions.append(transaction) }
        news.raise()
    }

    func streamAdvanced(to position: LSN) {}

    func streamHeard() {}

    func streamLost(_ loss: StreamLoss) {
        state.withLock { $0.loss = "\(loss.reason): \(loss.error)" }
        news.raise()
    }

    /// Waits until a stream runs.
    func waitForStart() throws {
        _ = try wait("the stream's start") { $0.position }
    }

    /// Everything delivered since the last call up to the transaction `xid`, which is waited for.
    func take(upTo xid: UInt32) throws -> [CommittedTransaction] {
        try wait("transaction \(xid) in the stream") { state in
            guard state.transactions.last?.xid == xid else { return nil }
            defer { state.transactions = [] }
            return state.transactions
        }
    }

    private func wait<Value: Sendable>(_ what: String, _ look: (inout sending State) -> Value?) throws -> Value {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let (value, loss) = state.withLock { (look(&$0), $0.loss) }
            if let value { return value }
            if let loss { throw TestKitError("the stream was lost: \(loss)") }
            guard ContinuousClock.now < deadline else { throw TestKitError("not within a minute: \(what)") }
            news.wait(seconds: 1)
        }
    }
}

/// A counting semaphore with a limit of time (`sem_timedwait`).
private final class Semaphore: @unchecked Sendable {
    // POSIX makes the calls on one semaphore safe between threads; the storage stays where it is.
    private let handle: UnsafeMutablePointer<sem_t>

    init() {
        handle = .allocate(capacity: 1)
        sem_init(handle, 0, 0)
    }

    deinit {
        sem_destroy(handle)
        handle.deallocate()
    }

    func raise() {
        sem_post(handle)
    }

    func wait(seconds: Int) {
        var limit = timespec()
        clock_gettime(CLOCK_REALTIME, &limit)
        limit.tv_sec += seconds
        sem_timedwait(handle, &limit)
    }
}
