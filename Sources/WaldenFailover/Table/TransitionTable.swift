import WaldenCore

/// Every decision of the sentinel, in the order in which it is considered: of the rows of a state the first that holds is
/// taken. Numbers are spaced and stay: logs and journals carry them, and `docs/internals/failover.md` is printed from here.
public enum TransitionTable {
    struct Row: Sendable {
        let number: Int
        let from: FailoverState
        let to: FailoverState
        let reason: String
        let holds: @Sendable (Situation) -> Bool
        /// What the machine notes as the row is taken.
        let change: @Sendable (inout FailoverMachine, Situation) -> Void
    }

    /// What stands for a row where a restart finds an incident that can still be undone.
    static let interruption = 1190

    /// What stands for a row where a record is written for the sake of its rules alone: no state is left or entered.
    public static let newRules = 215

    static func rows(from state: FailoverState) -> [Row] { byState[state] ?? [] }

    private static let byState = Dictionary(grouping: rows, by: \.from)

    private static func row(
        _ number: Int, _ from: FailoverState, _ to: FailoverState, _ reason: String,
        when holds: @escaping @Sendable (Situation) -> Bool,
        then change: @escaping @Sendable (inout FailoverMachine, Situation) -> Void = { _, _ in }
    ) -> Row {
        Row(number: number, from: from, to: to, reason: reason, holds: holds, change: change)
    }

    /// The old primary, which lives, has got another rule meanwhile, and nothing is proven by it.
    private static func disproved(
        _ number: Int, _ from: FailoverState, when holds: @escaping @Sendable (Situation) -> Bool
    ) -> Row {
        row(
            number, from, .aborting, "the rule for commits has changed, and nothing is proven by it", when: holds,
            then: { machine, _ in
                machine.refuse(
                    """
                    synchronous_standby_names was changed on the old primary meanwhile; by what it is now it cannot be proven \
                    that no acknowledged commit is lost
                    """)
            })
    }

    static let rows: [Row] = starting + watching + suspecting + holding + severing + deciding + opening + standing

    // MARK: Which node is the primary

    private static let starting: [Row] = [
        row(100, .discover, .needsHuman, "nodes of different clusters are configured as one") { $0.hasStrangers },
        row(110, .discover, .needsHuman, "two nodes are out of recovery, and no journal says which is right") {
            $0.hasTwoWriters && $0.machine.term == .first
        },
        row(
            120, .discover, .steady, "the primary is found",
            when: {
                $0.onlyWriter != nil && $0.onlyWriter == $0.machine.evidence.primary
                    && ($0.everybodyAnswers || $0.hasLasted($0.machine.timings.silence))
            }),
        row(
            130, .discover, .steady, "another node than the configured one is the primary",
            when: { $0.onlyWriter != nil && $0.machine.term == .first && $0.hasLasted($0.machine.timings.freshness) },
            then: { machine, situation in if let node = situation.onlyWriter { machine.discovered(node) } }),
        row(
            140, .discover, .steady, "the primary of the newest term answers beside one that it replaced",
            when: { $0.hasTwoWriters && $0.primaryLeads }),
        row(150, .discover, .suspect, "the primary that the journal names does not answer") {
            $0.journalIsFresh && $0.hasLasted($0.machine.timings.silence) && $0.primaryIsDoubtful
        },
        row(190, .discover, .needsHuman, "no primary was found") { $0.hasLasted($0.machine.timings.discovery) },
    ]

    // MARK: All is well

    private static let watching: [Row] = [
        row(
            200, .steady, .maintenance, "ordered to stay out",
            when: { $0.machine.request == .pause }, then: { machine, _ in machine.takeRequest() }),
        row(
            210, .steady, .hold, "a switchover is ordered",
            when: { $0.isSwitchoverOrdered && $0.switchoverObstacle == nil },
            then: { machine, situation in machine.begin(.switchover(to: situation.orderedNode)) }),
        row(220, .steady, .suspect, "the primary does not answer as it should") { $0.primaryIsDoubtful },
        row(
            290, .maintenance, .steady, "ordered back", when: { $0.machine.request == .resume },
            then: { machine, _ in machine.takeRequest() }),
    ]

    // MARK: What has happened?

    private static let suspecting: [Row] = [
        row(300, .suspect, .steady, "the primary answers again") { !$0.primaryIsDoubtful },
        row(
            310, .suspect, .hold, "what is found is proof enough", when: { $0.failoverIsDue },
            then: { machine, situation in machine.begin(.found(situation.finding)) }),
        row(
            320, .suspect, .hold, "ordered, whatever it costs", when: { $0.machine.request == .force },
            then: { machine, _ in machine.begin(.forced) }),
        row(
            330, .suspect, .maintenance, "ordered to stay out",
            when: { $0.machine.request == .pause }, then: { machine, _ in machine.takeRequest() }),
        row(340, .suspect, .needsHuman, "a failover is called for and would fail") { $0.failoverIsImpossible },
    ]

    // MARK: The proxies hold

