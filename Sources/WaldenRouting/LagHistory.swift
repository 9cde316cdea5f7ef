internal import DequeModule
public import WaldenCore

/// The lag of one node over the last ten minutes, one point a second at most. For the status views.
public struct LagHistory: Sendable {
    public struct Point: Hashable, Sendable {
        public let at: Instant
        /// Nil while the node could not be used: there is a gap.
        public let lag: Lag?

        public init(at: Instant, lag: Lag?) {
            self.at = at
            self.lag = lag
        }
    }

    /// The highest lag of a span of time.
    public struct Peak: Hashable, Sendable {
        public var bytes: UInt64 = 0
        public var age = Duration.zero

        public init() {}
    }

    public static let capacity = 600
    public static let resolution = Duration.seconds(1)

    private var ring: Deque<Point> = []

    public init() {}

    /// Of looks within one second the one with the highest lag is kept, so that no peak is lost; a gap is higher than
    /// any lag.
    public mutating func record(_ lag: Lag?, at now: Instant) {
        guard let last = ring.last, now.elapsed(since: last.at) < Self.resolution else {
            ring.append(Point(at: now, lag: lag))
            if ring.count > Self.capacity { ring.removeFirst() }
            return
        }
        guard let known = last.lag else { return }
        if let lag, lag.age.duration <= known.age.duration { return }
        ring[ring.count - 1] = Point(at: last.at, lag: lag)
    }

    /// Oldest first, at most `capacity`.
    public var points: [Point] { Array(ring) }

    /// Since `moment`; nil when nothing is known of that time.
    public func peak(since moment: Instant) -> Peak? {
        var peak: Peak?
        for point in ring.reversed() {
            guard point.at >= moment else { break }
            guard let lag = point.lag else { continue }
            var higher = peak ?? Peak()
            higher.bytes = max(higher.bytes, lag.replayBytes)
            higher.age = max(higher.age, lag.age.duration)
            peak = higher
        }
        return peak
    }
}
