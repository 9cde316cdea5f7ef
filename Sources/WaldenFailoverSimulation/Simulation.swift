import WaldenCore
import WaldenFailover

/// One run: the real sentinel against simulated nodes, network and disk, by a seed.
public struct Simulation {
    /// How one run ended.
    public struct Outcome: Sendable {
        public let seed: UInt64
        public let kind: String
        public let violations: [String]
        public let failovers: Int
        public let switchovers: Int
        public let acknowledged: Int
        /// What happened, for people: rows and faults in their order. Only kept when asked for.
        public let story: [String]
    }

    static let healAfter = Duration.seconds(10)
    static let length = Duration.seconds(45)

    let seed: UInt64
    var dice: Dice
    var agenda = Agenda()
    var network = Network()
    var nodes: [SimulatedNode]
    var proxy: SimulatedProxy
    var ledger = Ledger()
    let story: Story
    private(set) var now: Instant
    let plan: FaultPlan
    let policy: FailoverPolicy
    let timings: FailoverTimings

    /// Nil while the sentinel is dead.
    var machine: FailoverMachine?
    var life = 0
    /// The sentinel's disk.
    var journal: JournalRecord?
    /// Replaced primaries, each with the rules by which that was proven to lose nothing.
    var replacedUnder: [NodeID: SynchronousRules] = [:]
    /// Since when the sentinel goes by other rules than those in the journal.
    var rulesUnrecordedSince: Instant?
    var diedAt: Instant?
    var failedOverAt: Instant?
    /// The sentinel's session at the primary: to whom.
    var session: NodeID?

    /// Standbys whose log somebody has made leave the primary's: they are for people.
    var estranged: Set<NodeID> = []
    /// Primaries that somebody has told to wait for nobody.
    var withoutRule: Set<NodeID> = []
    var isJournalStalled = false
    var stalledRecords: [(record: JournalRecord, life: Int)] = []
    /// Records that are on their way to the disk.
    var recordsUnderWay = 0

    var writes: UInt64 = 0
    var marks: UInt64 = 0
    var lastAcknowledgement = Instant.distantPast

    public init(seed: UInt64, tellsStory: Bool = false) {
        self.seed = seed
        story = Story(isKept: tellsStory)
        now = agenda.now
        var dice = Dice(seed: seed)
        let names = Array(["a", "b", "c", "d", "e"].prefix(dice.happens(60) ? 3 : 5))
        nodes = names.indices.map { index in
            SimulatedNode(id: NodeID(index), name: names[index], upstream: index == 0 ? nil : NodeID(0))
        }
        // Some rules leave a standby out, and some clusters have none.
        let members = names[1..<(names.count > 3 && dice.happens(40) ? names.count - 1 : names.count)]
        let required = Int.random(in: 1...(members.count - (dice.happens(30) ? 0 : 1)), using: &dice)
        let method = dice.happens(80) ? "ANY" : "FIRST"
        nodes[0].synchronousNames = "\(method) \(required) (\(members.joined(separator: ", ")))"
        var policy = FailoverPolicy()
        policy.hasAgent = dice.happens(70)
        policy.hasFenceHook = dice.happens(20)
        var timings = FailoverTimings()
        timings.cooldown = dice.happens(50) ? .seconds(3) : .seconds(600)
        self.timings = timings
        let kind = FaultPlan.Kind.allCases.randomElement(using: &dice) ?? .mixed
        var plan = FaultPlan(kind: kind, nodes: nodes.map(\.id), dice: &dice)
        // By dice of their own, and not in the runs of `SimulationTests`: what those seeds were they still are.
        var others = Dice(seed: ~seed &- 2)
        if others.happens(15) {
            plan.changeRules(of: nodes.map(\.id), dice: &others)
            policy.mayLoseUnacknowledged = false
            policy.hasFenceHook = others.happens(60)
        }
        self.plan = plan
        self.policy = policy
        proxy = SimulatedProxy(resuming: nil)
        self.dice = dice
    }

    /// Runs to the end and judges.
    public mutating func run() -> Outcome {
        let end = agenda.now + Self.length
        agenda.add(.sentinelStarts, in: .zero)
        agenda.add(.clientDue, in: .milliseconds(500))
        for node in nodes where node.isStandby { agenda.add(.receiverDue(node.id), in: .milliseconds(10)) }
        agenda.add(.receiverDue(nodes[0].id), in: .milliseconds(10))
        // The sentinel has had the time to find its primary.
        for (after, fault) in plan.faults { agenda.add(.fault(fault), in: .seconds(3) + after) }
        agenda.add(.fault(.healAll), in: .seconds(3) + Self.healAfter)
        while let event = agenda.next(before: end) {
            now = agenda.now
            happen(event)
            judgeMoment()
        }
        judgeEnd()
        return Outcome(
            seed: seed, kind: plan.kind.rawValue + (plan.changesRules ? ", rules" : ""), violations: ledger.violations,
            failovers: ledger.failovers,
            switchovers: ledger.switchovers, acknowledged: ledger.acknowledged.count, story: story.lines)
    }

    func index(of node: NodeID) -> Int { min(max(node.index, 0), nodes.count - 1) }

    func tell(_ line: @autoclosure () -> String) { story.tell(line, at: now) }

    private mutating func happen(_ event: Event) {
        switch event {
        case .probesDue(let life): if life == self.life { probe() }
        case .heartbeatDue(let kind, let life): if life == self.life { beat(kind) }
        case .tickDue(let life): if life == self.life { tick() }
        case .arrived(let message, let node): arrived(message, at: node)
        case .told(let fact, let life): if life == self.life { machine?.observe(fact, at: now) }
        case .answered(let id, let outcome, let life): if life == self.life { answered(id, outcome) }
        case .recordWritten(let record, let life): written(record, life: life)
        case .logArrived(let node, let from, let connection): logArrived(at: node, from: from, connection)
        case .flushed(let end, let standby, let node): flushed(end, by: standby, at: node)
        case .receiverDue(let node): tendReceiver(of: node)
        case .promotionDue(let node, let run): promoted(node, run: run)
        case .clientDue: clientWrites()
        case .fault(let fault): strike(fault)
        case .startDue(let node): start(node)
        case .sentinelStarts: startSentinel()
        }
    }
}

/// What happened, for people.
final class Story {
    private let isKept: Bool
    private(set) var lines: [String] = []

    init(isKept: Bool) {
        self.isKept = isKept
    }

    func tell(_ line: () -> String, at now: Instant) {
        guard isKept else { return }
        lines.append("\((now.nanoseconds - 1_000_000_000) / 1_000_000) ms  \(line())")
    }
}
