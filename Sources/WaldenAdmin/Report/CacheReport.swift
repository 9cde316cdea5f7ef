/// The result cache.
public struct CacheReport: Hashable, Sendable {
    /// The consistency level that lookups are given when a session asks for none.
    public var level = ""
    /// How old a served state may be at that level.
    public var maxStalenessSeconds = 0.0
    public var hits: UInt64 = 0
    public var misses: UInt64 = 0
    /// Entries found that were older than the level allows.
    public var stale: UInt64 = 0
    /// Lookups made while the cache was suspended.
    public var suspendedLookups: UInt64 = 0
    /// Of the last two, those that were answered all the same, because the primary was being replaced.
    public var outageHits: UInt64 = 0
    /// How old what is kept of a lost stream is, for the time in which the primary is being replaced; nil: nothing is.
    public var frozenSeconds: Double?
    /// Statements that were not looked up, by reason.
    public var bypasses: [String: UInt64] = [:]
    /// Entries dropped, by cause.
    public var invalidations: [String: UInt64] = [:]
    public var fillsBegun: UInt64 = 0
    public var fillsKept: UInt64 = 0
    /// Fills that were not begun, by reason.
    public var fillsRefused: [String: UInt64] = [:]
    /// Fills that a change made worthless before they were kept, by cause.
    public var fillsTainted: [String: UInt64] = [:]
    /// Fills given up, by reason.
    public var fillsAbandoned: [String: UInt64] = [:]
    public var entries = 0
    public var bytes = 0
    public var maxBytes = 0
    /// Fills under way or waiting for the watermark.
    public var pendingFills = 0
    /// Transactions and row changes remembered to judge fills that began before them.
    public var recentTransactions = 0
    public var recentChanges = 0
    /// Statement shapes of which an account is kept; those among them whose results are not kept for want of benefit;
    /// those forgotten because there were too many.
    public var shapes = 0
    public var declinedShapes = 0
    public var forgottenShapes: UInt64 = 0
    /// Time at the server that hits have saved.
    public var savedSeconds = 0.0
    /// Shapes of which nothing is served because an audit found a kept result wrong.
    public var quarantinedShapes = 0
    /// Hits read anew and compared; those that differed; those given up because too many waited.
    public var audits: UInt64 = 0
    public var auditMismatches: UInt64 = 0
    public var auditsGivenUp: UInt64 = 0
    public var auditsPostponed: UInt64 = 0
    /// The shapes that have saved most.
    public var topShapes: [ShapeReport] = []

    public init() {}
}
