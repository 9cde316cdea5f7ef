/// A point on the process's monotonic clock, in nanoseconds. Pure modules are given instants; they never read a clock.
public struct Instant: Hashable, Comparable, Sendable {
    public let nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Before every instant that a clock gives.
    public static let distantPast = Instant(nanoseconds: 0)
    public static let distantFuture = Instant(nanoseconds: .max)

    @inlinable
    public static func < (lhs: Instant, rhs: Instant) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    /// Saturates at `distantPast` and `distantFuture`.
    public static func + (lhs: Instant, rhs: Duration) -> Instant {
        let nanoseconds = rhs.wholeNanoseconds
        if nanoseconds >= 0 {
            let (sum, overflow) = lhs.nanoseconds.addingReportingOverflow(UInt64(nanoseconds))
            return overflow ? .distantFuture : Instant(nanoseconds: sum)
        }
        let (difference, overflow) = lhs.nanoseconds.subtractingReportingOverflow(nanoseconds.magnitude)
        return overflow ? .distantPast : Instant(nanoseconds: difference)
    }

    public static func - (lhs: Instant, rhs: Duration) -> Instant {
        lhs + (.zero - rhs)
    }

    /// The time from `earlier` until here; zero when `earlier` is later.
    public func elapsed(since earlier: Instant) -> Duration {
        guard nanoseconds > earlier.nanoseconds else { return .zero }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}

extension Duration {
    /// Nanoseconds, saturating at the limits of `Int64` (±292 years).
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// Seconds as a fraction, for figures shown to people.
    public var fractionalSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
