public import WaldenCore

/// Which positions to report to the walsender.
///
/// The server keeps its log from the flushed position on and sends again, after a reconnect, what committed past it.
/// So the flushed position is never ahead of an unapplied transaction; and with nothing unapplied it follows the
/// keepalives, or an idle database beside a busy one would hold the log back for ever. A streamed transaction still in
/// progress does not count: it commits later than all of this, and the slot keeps its log.
public struct FeedbackPosition: Hashable, Sendable {
    /// The furthest position seen in any frame.
    public private(set) var received: LSN
    /// All transactions that ended up to here are applied.
    public private(set) var flushed: LSN
    /// The end of the last transaction handed over, applied or not.
    private var delivered: LSN
    /// The furthest position with no transaction after `delivered` before it.
    private var idle: LSN

    /// Begins where the stream begins.
    public init(start: LSN) {
        received = start
        flushed = start
        delivered = start
        idle = start
    }

    /// A frame came whose data begins at `lsn`.
    public mutating func frameReceived(at lsn: LSN) {
        received = max(received, lsn)
    }

    /// A transaction that ended at `end` came and is to be applied.
    public mutating func transactionReceived(end: LSN) {
        delivered = max(delivered, end)
        frameReceived(at: end)
    }

    /// All transactions up to the one that ended at `end` are applied.
    public mutating func transactionApplied(end: LSN) {
        flushed = max(flushed, min(end, delivered))
        followIdle()
    }

    /// The stream reached `lsn` with nothing new: a keepalive or an empty transaction.
    public mutating func progressed(to lsn: LSN) {
        idle = max(idle, lsn)
        frameReceived(at: lsn)
        followIdle()
    }

    /// The status update to send now.
    ///
    /// - Parameter clock: microseconds since 2000-01-01 UTC.
    public func status(clock: Int64, replyRequested: Bool) -> StandbyStatus {
        StandbyStatus(
            written: received, flushed: flushed, applied: flushed, clock: clock, replyRequested: replyRequested)
    }

    private mutating func followIdle() {
        if flushed >= delivered { flushed = max(flushed, idle) }
    }
}
