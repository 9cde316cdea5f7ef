import Synchronization
import WaldenCore

/// How much of the server's time audits may take: one runs at a time, and after it none begins for fifty times as long
/// as it took.
///
/// The rate alone bounds nothing: hits take microseconds, and the statement behind them may take a second, so that a
/// thousandth of the hits would keep the server busy. So audits take two per cent of one server process at most.
final class AuditBudget: Sendable {
    private static let pause = 50
    /// An audit of which nothing more is heard does not hold up the others for longer.
    private static let longest = Duration.seconds(60)

    /// Nanoseconds of `Instant`.
    private let notBefore = Atomic<UInt64>(0)
    private let postponements = Atomic<Int>(0)

    /// Hits that would have been audited and were served instead.
    var postponed: Int { postponements.load(ordering: .relaxed) }

    /// Whether an audit may begin; if so, `ended` must be called.
    func begins(now: Instant) -> Bool {
        let limit = notBefore.load(ordering: .acquiring)
        if now.nanoseconds >= limit {
            let busy = (now + Self.longest).nanoseconds
            if notBefore.compareExchange(expected: limit, desired: busy, ordering: .acquiringAndReleasing).exchanged {
                return true
            }
        }
        postponements.add(1, ordering: .relaxed)
        return false
    }

    func ended(began: Instant, now: Instant) {
        notBefore.store((now + now.elapsed(since: began) * Self.pause).nanoseconds, ordering: .releasing)
    }
}
