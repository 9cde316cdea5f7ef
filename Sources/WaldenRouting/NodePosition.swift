public import WaldenCore

/// How far one standby had come at one moment.
public struct NodePosition: Hashable, Sendable {
    public let timeline: TimelineID
    /// Received from the primary and flushed (`pg_last_wal_receive_lsn()`); nil when it only reads an archive.
    public let receivedLSN: LSN?
    /// Applied and visible to readers (`pg_last_wal_replay_lsn()`); nil before anything was.
    public let replayedLSN: LSN?
    /// Before the question was sent, so that the node was at least as far by then.
    public let sampledAt: Instant

    public init(timeline: TimelineID, receivedLSN: LSN?, replayedLSN: LSN?, sampledAt: Instant) {
        self.timeline = timeline
        self.receivedLSN = receivedLSN
        self.replayedLSN = replayedLSN
        self.sampledAt = sampledAt
    }
}

/// How far a standby was behind the primary when it was looked at.
public struct Lag: Hashable, Sendable {
    /// The age of the state that a reader there saw.
    public enum Age: Hashable, Sendable {
        /// Too old by at most the time between two looks at the primary; zero when nothing was missing.
        case about(Duration)
        /// Older than all that is remembered of the primary.
        case moreThan(Duration)

        public var duration: Duration {
            switch self {
            case .about(let duration), .moreThan(let duration): duration
            }
        }
    }

    /// Log that the primary had written and the standby had not applied.
    public let replayBytes: UInt64
    /// Log that the primary had written and the standby had not received; nil when it receives none.
    public let receiveBytes: UInt64?
    public let age: Age

    public init(replayBytes: UInt64, receiveBytes: UInt64?, age: Age) {
        self.replayBytes = replayBytes
        self.receiveBytes = receiveBytes
        self.age = age
    }
}
