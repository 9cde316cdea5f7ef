public import WaldenCore

/// What is known of the positions of a cluster's nodes: the primary's over time, of each standby the newest.
///
/// Fed by whoever looks at the nodes, in any order; asked by the status views. Positions are only compared on the
/// primary's own timeline: on another one the same number names other log. It never judges whether a node is reachable.
public struct NodePositions: Hashable, Sendable {
    public private(set) var history: PositionHistory
    /// The primary's; nil before the first sample.
    public private(set) var timeline: TimelineID?
    private var standbys: [String: NodePosition] = [:]

    public init(history: PositionHistory = PositionHistory()) {
        self.history = history
    }

    public mutating func primarySampled(end: LSN, timeline: TimelineID, at now: Instant) {
        if self.timeline != timeline {
            history.forget()
            self.timeline = timeline
        }
        history.record(end, at: now)
    }

    /// The standby answered. An answer older than the newest one is ignored.
    public mutating func standbySampled(_ name: String, _ position: NodePosition) {
        if let known = standbys[name], known.sampledAt > position.sampledAt { return }
        standbys[name] = position
    }

    /// The standby is not watched any more, or has become something else.
    public mutating func standbyForgotten(_ name: String) {
        standbys[name] = nil
    }

    public func position(of standby: String) -> NodePosition? { standbys[standby] }

    /// The lag when the standby was last looked at; nil while it cannot be told: never looked at, on another timeline,
    /// nothing applied yet, or the primary not known as of then.
    public func lag(of standby: String) -> Lag? {
        guard let position = standbys[standby], position.timeline == timeline, let replayed = position.replayedLSN,
            let end = history.end(asOf: position.sampledAt)
        else { return nil }
        return Lag(
            replayBytes: end.bytes(since: replayed), receiveBytes: position.receivedLSN.map { end.bytes(since: $0) },
            age: age(of: replayed, behind: end, at: position.sampledAt))
    }

    private func age(of replayed: LSN, behind end: LSN, at moment: Instant) -> Lag.Age {
        if replayed >= end { return .about(.zero) }
        if let covered = history.lastMoment(covering: replayed) { return .about(moment.elapsed(since: covered)) }
        return .moreThan(moment.elapsed(since: history.beginning ?? moment))
    }
}
