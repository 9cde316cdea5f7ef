internal import DequeModule
public import WaldenCore

/// Where the primary's log ended at past moments. Turns a position into a time: whoever has applied the log up to there
/// sees all that was committed by when?
///
/// Looks may be frequent (each read that waits for a replica asks for one), and a delayed replica may be an hour behind;
/// so all looks of the recent past are kept, and of the time before them one per `thinning`. Less is then concluded from
/// a position, never more. Time and position rise together from sample to sample, so both are found by bisection.
/// Bounded; forgets the oldest.
public struct PositionHistory: Sendable {
    private struct Sample {
        let end: LSN
        let firstSeenAt: Instant
        /// The last moment known at which the log still ended there; on an idle primary long after the first.
        var lastSeenAt: Instant
    }

    private let recentCapacity: Int
    private let thinnedCapacity: Int
    private let thinning: Duration
    private var thinned: Deque<Sample> = []
    private var recent: Deque<Sample> = []

    /// 2,048 recent looks and one a second for more than an hour before: 150 KiB.
    public init(recent: Int = 2_048, thinned: Int = 4_096, thinning: Duration = .seconds(1)) {
        recentCapacity = max(1, recent)
        thinnedCapacity = max(0, thinned)
        self.thinning = thinning
    }

    /// The newest end of the log; nil before the first sample.
    public var end: LSN? { recent.last?.end }

    /// When the newest sample was asked for.
    public var newest: Instant? { recent.last?.lastSeenAt }

    /// Since when something is known; nil before the first sample.
    public var beginning: Instant? { (thinned.first ?? recent.first)?.firstSeenAt }

    /// All that had been committed by the moment `asked` ends at or before `end`. Looks that are older than the newest
    /// are ignored.
    ///
    /// A position below one seen earlier holds for the earlier moment, too: of two looks under way together the later
    /// may be answered first, and after a crash what lay beyond is lost.
    public mutating func record(_ end: LSN, at asked: Instant) {
        guard var newest = recent.last else {
            append(Sample(end: end, firstSeenAt: asked, lastSeenAt: asked))
            return
        }
        guard asked >= newest.lastSeenAt else { return }
        var since = asked
        while newest.end > end, let beyond = popLast() {
            since = beyond.firstSeenAt
            guard let before = last else { break }
            newest = before
        }
        if newest.end == end, last != nil {
            // Nothing was written meanwhile, so the state at this position is that of now.
            setLastSeen(asked)
        } else {
            append(Sample(end: end, firstSeenAt: since, lastSeenAt: asked))
        }
    }

    public mutating func forget() {
        thinned.removeAll()
        recent.removeAll(keepingCapacity: true)
    }

    /// Where the log ended at that moment, as far as known; nil before the first sample.
    public func end(asOf moment: Instant) -> LSN? {
        let later = firstIndex { $0.firstSeenAt > moment }
        return later == 0 ? nil : sample(later - 1).end
    }

    /// The last moment known such that all that was committed by then lies at or before `position`. Nil when that was
    /// before the first sample.
    public func lastMoment(covering position: LSN) -> Instant? {
        let beyond = firstIndex { $0.end > position }
        return beyond == 0 ? nil : sample(beyond - 1).lastSeenAt
    }

    /// About when the log ended at `position`, as if it had grown evenly between two samples. Not for what a read may be
    /// shown: for how long it takes until a node is there. Nil when that was before the first sample.
    public func estimatedMoment(of position: LSN) -> Instant? {
        let beyond = firstIndex { $0.end > position }
        guard beyond > 0 else { return nil }
        let before = sample(beyond - 1)
        guard beyond < thinned.count + recent.count else { return before.lastSeenAt }
        let after = sample(beyond)
        let share = Double(position.bytes(since: before.end)) / Double(after.end.bytes(since: before.end))
        let gap = after.firstSeenAt.elapsed(since: before.lastSeenAt)
        return before.lastSeenAt + .nanoseconds(Int64(Double(gap.wholeNanoseconds) * share))
    }

    // MARK: Samples

    private var last: Sample? { recent.last ?? thinned.last }

    private mutating func popLast() -> Sample? { recent.popLast() ?? thinned.popLast() }

    /// The newest sample is always among the recent ones, so that `end` finds it.
    private mutating func setLastSeen(_ moment: Instant) {
        if recent.isEmpty, let moved = thinned.popLast() { recent.append(moved) }
        recent[recent.count - 1].lastSeenAt = moment
    }

    private mutating func append(_ new: Sample) {
        recent.append(new)
        guard recent.count > recentCapacity, let old = recent.popFirst() else { return }
        if let before = thinned.last, before.firstSeenAt + thinning > old.firstSeenAt { return }
        thinned.append(old)
        if thinned.count > thinnedCapacity { thinned.removeFirst() }
    }

    /// By age; 0 is the oldest.
    private func sample(_ index: Int) -> Sample {
        index < thinned.count ? thinned[index] : recent[index - thinned.count]
    }

    /// The rank of the oldest sample that satisfies a condition which, once true, stays true; the count when none does.
    private func firstIndex(where isBeyond: (Sample) -> Bool) -> Int {
        var low = 0
        var high = thinned.count + recent.count
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(sample(middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
