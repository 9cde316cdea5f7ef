import WaldenCore

/// Where each of the timelines that led to the primary's was left: what PostgreSQL's history files say
/// (`access/transam/timeline.c`), as far as the sentinel has seen it happen.
public struct TimelineHistory: Hashable, Sendable, Codable {
    private struct Fork: Hashable, Sendable, Codable {
        let timeline: TimelineID
        let end: LSN
    }

    /// Oldest first.
    private var forks: [Fork] = []
    /// Failovers remembered; a node that was away for more of them is not judged.
    static let capacity = 64

    public init() {}

    /// The primary went on from there on another timeline.
    mutating func left(_ timeline: TimelineID, at end: LSN) {
        forks.removeAll { $0.timeline == timeline }
        if forks.count == Self.capacity { forks.removeFirst() }
        forks.append(Fork(timeline: timeline, end: end))
    }

    /// Whether log of that timeline up to there is, in part, no log of the primary's.
    func excludes(_ timeline: TimelineID, upTo position: LSN) -> Bool {
        forks.contains { $0.timeline == timeline && position > $0.end }
    }
}
