/// Everything Walden tells about itself, taken at one moment. The runtime fills it in on each request; the renderers
/// (`StatusJSON`, `MetricsText`) turn it into the answers of the admin port. It holds no reference to anything live.
///
/// Counters count since the process started. Positions are printed as PostgreSQL prints them (`16/B374D848`).
public struct StatusReport: Hashable, Sendable {
    public var version = ""
    public var uptimeSeconds = 0.0
    /// Whether results are kept and served now.
    public var caching = false
    /// Why nothing is kept or served; nil when `caching`.
    public var reason: String?
    /// Everything that keeps the cache off, the one named in `reason` among them.
    public var reasons: [CachingObstacle] = []
    public var proxy = ProxyReport()
    public var cache = CacheReport()
    public var stream = StreamReport()
    public var control = ControlReport()
    /// The nodes that are watched, the primary first.
    public var nodes: [NodeReport] = []
    /// The replication slots of the primary.
    public var slots: [SlotReport] = []
    public var routing = RoutingReport()
    /// Nil: no sentinel runs here.
    public var failover: FailoverReport?
    /// What was found wrong with the primary's set-up, each with its cure.
    public var findings: [String] = []

    public init() {}
}

/// One thing that keeps the cache off.
public struct CachingObstacle: Hashable, Sendable {
    /// The part that objects: `configuration`, `readiness`, `catalog`, `stream`, `control`. It becomes a metric's label,
    /// so it is one of a few fixed words.
    public var source: String
    /// In words for people.
    public var reason: String

    public init(source: String, reason: String) {
        self.source = source
        self.reason = reason
    }
}
