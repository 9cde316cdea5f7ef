import Synchronization
import WaldenCore
import WaldenPostgres

/// Events of many threads for one. At most `capacity` wait: a node that floods it loses reports, which come again, and
/// answers, whose orders are given again.
final class EventQueue: Sendable {
    static let capacity = 10_000

    private let events = Mutex<[SentinelEvent]>([])
    private let wake: Wake
    private let lost = Atomic<UInt64>(0)

    /// Events that found no room.
    var dropped: UInt64 { lost.load(ordering: .relaxed) }

    init() throws(PostgresError) {
        wake = try Wake()
    }

    func add(_ event: SentinelEvent) {
        let isFull = events.withLock { events in
            guard events.count < Self.capacity else { return true }
            events.append(event)
            return false
        }
        if isFull {
            lost.wrappingAdd(1, ordering: .relaxed)
        } else {
            wake.raise()
        }
    }

    /// All that wait; an empty list when none came before `deadline`.
    func take(until deadline: Instant) -> [SentinelEvent] {
        _ = Polling.wait([.reading(wake.readEnd)], until: deadline)
        wake.lower()
        return events.withLock { events in
            defer { events.removeAll(keepingCapacity: true) }
            return events
        }
    }

    /// Ends a wait without an event.
    func interrupt() {
        wake.raise()
    }
}
