public import WaldenCore

/// Why an entry was dropped.
public enum InvalidationCause: Int, Hashable, Sendable, CaseIterable {
    /// A row that the result depends on changed.
    case row
    /// A row changed whose old values the stream does not tell; it may have been one that the result depends on.
    case unknownOldRow
    /// A relation was truncated, or so much of it changed that every row counts.
    case wholeRelation
    case catalogChanged
    /// The stream was lost or started anew.
    case gap
    case flush
    /// Room was needed.
    case eviction
    /// It was older than a rule of the configuration allows.
    case expired
    /// An audit found a kept result of the statement's shape wrong.
    case quarantined

    public var label: String {
        switch self {
        case .row: "row"
        case .unknownOldRow: "unknown_old_row"
        case .wholeRelation: "whole_relation"
        case .catalogChanged: "catalog_changed"
        case .gap: "gap"
        case .flush: "flush"
        case .eviction: "eviction"
        case .expired: "expired"
        case .quarantined: "quarantined"
        }
    }
}

/// What one transaction did to the cache.
public struct InvalidationReport: Hashable, Sendable {
    /// The transaction's identifier; nil while no stream runs, when nothing is applied.
    public let transaction: TransactionID?
    /// Servable entries and finished fills dropped, by cause.
    public let dropped: Tally<InvalidationCause>
    /// Running fills whose result will not be kept.
    public let tainted: Int
    /// The transaction changed the catalog: read it again and call `catalogChanged`; until then no fill is begun.
    public let catalogChanged: Bool
    /// Whether the prober has something new to do.
    public let wantsProbe: Bool
}

/// What the prober should do now.
public struct ProbeDemand: Hashable, Sendable {
    /// Take a probe.
    public let probe: Bool
    /// Ask the walsender for a keepalive: something waits for the watermark.
    public let keepalive: Bool
    /// Commit a heartbeat: the watermark has been waited for in vain for `nudgeAfter`.
    public let nudge: Bool
    /// Read the catalog and call `catalogChanged`: it has changed, or the stream is new, and no fill begins before.
    public let catalog: Bool
}

/// What became of a probe handed in.
public enum ProbeVerdict: Hashable, Sendable {
    case accepted
    /// It began before the newest one, or no stream runs: of no use.
    case late
    /// It went back behind an earlier one: the server has lost a part of its log or is another one. The cache was
    /// emptied and is suspended until `streamStarted`.
    case regressed
}
