import WaldenCore

/// The transactions that the stream of a new slot will never tell of, and that are still to become visible.
///
/// A commit is first written to the log and only later becomes visible; a synchronous standby can hold it in between
/// for long. A slot streams the commits whose records lie after its consistent point. A commit before that point is
/// history for the stream, yet a reader that starts now may not see it, and would never hear of it. Such a transaction
/// - took its identifier before the slot was ready, so it is below `ceiling`, an identifier taken afterwards;
/// - is not covered by the reader's snapshot: it is listed there as in progress, or is at or above its `xmax` (a
///   snapshot does not list what lies above the last finished identifier).
/// One that the stream does deliver is no longer unknown.
///
/// Making a slot waits for the transactions that were in progress when it began, so only those that began meanwhile
/// can be here, and the window closes as soon as they end.
struct StartWindow: Hashable, Sendable {
    private let ceiling: TransactionID
    private var delivered: Set<TransactionID> = []

    init(ceiling: TransactionID) {
        self.ceiling = ceiling
    }

    mutating func transactionDelivered(_ xid: TransactionID) {
        if xid < ceiling { delivered.insert(xid) }
    }

    /// Whether a reader with this snapshot may miss a transaction that is never streamed. Once one cannot, none that
    /// starts later can.
    func isOpen(for snapshot: Snapshot) -> Bool {
        snapshot.xmax < ceiling || snapshot.inProgress.contains { $0 < ceiling && !delivered.contains($0) }
    }
}
