import WaldenCore

/// What one session has written and seen, by the clock, and when waiting for a fresher cache pays.
///
/// Called by the session machine for each unit that ends, by the shell for each hit and each entry found too old. An
/// answer that came from the cache moves nothing: what a later hit shows is never older.
struct ConsistencyTracker: Sendable {
    /// When the last writing unit ended.
    private(set) var wroteAt = Instant.distantPast
    /// When the session was last shown what the primary had: the end of the last unit that read there, another client's
    /// result taken over, or a notification.
    private(set) var sawAt = Instant.distantPast
    /// Time that entries found too old have cost the session since its last hit, by asking the primary instead.
    private var debt = Duration.zero

    mutating func wrote(_ now: Instant) {
        wroteAt = max(wroteAt, now)
    }

    mutating func saw(_ now: Instant) {
        sawAt = max(sawAt, now)
    }

    mutating func hit() {
        debt = .zero
    }

    /// Whether a request that found its entry too old should wait for the cache, rather than ask the primary.
    ///
    /// An entry is worth the wait when its query takes longer. Asking the primary also makes the session's next hit need
    /// a fresher cache still, so that a session which never pauses would never hit again; hence what it has lost so far
    /// counts, too: it waits once the loss exceeds what the wait costs, and loses at most twice the better choice.
    /// `strict` asks for a fresh cache each time anyway, so that nothing is gained for later.
    ///
    /// - Parameters:
    ///   - fillTook: How long the query took when the entry was filled.
    ///   - typicalWait: What waits have been costing lately.
    mutating func isWorthWaiting(level: ConsistencyLevel, fillTook: Duration, typicalWait: Duration) -> Bool {
        if level == .strict { return fillTook > typicalWait }
        debt = min(debt + fillTook, .seconds(1))
        guard debt > typicalWait else { return false }
        debt = .zero
        return true
    }
}
