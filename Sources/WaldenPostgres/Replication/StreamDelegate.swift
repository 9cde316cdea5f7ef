public import WaldenCore

/// Which history of which cluster a position belongs to (`IDENTIFY_SYSTEM`).
public struct SystemIdentity: Hashable, Sendable {
    /// `pg_control_system().system_identifier`, made by initdb.
    public let systemIdentifier: String
    public let timeline: TimelineID
    /// As `PQserverVersion` gives it, e.g. 150018.
    public let serverVersion: Int

    public init(systemIdentifier: String, timeline: TimelineID, serverVersion: Int) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.serverVersion = serverVersion
    }
}

/// Why there is no stream, after each failed attempt as well as after a stream that ended.
public struct StreamLoss: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// The server cannot be reached, or refuses the connection.
        case noConnection = "no_connection"
        /// The server is there and lacks something: wal_level, a free slot, the publication, a privilege.
        case notReady = "not_ready"
        /// The connection broke, or the server ended it (shutdown, `pg_terminate_backend`).
        case ended
        /// The server was asked and said nothing for too long.
        case silent
        /// The stream held what the decoder does not know.
        case undecodable
    }

    public let reason: Reason
    public let error: PostgresError
    /// Whether `streamStarted` had been called for the attempt: changes may have been missed from here on.
    public let hadStarted: Bool
    /// Until the next attempt.
    public let retryAfter: Duration

    public init(reason: Reason, error: PostgresError, hadStarted: Bool, retryAfter: Duration) {
        self.reason = reason
        self.error = error
        self.hadStarted = hadStarted
        self.retryAfter = retryAfter
    }
}

/// What the replication stream tells, on its own thread, one call after another. While a call runs nothing is read,
/// so a slow one holds the stream up.
public protocol StreamDelegate: Sendable {
    /// A stream begins: every transaction whose commit record ends after `position` will be delivered, none that ends
    /// before. Nothing is delivered until this has returned.
    func streamStarted(at position: LSN, identity: SystemIdentity)
    func streamDelivered(_ transaction: CommittedTransaction)
    /// All transactions whose commit record ends at or before `position` have been delivered.
    func streamAdvanced(to position: LSN)
    /// The server has said something: it is alive and its walsender works. At most once per read from the socket; an
    /// idle server is asked, so that it comes at least every two feedback intervals.
    func streamHeard()
    func streamLost(_ loss: StreamLoss)
}
