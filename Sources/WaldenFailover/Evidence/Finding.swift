/// What the evidence says of the primary. The raw value is its name in journals, logs and metrics.
public enum Finding: String, Hashable, Sendable, CaseIterable, Codable {
    /// It answers and writes.
    case healthy
    /// Nobody listens, and no standby receives any more: its processes are gone.
    case crashed
    /// It does not answer, and so many standbys have heard nothing of it that it can acknowledge nothing.
    case unreachable
    /// It does not answer here, but standbys hear of it: the fault may be this side's.
    case sentinelBlind = "sentinel_blind"
    /// Nobody listens, yet standbys hear of it: it may be going down.
    case doubtful
    /// The session at hand lives; new connections hang.
    case hungAccept = "hung_accept"
    /// It has no place for more connections (53300), and answers those that need none.
    case overloaded
    /// Reads are answered; no local commit returns.
    case writeDead = "write_dead"
    /// Local commits return; the quorum acknowledges none.
    case syncStalled = "sync_stalled"
    /// It starts or shuts down (57P03).
    case recovering
    /// The sentinel is not let in.
    case denied

    /// Whether clients can work with it, so that there is no reason for a failover.
    public var isAlive: Bool {
        switch self {
        case .healthy, .hungAccept, .overloaded, .syncStalled, .denied: true
        case .crashed, .unreachable, .sentinelBlind, .doubtful, .writeDead, .recovering: false
        }
    }
}
