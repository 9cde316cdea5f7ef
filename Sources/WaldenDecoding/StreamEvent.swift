public import WaldenCore

/// What one frame of the stream completes.
public enum StreamEvent: Sendable {
    /// The next transaction, in the order of commit.
    case transaction(CommittedTransaction)
    /// Every transaction that ended at or before `end` has been handed over. The walsender wants a status update at
    /// once, if `replyRequested`.
    case keepalive(end: LSN, replyRequested: Bool)
    /// As a keepalive: a transaction ended here that changed nothing, or that is prepared or rolled back.
    case progress(LSN)
}

/// What the stream has brought since it began.
public struct StreamCounters: Hashable, Sendable {
    public internal(set) var transactions = 0
    /// Row changes read, also those of transactions that aborted later.
    public internal(set) var rowChanges = 0
    /// Row changes read past, because their relation already counted as changed entirely.
    public internal(set) var foldedRowChanges = 0
    /// Relations that came to count as changed entirely because a limit was reached; not those truncated.
    public internal(set) var escalations = 0
    /// Non-transactional messages, and those with a prefix that nobody asked for.
    public internal(set) var ignoredMessages = 0
    /// Streamed transactions, or subtransactions of them, that aborted.
    public internal(set) var aborts = 0

    public init() {}
}
