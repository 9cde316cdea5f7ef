import Synchronization

/// Whether nodes are looked at as often as possible.
final class Pace: Sendable {
    private let urgent: Atomic<Bool>
    private let calm: Duration
    private let hurried: Duration

    init(calm: Duration, hurried: Duration) {
        urgent = Atomic(true)
        self.calm = calm
        self.hurried = min(calm, hurried)
    }

    var interval: Duration { urgent.load(ordering: .acquiring) ? hurried : calm }

    /// Whether it has changed.
    func set(isUrgent: Bool) -> Bool {
        urgent.exchange(isUrgent, ordering: .acquiringAndReleasing) != isUrgent
    }
}
