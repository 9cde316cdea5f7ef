import WaldenCore

/// What a fill's query is certain to have read: taken before the query was sent, on the server that runs it.
enum Horizon: Hashable, Sendable {
    /// `pg_current_snapshot()` of the primary. Its visibility only grows, so an earlier snapshot is sound, and merely
    /// more cautious.
    case primary(Snapshot)
    /// `pg_last_wal_replay_lsn()` of a standby. Not its snapshot, which does not list what is in progress.
    case standby(LSN)

    /// Whether the effects of a transaction are contained in everything read under this horizon.
    func covers(_ xid: TransactionID, endLSN: LSN) -> Bool {
        switch self {
        case .primary(let snapshot): snapshot.covers(xid)
        case .standby(let replayed): endLSN <= replayed
        }
    }
}
