/// One look at the primary over SQL: what a reader that starts now is certain to see, and how far the log reaches.
public struct Probe: Hashable, Sendable {
    /// Before the question was sent. All that had become visible by then is covered by `insertLSN`.
    public let startedAt: Instant
    /// `pg_current_snapshot()`.
    public let snapshot: Snapshot
    /// `pg_current_wal_insert_lsn()`: at or past the end of every commit that any reader had seen at `startedAt`.
    public let insertLSN: LSN

    public init(startedAt: Instant, snapshot: Snapshot, insertLSN: LSN) {
        self.startedAt = startedAt
        self.snapshot = snapshot
        self.insertLSN = insertLSN
    }
}
