public import WaldenCore

/// What is known of the positions of a cluster's nodes: the primary's over time, of each standby the newest.
///
/// Fed by whoever looks at the nodes, in any order; asked by the router and the status views. Positions are only compared
/// within one system and on the primary's own timeline: elsewhere the same number names other log. A cascaded standby is
/// no different, for what it replays is the primary's log whoever hands it on.
public struct NodePositions: Sendable {
    private struct Standby {
        var position: NodePosition?
        var obstacle: NodeStanding.Obstacle? = .unknown
        /// Since when it has been looked at without a break; what was read there before may have been newer.
        var availableSince = Instant.distantFuture
        /// The run of the server in which it was found ahead of the primary.
        var divergedIn: Int64?
    }

    public private(set) var history: PositionHistory
    private var visibility = PrimaryVisibility()
    /// Of the primary; nil before the first sample.
    public private(set) var systemIdentifier: String?
    public private(set) var timeline: TimelineID?
    private var standbys: [NodeID: Standby] = [:]
    private var version: UInt64 = 0

    public init(history: PositionHistory = PositionHistory()) {
        self.history = history
    }

    // MARK: Looks

    public mutating func primarySampled(_ position: PrimaryPosition) {
        version += 1
        if timeline != position.timeline || systemIdentifier != position.systemIdentifier {
            history.forget()
            visibility.primaryChanged()
            timeline = position.timeline
            systemIdentifier = position.systemIdentifier
            for node in standbys.keys { standbys[node]?.divergedIn = nil }
        }
        history.record(position.end, at: position.askedAt)
        if let snapshot = position.snapshot { visibility.primarySaw(snapshot) }
        for node in standbys.keys { noteDivergence(of: node, position.end, askedAt: position.askedAt) }
    }

    /// Another node is the primary: what was known is of another log.
    ///
    /// - Returns: The version of what was known.
    @discardableResult
    public mutating func primaryChanged() -> UInt64 {
        history.forget()
        visibility.primaryChanged()
        timeline = nil
        systemIdentifier = nil
        standbys.removeAll()
        version += 1
        return version
    }

    /// The standby answered. An answer older than the newest one is ignored.
    public mutating func standbySampled(_ node: NodeID, _ position: NodePosition) {
        var standby = standbys[node] ?? Standby()
        if let known = standby.position, known.askedAt > position.askedAt { return }
        version += 1
        let isSameRun = standby.obstacle == nil && standby.position?.startedAt == position.startedAt
        if !isSameRun {
            standby.availableSince = position.askedAt
            visibility.standbyLost(node)
        }
        if let view = position.view { visibility.standbyShowed(view, on: node) }
        standby.obstacle = nil
        standby.position = position
        standbys[node] = standby
    }

    /// The node cannot be looked at, or is no standby. What it had replayed may be gone when it comes back: a standby that
    /// crashed opens before it is as far again.
    public mutating func standbyLost(_ node: NodeID, _ obstacle: NodeStanding.Obstacle) {
        version += 1
        standbys[node, default: Standby()].obstacle = obstacle
        if obstacle != .unreachable { standbys[node]?.position = nil }
    }

    /// The end of the primary's log was asked for after the standby had answered, and yet lies before what it replayed.
    private mutating func noteDivergence(of node: NodeID, _ end: LSN, askedAt: Instant) {
        guard let position = standbys[node]?.position, position.timeline == timeline,
            position.systemIdentifier == systemIdentifier, position.answeredAt <= askedAt,
            let replayed = position.replayedLSN, replayed > end
        else { return }
        standbys[node]?.divergedIn = position.startedAt
    }

    // MARK: Answers

    /// Of the primary: what standbys are to be asked of.
    public var snapshot: Snapshot? { visibility.snapshot }

    public func position(of node: NodeID) -> NodePosition? { standbys[node]?.position }

    /// What the router needs to know of every standby.
    public var standings: Standings {
        Standings(
            version: version,
            standbys: standbys.map { node, standby in
                StandbyStanding(
                    node: node, standing: standing(of: node), availableSince: standby.availableSince,
                    lag: standby.position.map(estimatedLag) ?? .zero,
                    isReplayPaused: standby.position?.isReplayPaused ?? false,
                    replayed: standby.position?.replayedLSN, settled: visibility.settled(node))
            })
    }

    public func standing(of node: NodeID) -> NodeStanding {
        guard let standby = standbys[node] else { return .unusable(.unknown) }
        if let obstacle = standby.obstacle { return .unusable(obstacle) }
        guard let position = standby.position, let system = systemIdentifier else { return .unusable(.unknown) }
        guard position.systemIdentifier == system else { return .unusable(.otherSystem) }
        guard position.timeline == timeline else { return .unusable(.otherTimeline) }
        if standby.divergedIn == position.startedAt { return .unusable(.diverged) }
        guard let replayed = position.replayedLSN, let covered = history.lastMoment(covering: replayed) else {
            return .unusable(.tooFarBehind)
        }
        return .covered(covered)
    }

    /// The lag when the standby was last looked at; nil while it cannot be told: never looked at, of another system, on
    /// another timeline, nothing applied yet, or the primary not known as of then.
    public func lag(of node: NodeID) -> Lag? {
        guard let position = standbys[node]?.position, position.systemIdentifier == systemIdentifier,
            position.timeline == timeline, let replayed = position.replayedLSN,
            let end = history.end(asOf: position.askedAt)
        else { return nil }
        return Lag(
            replayBytes: end.bytes(since: replayed), receiveBytes: position.receivedLSN.map { end.bytes(since: $0) },
            age: age(of: replayed, behind: end, at: position.askedAt))
    }

    /// About how far behind. A node that follows closely lies between two samples at nearly every look, so that the age
    /// of what it covers, which errs by the time between them, tells nothing of when it will be there.
    private func estimatedLag(_ position: NodePosition) -> Duration {
        guard let replayed = position.replayedLSN, let end = history.end(asOf: position.askedAt), replayed < end else {
            return .zero
        }
        let moment = history.estimatedMoment(of: replayed) ?? history.beginning ?? position.askedAt
        return position.askedAt.elapsed(since: moment)
    }

    private func age(of replayed: LSN, behind end: LSN, at moment: Instant) -> Lag.Age {
        if replayed >= end { return .about(.zero) }
        if let covered = history.lastMoment(covering: replayed) { return .about(moment.elapsed(since: covered)) }
        return .moreThan(moment.elapsed(since: history.beginning ?? moment))
    }
}
