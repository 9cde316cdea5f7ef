import Synchronization
import WaldenCore

/// What hits read of the engine without its lock. The engine publishes here last, after all removals that a new
/// watermark implies; a hit reads here first, before it looks at its shard. So an entry found is never older than the
/// gate claimed.
struct ServingGate: ~Copyable, Sendable {
    private let until = Atomic<UInt64>(0)
    private let freshAsOf = Atomic<UInt64>(0)
    private let position = Atomic<UInt64>(0)
    private let outage = Atomic<UInt64>(0)
    private let suspension = Atomic<UInt8>(Suspension.streamNotStarted.rawValue + 1)

    struct Reading {
        let servingUntil: Instant
        let freshAsOf: Instant
    }

    /// Nil while suspended.
    @inline(__always)
    func read() -> Reading? {
        let until = until.load(ordering: .acquiring)
        if until == 0 { return nil }
        return Reading(
            servingUntil: Instant(nanoseconds: until),
            freshAsOf: Instant(nanoseconds: freshAsOf.load(ordering: .acquiring)))
    }

    /// Whatever a hit has shown that was found before this is read is the state at this position or at one before. It
    /// moves before anything becomes servable by it, so it is not behind.
    var shownPosition: LSN { LSN(position.load(ordering: .acquiring)) }

    /// What `lookupInOutage` finds shows all that was visible at this instant; nil when it may find nothing.
    var outageAsOf: Instant? {
        let nanoseconds = outage.load(ordering: .acquiring)
        return nanoseconds == 0 ? nil : Instant(nanoseconds: nanoseconds)
    }

    func publish(outageAsOf instant: Instant?) {
        outage.store(instant?.nanoseconds ?? 0, ordering: .releasing)
    }

    /// Call under the engine's lock, before results are made servable that the watermark has reached by this.
    func advance(to watermark: LSN) {
        if watermark > shownPosition { restart(at: watermark) }
    }

    func restart(at watermark: LSN) {
        position.store(watermark.rawValue, ordering: .releasing)
    }

    /// Nil when the gate is merely closed for want of freshness.
    var reason: Suspension? {
        let code = suspension.load(ordering: .acquiring)
        return code == 0 ? nil : Suspension(rawValue: code - 1)
    }

    func publish(freshAsOf instant: Instant, servingUntil end: Instant) {
        freshAsOf.store(instant.nanoseconds, ordering: .releasing)
        suspension.store(0, ordering: .releasing)
        // One nanosecond at least: zero means suspended.
        until.store(max(1, end.nanoseconds), ordering: .releasing)
    }

    func suspend(_ reason: Suspension) {
        suspension.store(reason.rawValue + 1, ordering: .releasing)
        until.store(0, ordering: .releasing)
        freshAsOf.store(0, ordering: .releasing)
    }
}
