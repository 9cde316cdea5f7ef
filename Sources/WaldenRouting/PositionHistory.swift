public import WaldenCore

/// Where the primary's log ended at past moments. Turns a position into a time: how old is the state of a node that has
/// applied the log up to there?
///
/// Holds a bounded number of samples and forgets the oldest. Time and position rise together from sample to sample, so
/// both are found by bisection. Governs one branch of the log: a position that goes back means that the branch was left
/// (a crash that lost the tail, another server), and nothing known before is comparable any more.
public struct PositionHistory: Hashable, Sendable {
    private struct Sample: Hashable {
        let end: LSN
        let firstSeenAt: Instant
        /// The last moment known at which the log still ended there; on an idle primary long after the first.
        var lastSeenAt: Instant
    }

    /// At one sample a second, a little over an hour; 96 KiB.
    public static let defaultCapacity = 4_096

    private let capacity: Int
    /// A ring; the oldest sample is at `first`.
    private var ring: [Sample] = []
    private var first = 0

    public init(capacity: Int = defaultCapacity) {
        self.capacity = max(1, capacity)
    }

    /// The newest end of the log; nil before the first sample.
    public var end: LSN? { ring.isEmpty ? nil : sample(ring.count - 1).end }

    /// Since when something is known; nil before the first sample.
    public var beginning: Instant? { ring.isEmpty ? nil : sample(0).firstSeenAt }

    /// The log ended at `end` at the moment `now`. Looks that arrive out of order are ignored.
    public mutating func record(_ end: LSN, at now: Instant) {
        if !ring.isEmpty {
            let newest = sample(ring.count - 1)
            guard now >= newest.lastSeenAt else { return }
            if end == newest.end {
                // Nothing was written meanwhile, so the state at this position is that of now.
                ring[place(ring.count - 1)].lastSeenAt = now
                return
            }
            if end < newest.end { forget() }
        }
        append(Sample(end: end, firstSeenAt: now, lastSeenAt: now))
    }

    public mutating func forget() {
        ring.removeAll(keepingCapacity: true)
        first = 0
    }

    /// Where the log ended at that moment, as far as known; nil before the first sample.
    public func end(asOf moment: Instant) -> LSN? {
        let later = firstIndex { $0.firstSeenAt > moment }
        return later == 0 ? nil : sample(later - 1).end
    }

    /// The last moment at which there was no log beyond `position`: whoever has applied the log up to there sees all that
    /// had been written by then. Nil when that was before the first sample.
    public func lastMoment(covering position: LSN) -> Instant? {
        let beyond = firstIndex { $0.end > position }
        return beyond == 0 ? nil : sample(beyond - 1).lastSeenAt
    }

    private mutating func append(_ new: Sample) {
        if ring.count < capacity {
            ring.append(new)
        } else {
            ring[first] = new
            first = (first + 1) % capacity
        }
    }

    /// Where the sample of that age rank stands; 0 is the oldest.
    private func place(_ index: Int) -> Int { (first + index) % ring.count }

    private func sample(_ index: Int) -> Sample { ring[place(index)] }

    /// The rank of the oldest sample that satisfies a condition which, once true, stays true; the count when none does.
    private func firstIndex(where isBeyond: (Sample) -> Bool) -> Int {
        var low = 0
        var high = ring.count
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(sample(middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
