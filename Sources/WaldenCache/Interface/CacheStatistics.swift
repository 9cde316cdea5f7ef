public import WaldenCore

/// A snapshot of the cache's counters and gauges. Counters only grow.
public struct CacheStatistics: Sendable {
    public var hits = 0
    public var misses = 0
    /// An entry was there, but further behind than the request allowed.
    public var stale = 0
    /// Lookups while nothing was served, whatever the reason.
    public var suspendedLookups = 0
    /// Second looks that were answered because the primary was being replaced.
    public var outageHits = 0

    public var fillsBegun = 0
    public var fillsJoined = 0
    public var fillsCompleted = 0
    /// Became servable.
    public var fillsKept = 0
    public var fillsTooLarge = 0
    public var fillsRefused = Tally<FillRefusal>()
    public var fillsTainted = Tally<Taint>()
    public var fillsAbandoned = Tally<FillAbandonment>()
    public var invalidations = Tally<InvalidationCause>()

    public var transactions = 0
    public var rowChanges = 0
    public var probes = 0
    /// Heartbeat messages of any Walden seen in the stream.
    public var heartbeats = 0
    public var streamStarts = 0
    public var streamLosses = 0

    /// Servable entries.
    public var entries = 0
    /// Estimated bytes of servable entries: keys, results, index.
    public var bytes = 0
    /// Fills whose query is running.
    public var runningFills = 0
    /// Fills that wait for a probe or for the watermark.
    public var completedFills = 0
    public var recentTransactions = 0
    public var recentChanges = 0
    /// Statement shapes of which an account is kept, those whose results are not kept for want of benefit, and those
    /// forgotten because there were too many.
    public var shapes = 0
    public var declinedShapes = 0
    public var forgottenShapes = 0
    /// Time at the server that hits have saved, by the mean of their shape; what forgotten shapes saved included.
    public var savedNanoseconds = 0.0
    /// Shapes of which nothing is served because an audit found a kept result wrong.
    public var quarantinedShapes = 0
    public var auditsAgreed = 0
    public var auditMismatches = 0
    /// Too many were waiting to be compared.
    public var auditsGivenUp = 0
    /// Hits served because audits had had their share of the server's time.
    public var auditsPostponed = 0
    public var watermark = LSN.zero
    /// The newest probe's position; the watermark lags behind it by the difference.
    public var probedLSN = LSN.zero
    /// Hits show at least all that was visible at this instant; `distantPast` when nothing is served.
    public var freshAsOf = Instant.distantPast
    public var lastStreamMessage = Instant.distantPast
    /// The stream is lost, and what was servable then is kept for an outage: it shows at least all that was visible at
    /// this instant. Nil when nothing is kept so.
    public var frozenAsOf: Instant?
    public var suspension: Suspension?
    /// Words for people about the suspension, e.g. the stream's error.
    public var suspensionDetail = ""
    /// The catalog is known to have changed and has not been read again yet.
    public var catalogIsStale = false
}
