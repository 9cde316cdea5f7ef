public import WaldenCore

/// What the primary said of its log at one moment.
public struct PrimaryPosition: Hashable, Sendable {
    /// `pg_control_system()`: two clusters with the same have one origin.
    public let systemIdentifier: String
    public let timeline: TimelineID
    /// `pg_current_wal_insert_lsn()`: at or past the end of every commit that any reader had seen at `askedAt`.
    public let end: LSN
    /// What readers saw, asked for along with it; nil: not asked for.
    public let snapshot: Snapshot?
    /// Before the question was sent.
    public let askedAt: Instant

    public init(
        systemIdentifier: String, timeline: TimelineID, end: LSN, snapshot: Snapshot? = nil, askedAt: Instant
    ) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.end = end
        self.snapshot = snapshot
        self.askedAt = askedAt
    }
}

/// How far one standby had come at one moment.
public struct NodePosition: Hashable, Sendable {
    public let systemIdentifier: String
    public let timeline: TimelineID
    /// Received from upstream; nil when it only reads an archive.
    public let receivedLSN: LSN?
    /// Applied and visible to readers (`pg_last_wal_replay_lsn()`); nil before anything was.
    public let replayedLSN: LSN?
    /// `pg_wal_replay_pause()` holds it back.
    public let isReplayPaused: Bool
    /// What it shows by transactions; nil: not asked for.
    public let view: StandbyView?
    /// Which run of the server: `pg_postmaster_start_time()` in microseconds since 1970.
    public let startedAt: Int64
    /// Before the question was sent. From `answeredAt` on the node is at least as far.
    public let askedAt: Instant
    public let answeredAt: Instant

    public init(
        systemIdentifier: String, timeline: TimelineID, receivedLSN: LSN?, replayedLSN: LSN?,
        isReplayPaused: Bool = false, view: StandbyView? = nil, startedAt: Int64 = 0, askedAt: Instant,
        answeredAt: Instant
    ) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.receivedLSN = receivedLSN
        self.replayedLSN = replayedLSN
        self.isReplayPaused = isReplayPaused
        self.view = view
        self.startedAt = startedAt
        self.askedAt = askedAt
        self.answeredAt = answeredAt
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

/// Whether reads may go to a node, by what is known of it now.
public enum NodeStanding: Hashable, Sendable {
    /// All that the primary had committed by then is visible there.
    case covered(Instant)
    case unusable(Obstacle)

    /// The raw value is the label in metrics and status.
    public enum Obstacle: String, Hashable, Sendable, CaseIterable {
        /// Not looked at yet, or the primary was not.
        case unknown
        /// The last attempt to look at it failed.
        case unreachable
        /// It did not answer in time the last question it was asked.
        case silent
        /// It answered, and is no standby.
        case notAStandby = "not_a_standby"
        /// Another cluster.
        case otherSystem = "other_system"
        /// On another timeline than the primary, where the same position names other log.
        case otherTimeline = "other_timeline"
        /// It has applied log that the primary does not have: their histories have parted.
        case diverged
        /// Further behind than what is remembered of the primary.
        case tooFarBehind = "too_far_behind"
    }
}

/// How one standby stands beside the primary.
public struct StandbyStanding: Hashable, Sendable {
    public let node: NodeID
    public let standing: NodeStanding
    /// Since when it has been looked at without a break. Of what was read there before nothing is known: after a restart
    /// it may be less far than it was.
    public let availableSince: Instant
    /// How far behind it was at the last look, about.
    public let lag: Duration
    public let isReplayPaused: Bool
    /// `pg_last_wal_replay_lsn()` at the last look; nil while it is not known.
    public let replayed: LSN?
    /// What it had shown to those whose read had ended by then, the primary shows as well (`PrimaryVisibility`).
    public let settled: Instant

    public init(
        node: NodeID, standing: NodeStanding, availableSince: Instant, lag: Duration = .zero,
        isReplayPaused: Bool = false, replayed: LSN? = nil, settled: Instant = .distantPast
    ) {
        self.node = node
        self.standing = standing
        self.availableSince = availableSince
        self.lag = lag
        self.isReplayPaused = isReplayPaused
        self.replayed = replayed
        self.settled = settled
    }

    /// Nothing is known of it yet.
    static func unknown(_ node: NodeID) -> StandbyStanding {
        StandbyStanding(node: node, standing: .unusable(.unknown), availableSince: .distantFuture)
    }
}

/// All standbys at one moment. Whoever gets two of them out of order keeps the one of the higher version.
public struct Standings: Hashable, Sendable {
    public let version: UInt64
    public let standbys: [StandbyStanding]

    public init(version: UInt64, standbys: [StandbyStanding]) {
        self.version = version
        self.standbys = standbys
    }
}
