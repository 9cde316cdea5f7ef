public import WaldenCore

/// What the cache keeps for a key: any immutable object. One word, no box; the caller knows the class.
public typealias Payload = any AnyObject & Sendable

/// What a lookup found.
public enum Lookup: Sendable {
    /// The result that the query has in the database state at the watermark.
    case hit(payload: Payload)
    case miss
    /// There is an entry, but the cache may be further behind than the request allows: wait, or ask the server and keep
    /// nothing.
    case stale(Staleness)
    /// Nothing is served at present.
    case suspended(Suspension)
}

/// An entry that may not be served yet.
public struct Staleness: Hashable, Sendable {
    /// The cache must show all that was visible at this instant; nil when it is not freshness alone that is missing.
    public let until: Instant?
    /// The level that the request has, or the statement's own.
    public let level: ConsistencyLevel
    /// How long the query took when the entry was filled.
    public let fillTook: Duration
}

/// What is served while the primary is being replaced.
public struct OutageHit: Sendable {
    public let payload: Payload
    /// How long ago the stream last vouched for it: whatever was visible before that, it shows.
    public let age: Duration
}

/// Why nothing is served. The label counts it in the metrics.
public enum Suspension: UInt8, Hashable, Sendable, CaseIterable {
    /// No stream yet since the start.
    case streamNotStarted
    /// The stream ended; what was committed meanwhile is unknown, so the cache was emptied.
    case streamLost
    /// A probe went back in the log or in time: another server, or one that lost its tail in a crash.
    case probeRegressed
    /// Someone asked for it.
    case operatorRequest

    public var label: String {
        switch self {
        case .streamNotStarted: "stream_not_started"
        case .streamLost: "stream_lost"
        case .probeRegressed: "probe_regressed"
        case .operatorRequest: "operator_request"
        }
    }
}
