public import WaldenCore

/// Who is to be promoted among the severed, and why the others are not.
///
/// On one timeline logs are prefixes of one another, so the furthest position holds most. Whoever is promoted must be at
/// least as far as every severed member of the quorum: one of those holds the newest acknowledged commit. A standby whose
/// log is on another timeline holds nothing that can be compared; it is never chosen.
public struct Election: Hashable, Sendable {
    public struct Voter: Hashable, Sendable {
        public var node: NodeID
        public var position: Incident.Position
        /// Higher goes first; 0 is never promoted.
        public var priority: Int
        public var freeSlots: Int
        public var isReplayPaused: Bool

        public init(
            node: NodeID, position: Incident.Position, priority: Int = 100, freeSlots: Int = 1,
            isReplayPaused: Bool = false
        ) {
            self.node = node
            self.position = position
            self.priority = priority
            self.freeSlots = freeSlots
            self.isReplayPaused = isReplayPaused
        }
    }

    public let winner: NodeID?
    /// Each node that was not chosen, with its reason.
    public let refusals: [NodeID: String]

    /// - Parameters:
    ///   - voters: Those severed.
    ///   - timeline: The old primary's; nil when nobody knows it: then the highest.
    ///   - required: Severed members whose positions bound what was acknowledged; nil: nothing is known to be
    ///     acknowledged, so anybody may be chosen.
    ///   - wish: Only this one.
    ///   - needsSlot: Whether it must have room for a replication slot.
    public init(
        among voters: [Voter], on timeline: TimelineID?, notBehind required: Set<NodeID>?, wish: NodeID? = nil,
        needsSlot: Bool
    ) {
        let timeline = timeline ?? voters.map(\.position.timeline).max()
        let floor = voters.filter { required?.contains($0.node) ?? false && $0.position.timeline == timeline }
            .map(\.position.received).max()
        var refusals: [NodeID: String] = [:]
        let eligible = voters.filter { voter in
            let refusal = Self.refusal(of: voter, timeline, floor, wish, needsSlot)
            refusals[voter.node] = refusal
            return refusal == nil
        }
        winner = eligible.max { Self.isLess($0, $1) }?.node
        for voter in eligible where voter.node != winner { refusals[voter.node] = "another one is further, or first" }
        self.refusals = refusals
    }

    private static func refusal(
        of voter: Voter, _ timeline: TimelineID?, _ floor: LSN?, _ wish: NodeID?, _ needsSlot: Bool
    ) -> String? {
        if voter.position.timeline != timeline {
            return "its log is on timeline \(voter.position.timeline), not \(timeline?.description ?? "that") of the "
                + "old primary"
        }
        if let floor, voter.position.received < floor {
            return "it has received \(voter.position.received), and another severed standby \(floor): commits in "
                + "between may be acknowledged"
        }
        if let wish, wish != voter.node { return "another one is wished for" }
        if voter.priority == 0 { return "its priority is 0" }
        if needsSlot, voter.freeSlots < 1 {
            return "it has no free replication slot for the stream: raise its max_replication_slots"
        }
        if voter.isReplayPaused { return "its replay is paused: call pg_wal_replay_resume()" }
        return nil
    }

    /// By what it received, then priority, then what is left to apply, then its place in the configuration.
    private static func isLess(_ left: Voter, _ right: Voter) -> Bool {
        if left.position.received != right.position.received {
            return left.position.received < right.position.received
        }
        if left.priority != right.priority { return left.priority < right.priority }
        if left.position.replayed != right.position.replayed {
            return left.position.replayed < right.position.replayed
        }
        return left.node > right.node
    }
}
