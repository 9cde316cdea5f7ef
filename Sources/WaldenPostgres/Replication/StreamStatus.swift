public import WaldenCore

/// What the replication stream is doing, for status pages and metrics.
public struct StreamStatus: Sendable {
    public enum State: Hashable, Sendable {
        case idle
        case connecting
        /// The server waits until every transaction that ran when the slot was asked for has ended.
        case creatingSlot
        case streaming
        /// Until the next attempt.
        case waiting(PostgresError)
        case stopped
    }

    public internal(set) var state = State.idle
    /// When `state` began.
    public internal(set) var since = Instant.distantPast
    /// All of the log up to here has been delivered, in the current or the last stream.
    public internal(set) var position = LSN.zero
    /// The furthest position of the log that the server spoke of.
    public internal(set) var serverPosition = LSN.zero
    public internal(set) var lastHeard = Instant.distantPast
    public internal(set) var messages: UInt64 = 0
    public internal(set) var bytes: UInt64 = 0
    public internal(set) var transactions: UInt64 = 0
    public internal(set) var rowChanges: UInt64 = 0
    /// Streams begun since the process started.
    public internal(set) var starts: UInt64 = 0
    public internal(set) var identity: SystemIdentity?
}
