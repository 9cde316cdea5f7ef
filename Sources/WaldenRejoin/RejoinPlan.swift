// How an old primary becomes a standby of the new one. The plan names the next step from what the journal and the disk say;
// the agent takes it and looks again. So a step that was interrupted anywhere, by an error or by the agent's own end, needs
// no repair of its own: what it left behind is a situation as any other.
//
// The data directory has up to two neighbours: DATA.walden-new, a copy of the primary under way, and DATA.walden-old, what
// the copy replaced, which is kept until the standby streams.

/// How far a rejoin is. Journalled, so what has a stage has happened.
public enum RejoinStage: String, Hashable, Sendable, Codable, CaseIterable {
    case begun
    /// The node's own files are saved.
    case saved
    /// `pg_rewind` was begun: from here the directory is neither the old nor the new one.
    case rewinding
    case rewound
    /// Rewinding is impossible or has failed.
    case recloning
    /// The copy is complete.
    case copied
    /// The directory is a standby's with the node's own files.
    case configured
    case streaming
    case done
}

/// What is found before each step.
public struct RejoinFacts: Hashable, Sendable {
    public enum Data: Hashable, Sendable {
        case absent
        /// Something is there, and no control file can be read.
        case unreadable
        case cluster(ControlData)
    }

    public struct Source: Hashable, Sendable {
        public var systemIdentifier: String
        public var timeline: UInt64
        public var isStandby: Bool
        /// Of its last checkpoint: `pg_rewind` reads no other.
        public var checkpointTimeline: UInt64
        /// Of what a copy takes.
        public var bytes: UInt64

        public init(
            systemIdentifier: String, timeline: UInt64, isStandby: Bool, checkpointTimeline: UInt64, bytes: UInt64
        ) {
            self.systemIdentifier = systemIdentifier
            self.timeline = timeline
            self.isStandby = isStandby
            self.checkpointTimeline = checkpointTimeline
            self.bytes = bytes
        }
    }

    public var stage: RejoinStage
    public var isRunning = false
    public var data: Data
    /// Whether files in the data directory may be another node's: a rewind or a copy was not brought to its end.
    public var isForeign = false
    public var isSaved = false
    public var hasCopy = false
    public var hasOld = false
    /// Nil: it was not asked, or did not answer.
    public var source: Source?
    public var sourceProblem: String?
    /// What a copy beside the data directory cannot do for this node; nil when nothing is in its way.
    public var copyObstacle: String?
    public var freeBytes: UInt64 = 0

    public init(stage: RejoinStage, data: Data) {
        self.stage = stage
        self.data = data
    }
}

public enum RejoinStep: Hashable, Sendable {
    case stop
    /// Then `saved`.
    case save
    /// `rewinding`; then `rewound`, or `recloning` when it fails.
    case rewind
    /// Nothing to undo: `rewound`.
    case keepData
    /// Goes to `recloning`, for a reason.
    case giveUpRewinding(String)
    case removeCopy
    /// Then `copied`.
    case copy
    /// The data directory becomes DATA.walden-old.
    case setAside
    /// The data directory goes: what it replaced is set aside already.
    case removeData
    /// The copy becomes the data directory.
    case moveIn
    /// Then `configured`.
    case configure
    case start
    /// Then `streaming`.
    case awaitStream
    case removeOld
    /// `done`.
    case finish
    case fail(String)
}

public enum RejoinPlan {
    public static func next(_ facts: RejoinFacts) -> RejoinStep {
        switch facts.stage {
        case .begun: begun(facts)
        case .saved: facts.isRunning ? .stop : rewind(facts)
        case .rewinding: .giveUpRewinding("pg_rewind was interrupted")
        case .rewound: facts.isRunning ? .stop : .configure
        case .recloning: reclone(facts)
        case .copied: swap(facts)
        case .configured: facts.isRunning ? .awaitStream : .start
        case .streaming: facts.hasOld ? .removeOld : facts.hasCopy ? .removeCopy : .finish
        case .done: .finish
        }
    }

    private static func begun(_ facts: RejoinFacts) -> RejoinStep {
        if facts.isRunning { return .stop }
        // Its own files were saved by the rejoin that did not end; those that lie there now are not its own.
        if facts.isForeign {
            return facts.isSaved
                ? .giveUpRewinding("an earlier rejoin was not brought to its end")
                : .fail("an earlier rejoin was not brought to its end, and what it saved of the node's files is gone")
        }
        switch facts.data {
        case .absent: return .fail("there is no data directory")
        case .unreadable: return .fail("the data directory holds no cluster whose control file can be read")
        case .cluster: return .save
        }
    }

    private static func rewind(_ facts: RejoinFacts) -> RejoinStep {
        guard case .cluster(let here) = facts.data else {
            return .fail("the data directory holds no cluster whose control file can be read")
        }
        if let reason = refusal(facts) { return .fail(reason) }
        guard let source = facts.source else { return .fail("the source does not answer") }
        guard here.systemIdentifier == source.systemIdentifier else {
            return .fail(
                "this is another cluster than the source's: system identifier \(here.systemIdentifier), there "
                    + source.systemIdentifier)
        }
        // Its log is the source's: rewinding would first end its recovery, and so make it another's.
        if here.state.isStandby, here.timeline == source.timeline { return .keepData }
        guard here.logsAllChanges else {
            return .giveUpRewinding(
                "neither data checksums nor wal_log_hints are on here, so what changed cannot be found")
        }
        return .rewind
    }

    private static func reclone(_ facts: RejoinFacts) -> RejoinStep {
        if facts.isRunning { return .stop }
        if facts.hasCopy { return .removeCopy }
        if let reason = refusal(facts) { return .fail(reason) }
        guard let source = facts.source else { return .fail("the source does not answer") }
        if case .cluster(let here) = facts.data, here.systemIdentifier != source.systemIdentifier {
            return .fail("this is another cluster than the source's: system identifier \(here.systemIdentifier)")
        }
        if let obstacle = facts.copyObstacle { return .fail("a copy cannot take the place of this node: \(obstacle)") }
        let needed = bytesNeeded(for: source.bytes)
        guard facts.freeBytes >= needed else {
            return .fail(
                "a copy needs \(needed >> 20) MB beside the data directory, where \(facts.freeBytes >> 20) are free")
        }
        return .copy
    }

    /// An eighth more than the source's databases, and room for the log that is written meanwhile.
    static func bytesNeeded(for databases: UInt64) -> UInt64 {
        let (sum, overflow) = databases.addingReportingOverflow(databases / 8 + (256 << 20))
        return overflow ? .max : sum
    }

    private static func refusal(_ facts: RejoinFacts) -> String? {
        guard let source = facts.source else {
            return "the source does not answer" + (facts.sourceProblem.map { ": \($0)" } ?? "")
        }
        if source.isStandby { return "the source is a standby itself" }
        if source.checkpointTimeline != source.timeline {
            return "the source has made no checkpoint since its promotion: run CHECKPOINT there"
        }
        return nil
    }

    private static func swap(_ facts: RejoinFacts) -> RejoinStep {
        if facts.isRunning { return .stop }
        switch (facts.hasCopy, facts.data) {
        case (true, .absent): return .moveIn
        // What is set aside is what the node was; what stands in its place came from a rejoin that failed.
        case (true, _): return facts.hasOld ? .removeData : .setAside
        case (false, .cluster): return .configure
        case (false, _): return .fail("the copy is gone")
        }
    }
}
