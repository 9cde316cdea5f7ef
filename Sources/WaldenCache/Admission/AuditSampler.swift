import Synchronization

/// Which hits are audited: about one of `period`, at intervals that no pattern of requests can follow.
///
/// One event loop owns it; the atomics make no hit wait, they only let the object be shared.
public final class AuditSampler: Sendable {
    private let period: UInt64
    private let countdown: Atomic<UInt64>
    private let state: Atomic<UInt64>

    /// - Parameters:
    ///   - period: Hits per audit; 0: none is audited. The first comes after at least so many.
    ///   - seed: Makes the intervals.
    public init(period: UInt64, seed: UInt64) {
        self.period = period
        let state = seed | 1
        self.state = Atomic(state)
        countdown = Atomic(period == 0 ? 0 : period + state % period)
    }

    /// Whether this hit is to be audited.
    public func takesHit() -> Bool {
        if period == 0 { return false }
        let left = countdown.load(ordering: .relaxed)
        if left > 1 {
            countdown.store(left &- 1, ordering: .relaxed)
            return false
        }
        // Marsaglia: "Xorshift RNGs", Journal of Statistical Software 8(14), 2003.
        var next = state.load(ordering: .relaxed)
        next ^= next << 13
        next ^= next >> 7
        next ^= next << 17
        state.store(next, ordering: .relaxed)
        countdown.store(1 + next % (2 &* period), ordering: .relaxed)
        return true
    }
}
