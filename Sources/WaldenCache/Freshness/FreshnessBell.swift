import Synchronization
import WaldenCore

/// Requests that found an entry and wait until the cache is fresh enough to serve it.
///
/// While nobody waits, an event pays for one fence and one load. Whoever waits looks at the gate once more after it is
/// on the list, and an event looks at the list after it has published, so one of the two sees the other.
struct FreshnessBell: ~Copyable, Sendable {
    struct Waiter {
        let instant: Instant
        let wake: @Sendable () -> Void
    }

    struct State {
        var next: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    /// - Parameter wake: Called at most once, from any thread, outside of all locks.
    func add(_ instant: Instant, _ wake: @escaping @Sendable () -> Void) -> UInt64 {
        let id = state.withLock { state in
            state.next += 1
            state.waiters[state.next] = Waiter(instant: instant, wake: wake)
            count.store(state.waiters.count, ordering: .relaxed)
            return state.next
        }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return id
    }

    /// False when it has been woken, or is about to be.
    @discardableResult
    func remove(_ id: UInt64) -> Bool {
        state.withLock { state in
            let removed = state.waiters.removeValue(forKey: id) != nil
            count.store(state.waiters.count, ordering: .relaxed)
            return removed
        }
    }

    /// Whether an event that has published should look whom it concerns.
    var isAwaited: Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return count.load(ordering: .relaxed) > 0
    }

    /// Wakes all who wait for `instant` or an earlier one.
    func ring(_ instant: Instant) {
        let woken: [@Sendable () -> Void] = state.withLock { state in
            let due = state.waiters.filter { $0.value.instant <= instant }
            for id in due.keys { state.waiters[id] = nil }
            count.store(state.waiters.count, ordering: .relaxed)
            return due.values.map(\.wake)
        }
        for wake in woken { wake() }
    }
}
