public import WaldenCore

/// Which server runs a fill's query, and what the query is certain to see there.
public enum FillServer: Hashable, Sendable {
    case primary
    /// A standby.
    ///
    /// - `replayed`: `pg_last_wal_replay_lsn()` there, asked before the query is sent.
    /// - `covering`: All that had become visible at the primary by this instant had been replayed then.
    case standby(replayed: LSN, covering: Instant)
}
