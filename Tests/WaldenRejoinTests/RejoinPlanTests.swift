import Testing
import WaldenRejoin

/// What is done next, by what is found. Risk: a directory that is neither node's is started, or the only copy removed.
@Suite struct RejoinPlanTests {
    private static let crashed = ControlData(
        systemIdentifier: "7", timeline: 1, state: ClusterState("in production"), logsAllChanges: true)
    private static let source = RejoinFacts.Source(
        systemIdentifier: "7", timeline: 2, isStandby: false, checkpointTimeline: 2, bytes: 1 << 30)

    private static func facts(
        _ stage: RejoinStage, _ change: (inout RejoinFacts) -> Void = { _ in }
    ) -> RejoinFacts {
        var facts = RejoinFacts(stage: stage, data: .cluster(crashed))
        facts.source = source
        facts.freeBytes = 10 << 30
        change(&facts)
        return facts
    }

    private static func here(
        timeline: UInt64 = 1, _ state: String = "in production", identifier: String = "7", logsAllChanges: Bool = true
    ) -> RejoinFacts.Data {
        .cluster(
            ControlData(
                systemIdentifier: identifier, timeline: timeline, state: ClusterState(state),
                logsAllChanges: logsAllChanges))
    }

    private static let steps: [(String, RejoinFacts, RejoinStep)] = [
        ("it runs", facts(.begun) { $0.isRunning = true }, .stop),
        ("it is stopped", facts(.begun), .save),
        (
            "a rejoin before was given up half-way",
            facts(.begun) { ($0.isForeign, $0.isSaved) = (true, true) },
            .giveUpRewinding("an earlier rejoin was not brought to its end")
        ),
        (
            "half-way between two renames",
            facts(.begun) { ($0.isForeign, $0.isSaved, $0.data) = (true, true, .absent) },
            .giveUpRewinding("an earlier rejoin was not brought to its end")
        ),
        ("somebody starts it", facts(.saved) { $0.isRunning = true }, .stop),
        ("it can be rewound", facts(.saved), .rewind),
        (
            "a standby of this timeline", facts(.saved) { $0.data = here(timeline: 2, "shut down in recovery") },
            .keepData
        ),
        (
            "a standby of the one before", facts(.saved) { $0.data = here(timeline: 1, "shut down in recovery") },
            .rewind
        ),
        ("killed primary of this timeline", facts(.saved) { $0.data = here(timeline: 2) }, .rewind),
        (
            "hint bits are not logged", facts(.saved) { $0.data = here(logsAllChanges: false) },
            .giveUpRewinding("neither data checksums nor wal_log_hints are on here, so what changed cannot be found")
        ),
        ("pg_rewind did not end", facts(.rewinding), .giveUpRewinding("pg_rewind was interrupted")),
        ("rewound", facts(.rewound), .configure),
        ("rewound and started by somebody", facts(.rewound) { $0.isRunning = true }, .stop),
        ("to be copied", facts(.recloning), .copy),
        ("nothing is there", facts(.recloning) { $0.data = .absent }, .copy),
        ("half a copy", facts(.recloning) { $0.hasCopy = true }, .removeCopy),
        ("copied", facts(.copied) { $0.hasCopy = true }, .setAside),
        ("copied, it runs", facts(.copied) { ($0.hasCopy, $0.isRunning) = (true, true) }, .stop),
        ("set aside", facts(.copied) { ($0.hasCopy, $0.hasOld, $0.data) = (true, true, .absent) }, .moveIn),
        (
            "a copy before did not stream", facts(.copied) { ($0.hasCopy, $0.hasOld) = (true, true) }, .removeData
        ),
        (
            "half of that is removed",
            facts(.copied) { ($0.hasCopy, $0.hasOld, $0.data) = (true, true, .unreadable) }, .removeData
        ),
        ("moved in", facts(.copied) { $0.hasOld = true }, .configure),
        ("configured", facts(.configured), .start),
        ("started", facts(.configured) { $0.isRunning = true }, .awaitStream),
        ("it streams", facts(.streaming) { ($0.isRunning, $0.hasOld) = (true, true) }, .removeOld),
        ("a copy is left over", facts(.streaming) { $0.hasCopy = true }, .removeCopy),
        ("all is done", facts(.streaming) { $0.isRunning = true }, .finish),
        ("done", facts(.done), .finish),
    ]

    @Test(arguments: steps) func theNextStep(_ situation: String, _ facts: RejoinFacts, _ step: RejoinStep) {
        #expect(RejoinPlan.next(facts) == step, "\(situation)")
    }

    private static let refusals: [(String, RejoinFacts)] = [
        ("no data directory", facts(.begun) { $0.data = .absent }),
        ("no cluster", facts(.begun) { $0.data = .unreadable }),
        ("saved", facts(.begun) { $0.isForeign = true }),
        ("another cluster", facts(.saved) { $0.data = here(identifier: "8") }),
        ("another cluster", facts(.recloning) { $0.data = here(identifier: "8") }),
        ("standby", facts(.saved) { $0.source?.isStandby = true }),
        ("CHECKPOINT", facts(.saved) { $0.source?.checkpointTimeline = 1 }),
        ("no route", facts(.saved) { ($0.source, $0.sourceProblem) = (nil, "no route") }),
        ("does not answer", facts(.recloning) { $0.source = nil }),
        ("tablespaces", facts(.recloning) { $0.copyObstacle = "it has tablespaces" }),
        ("are free", facts(.recloning) { $0.freeBytes = 1 << 30 }),
        ("are free", facts(.recloning) { $0.source?.bytes = .max }),
        ("the copy is gone", facts(.copied) { $0.data = .absent }),
    ]

    @Test(arguments: refusals) func refusalsSayWhy(_ word: String, _ facts: RejoinFacts) {
        guard case .fail(let reason) = RejoinPlan.next(facts) else {
            Issue.record("\(RejoinPlan.next(facts)), not a refusal for \(word)")
            return
        }
        #expect(reason.contains(word))
    }

    /// Whatever the disk says: nothing is copied beside a running server, and what was set aside goes only once it streams.
    @Test func inEverySituationTheOldDataIsKeptUntilItStreams() {
        for stage in RejoinStage.allCases {
            for bits in 0..<64 {
                let facts = Self.facts(stage) { facts in
                    facts.isRunning = bits & 1 != 0
                    facts.isForeign = bits & 2 != 0
                    facts.isSaved = bits & 4 != 0
                    facts.hasCopy = bits & 8 != 0
                    facts.hasOld = bits & 16 != 0
                    if bits & 32 != 0 { facts.data = .absent }
                }
                let step = RejoinPlan.next(facts)
                if step == .removeOld { #expect(stage == .streaming, "\(facts)") }
                if step == .removeData { #expect(facts.hasOld && facts.hasCopy && stage == .copied, "\(facts)") }
                if facts.isRunning, stage != .configured, stage != .streaming {
                    let isWriting: Bool =
                        switch step {
                        case .rewind, .copy, .setAside, .removeData, .moveIn, .configure, .save: true
                        default: false
                        }
                    #expect(!isWriting, "\(facts): \(step)")
                }
            }
        }
    }
}
