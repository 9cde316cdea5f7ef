/// Bounds of the result cache. Every structure that clients or the stream can make grow has its limit here.
public struct CacheConfiguration: Hashable, Sendable {
    /// Keys, results and the index together, as the cache estimates them.
    public var maxBytes: Int
    /// A larger result is never kept.
    public var maxResultBytes: Int
    /// How far behind the primary a hit's state may be.
    public var maxStaleness: Duration
    /// Without a word from the stream for this long, nothing is served.
    public var maxSilence: Duration
    /// How old the state may be that is shown while the primary is being replaced and nobody tells of changes
    /// (`ResultCache.lookupInOutage`). Zero: nothing outlives the stream.
    public var outageStaleness: Duration
    /// Row changes remembered until they are certainly visible (the recent list). Past it, transactions are remembered
    /// by their relations only: fills that read those are not kept, which costs hits but never exactness.
    public var maxRecentChanges: Int
    public var maxRecentBytes: Int
    /// Fills under way or waiting to become servable.
    public var maxPendingFills: Int
    /// Identical requests that wait for one fill.
    public var maxWaitersPerFill: Int
    /// How long the watermark may stay behind a position that a fill or a session waits for before the log is nudged
    /// with a commit of Walden's own: what was inserted but not flushed is never sent by itself.
    public var nudgeAfter: Duration
    /// Whether results are kept only of statement shapes for which that pays (docs/internals/admission.md).
    public var judgesBenefit: Bool
    /// Statement shapes of which an account is kept.
    public var maxShapes: Int
    /// Whether records of invalidations hold the keys of changed rows.
    public var recordsValues: Bool

    public init(
        maxBytes: Int = 256 << 20, maxResultBytes: Int = 1 << 20, maxStaleness: Duration = .seconds(1),
        maxSilence: Duration = .seconds(10), outageStaleness: Duration = .zero, maxRecentChanges: Int = 4096,
        maxRecentBytes: Int = 8 << 20, maxPendingFills: Int = 4096, maxWaitersPerFill: Int = 1024,
        nudgeAfter: Duration = .milliseconds(20), judgesBenefit: Bool = true, maxShapes: Int = 4096,
        recordsValues: Bool = false
    ) {
        self.maxBytes = maxBytes
        self.maxResultBytes = maxResultBytes
        self.maxStaleness = maxStaleness
        self.maxSilence = maxSilence
        self.outageStaleness = outageStaleness
        self.maxRecentChanges = maxRecentChanges
        self.maxRecentBytes = maxRecentBytes
        self.maxPendingFills = maxPendingFills
        self.maxWaitersPerFill = maxWaitersPerFill
        self.nudgeAfter = nudgeAfter
        self.judgesBenefit = judgesBenefit
        self.maxShapes = maxShapes
        self.recordsValues = recordsValues
    }

    /// A power of two up to `ShardSet.capacity`, such that a shard's share holds several of the largest results.
    var shardCount: Int {
        var count = 1
        while count < ShardSet.capacity, maxBytes / (count * 2) >= 8 * maxResultBytes { count *= 2 }
        return count
    }
}