    private static let holding: [Row] = [
        row(
            400, .hold, .aborting, "the primary came back before anything was severed",
            when: { !$0.isSwitchover && !$0.isForced && !$0.primaryIsDoubtful },
            then: { machine, _ in machine.refuse("the primary answers again") }),
        disproved(405, .hold) { $0.isRuleLost },
        row(
            410, .hold, .sever, "work is held", when: { !$0.isSwitchover && $0.isHeld },
            then: { machine, _ in machine.detachStandbys() }),
        row(
            420, .hold, .sever, "nothing is under way, and the standby has it all",
            when: { $0.isSwitchover && $0.isDrained }, then: { machine, _ in machine.detachStandbys() }),
        row(
            425, .hold, .hold, "the primary is gone before all was drained: a failover from here",
            when: { $0.isSwitchover && $0.failoverIsDue },
            then: { machine, situation in machine.begin(.found(situation.finding)) }),
        row(
            430, .hold, .aborting, "the work under way did not end in time",
            when: { $0.isSwitchover && $0.hasLasted($0.machine.timings.switchover) },
            then: { machine, _ in machine.refuse("statements were under way for longer than the switchover waits") }),
    ]

    // MARK: Nothing is acknowledged any more

    private static let severing: [Row] = [
        row(500, .sever, .census, "severed, and nobody else can be") { $0.isSevered && !$0.mayMoreBeSevered },
        disproved(505, .sever) { $0.isRuleLost },
        row(
            510, .sever, .aborting, "too few standbys could be severed for a proof",
            when: { $0.hasLasted($0.machine.timings.sever) },
            then: { machine, _ in
                machine.refuse("too few standbys could be severed: acknowledged commits might be lost")
            }
        ),
    ]

    // MARK: Who, and is it safe?

    private static let deciding: [Row] = [
        row(
            600, .census, .fence, "a standby holds every acknowledged commit",
            when: { !$0.isProofLost && $0.election.winner != nil },
            then: { machine, situation in if let winner = situation.election.winner { machine.choose(winner) } }),
        disproved(605, .census) { $0.isProofLost },
        row(
            610, .census, .aborting, "no standby may be promoted",
            when: { $0.hasLasted($0.machine.timings.census) },
            then: { machine, situation in
                let refusals = situation.election.refusals.sorted { $0.key < $1.key }
                let reasons = refusals.map { "\(machine.evidence.name(of: $0.key)): \($0.value)" }
                machine.refuse("no standby may be promoted. " + reasons.joined(separator: "; "))
            }),
        row(
            700, .fence, .aborting, "the fence refused", when: { $0.fenceVeto != nil },
            then: { machine, situation in machine.refuse("the fence hook refused: \(situation.fenceVeto ?? "")") }),
        disproved(705, .fence) { $0.isProofLost },
        row(710, .fence, .promote, "the old primary is fenced") { $0.isFenced },
        row(720, .fence, .promote, "the fence hook did not answer; the severed standbys are fence enough") {
            $0.isFencedWithoutHook
        },
        row(
            790, .fence, .aborting, "the old primary could not be fenced",
            when: { $0.hasLasted($0.machine.timings.fence + .seconds(1)) },
            then: { machine, _ in machine.refuse("the fence hook did not answer, and nothing else is proof") }),
        row(
            800, .promote, .opening, "the candidate writes", when: { $0.isPromoted },
            then: { machine, situation in machine.succeed(at: situation.now) }),
    ]

    // MARK: Traffic

    private static let opening: [Row] = [
        row(900, .opening, .open, "a quorum acknowledges, and all is prepared") { $0.isPrepared && $0.quorumStands },
        row(910, .opening, .open, "prepared; no quorum yet: reads go on, commits wait for it") {
            $0.isPrepared && $0.hasLasted($0.machine.timings.opening)
        },
        row(
            1000, .open, .steady, "held work was let go", when: { $0.machine.book.isDone(.release) },
            then: { machine, _ in machine.end() }),
    ]

    // MARK: Given up, and orders

    private static let standing: [Row] = [
        row(
            1100, .aborting, .steady, "undone; the primary works", when: { $0.isReattached && !$0.primaryIsDoubtful },
            then: { machine, _ in machine.end() }),
        row(
            1105, .aborting, .suspect, "undone after a restart; the primary is looked at anew",
            when: { $0.isReattached && $0.isInterrupted && $0.journalIsFresh }, then: { machine, _ in machine.end() }),
        row(
            1110, .aborting, .needsHuman, "undone as far as nodes answer",
            when: { $0.isReattached || $0.hasLasted($0.machine.timings.abort) }),
        row(
            1200, .needsHuman, .steady, "the primary works",
            when: { !$0.primaryIsDoubtful && !$0.hasStrangers && $0.primaryLeads },
            then: { machine, _ in machine.end() }),
        row(
            1210, .needsHuman, .hold, "ordered, whatever it costs", when: { $0.machine.request == .force },
            then: { machine, _ in machine.begin(.forced) }),
        row(
            1220, .needsHuman, .suspect, "what was missing is there now",
            when: { $0.isWorthAnotherTry }, then: { machine, _ in machine.end() }),
        row(
            1230, .needsHuman, .maintenance, "ordered to stay out",
            when: { $0.machine.request == .pause }, then: { machine, _ in machine.takeRequest() }),
    ]
}
