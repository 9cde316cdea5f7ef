import Logging
import Synchronization
import WaldenCore
import WaldenFailover
import WaldenPostgres

/// What the sentinel's thread does.
final class SentinelLoop: Sendable {
    /// Handed to the sentinel's thread at its start.
    private struct Files {
        let journal: Journal
        let incidents: IncidentLog
    }

    /// What carries out the machine's actions, besides the hands.
    private struct Desk {
        let files: Files
        let delegate: any SentinelDelegate
    }

    let events: EventQueue
    let board: SentinelBoard
    let names: [NodeID: String]
    private let configuration: SentinelConfiguration
    private let logger: Logger
    private let lookPace: Pace
    private let watches: [NodeWatch]
    private let hands: [NodeID: NodeHand]
    private let isStopped = Atomic<Bool>(false)
    /// As it was found.
    let recorded: JournalRecord?
    private let files: Mutex<Files?>

    private static let calmTick = Duration.milliseconds(50)
    private static let urgentTick = Duration.milliseconds(20)
    private static let aliveInterval = Duration.seconds(1)

    init(_ configuration: SentinelConfiguration, _ logger: Logger) throws {
        try Self.check(configuration)
        self.configuration = configuration
        self.logger = logger
        let events = try EventQueue()
        let lookPace = Pace(.urgent, configuration.lookInterval)
        self.events = events
        self.lookPace = lookPace
        watches = try configuration.nodes.map { try NodeWatch($0, configuration, lookPace, events) }
        hands = Dictionary(
            uniqueKeysWithValues: try configuration.nodes.map { ($0.id, try NodeHand($0, configuration, events)) })
        names = Dictionary(uniqueKeysWithValues: configuration.nodes.map { ($0.id, $0.name) })
        let journal = try Journal(in: configuration.directory)
        recorded = journal.newest
        let incidents = try IncidentLog(in: configuration.directory)
        let machine = Self.startedMachine(configuration, journal)
        incidents.started(with: machine.incident)
        board = SentinelBoard(machine, incidents.history, at: MonotonicClock.now())
        files = Mutex(Files(journal: journal, incidents: incidents))
    }

    private static func check(_ configuration: SentinelConfiguration) throws(SentinelError) {
        let nodes = configuration.nodes
        guard nodes.contains(where: { $0.id == .configuredPrimary }), Set(nodes.map(\.id)).count == nodes.count,
            Set(nodes.map(\.name)).count == nodes.count
        else { throw SentinelError("nodes need a primary, and each an identity and a name of its own") }
        for node in nodes where node.upstream.contains("://") {
            throw SentinelError("how others reach \(node.name) must be given as keyword=value pairs, not as a URI")
        }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        events.interrupt()
    }

    func run(_ delegate: any SentinelDelegate) {
        guard
            let files = files.withLock({ files -> Files? in
                defer { files = nil }
                return files
            })
        else { return }
        var threads: [OwnedThread] = []
        do throws(PostgresError) {
            for watch in watches { threads.append(try watch.start()) }
            for hand in hands.values { threads.append(try hand.start()) }
            var pulse = PrimaryPulse()
            defer { pulse.stop() }
            try serve(Desk(files: files, delegate: delegate), &pulse)
        } catch {
            logger.error("the sentinel cannot go on", metadata: ["error": "\(error)"])
        }
        for watch in watches { watch.lookout.stop() }
        for hand in hands.values { hand.stop() }
        for thread in threads { thread.join() }
    }

    private func serve(_ desk: Desk, _ pulse: inout PrimaryPulse) throws(PostgresError) {
        var machine = Self.startedMachine(configuration, desk.files.journal)
        var stampedAt = Instant.distantPast
        var sightings = Sightings()
        var finding = WaldenFailover.Finding.healthy
        while !isStopped.load(ordering: .acquiring) {
            let haste = Pace.Haste(machine)
            try pulse.follow(machine.evidence.primary, configuration, haste, events)
            if lookPace.set(haste) { for watch in watches { watch.lookout.hurry() } }
            pulse.hurry(haste)
            let deadline = MonotonicClock.now() + (machine.isUrgent ? Self.urgentTick : Self.calmTick)
            for event in events.take(until: deadline) { feed(event, &machine, &sightings, desk) }
            let now = MonotonicClock.now()
            perform(machine.tick(at: now), &machine, desk)
            tell(machine.evidence.finding(at: now), insteadOf: &finding, desk.delegate)
            board.publish(machine, at: now)
            if now.elapsed(since: stampedAt) >= Self.aliveInterval {
                desk.files.journal.stampAlive()
                stampedAt = now
                compact(desk.files.journal)
            }
        }
    }

    private func compact(_ journal: Journal) {
        do throws(SentinelError) {
            try journal.compactIfLong()
        } catch {
            logger.warning("the sentinel's journal cannot be shortened", metadata: ["error": "\(error)"])
        }
    }

    private static func startedMachine(_ configuration: SentinelConfiguration, _ journal: Journal) -> FailoverMachine {
        let now = MonotonicClock.now()
        let today = WallClock.microseconds()
        // A clock that was set back says nothing of how long nobody watched: then it was too long.
        let unwatched = journal.lastAliveAt.map { today >= $0 ? Duration.microseconds(today - $0) : .seconds(1 << 30) }
        let failover = journal.lastFailoverAt.map { now - .microseconds(max(0, today - $0)) }
        return FailoverMachine(
            names: Dictionary(uniqueKeysWithValues: configuration.nodes.map { ($0.name, $0.id) }),
            policy: configuration.policy, timings: configuration.timings, resuming: journal.newest,
            lastFailoverAt: failover, unwatchedFor: unwatched, now: now)
    }

    private func feed(
        _ event: SentinelEvent, _ machine: inout FailoverMachine, _ sightings: inout Sightings, _ desk: Desk
    ) {
        switch event {
        case .learned(let fact, let at): machine.observe(fact, at: at)
        case .ofPrimary(let node, let fact, let at):
            if node == machine.evidence.primary { machine.observe(fact, at: at) }
        case .sessionBegan(let node, let at): sightings.sessions[node] = at
        case .receiverBegan(let node, let at): sightings.receivers[node] = at
        case .promoting(let node, let term, let next):
            // One that found no room may have been the beginning of another run.
            guard events.dropped == 0 else { break }
            desk.delegate.promoting(node, in: term, nextTransaction: next, sightings)
        case .answered(let id, let outcome):
            let now = MonotonicClock.now()
            desk.files.incidents.answered(id, outcome, wall: WallClock.microseconds(), now: now)
            publish(desk.files.incidents)
            perform(machine.answered(id, outcome, at: now), &machine, desk)
        }
    }

    private func perform(_ actions: [FailoverAction], _ machine: inout FailoverMachine, _ desk: Desk) {
        for action in actions {
            switch action {
            case .note(let note): tell(note, desk)
            case .perform(let order):
                desk.files.incidents.ordered(order, now: MonotonicClock.now())
                dispatch(order, desk.delegate)
            case .record(let record):
                do throws(SentinelError) {
                    try desk.files.journal.write(record)
                } catch {
                    // Nothing goes on before it is written; the machine asks again.
                    logger.error("the sentinel's journal cannot be written", metadata: ["error": "\(error)"])
                    continue
                }
                perform(machine.recorded(record.sequence, at: MonotonicClock.now()), &machine, desk)
            }
        }
    }

    private func dispatch(_ order: Order, _ delegate: any SentinelDelegate) {
        logger.info("order", metadata: ["step": "\(order.step)", "term": "\(order.term)"])
        let (id, events, logger) = (order.id, events, logger)
        switch order.step {
        case .sever(let node), .follow(let node), .checkpoint(let node), .setSynchronousNames(let node),
            .promote(let node):
            hands[node]?.take(order)
        case .hold, .drain, .raiseTerm, .closeConnections, .fenceHook, .createSlot, .beginEpoch, .release, .rejoin:
            delegate.carryOut(order) { outcome in
                if outcome != .done { logger.warning("not done", metadata: ["order": "\(id)", "why": "\(outcome)"]) }
                events.add(.answered(id: id, outcome))
            }
        }
    }

    private func publish(_ incidents: IncidentLog) {
        board.publish(incidents.history, unwrittenLines: incidents.unwritten)
    }

    private func tell(
        _ found: WaldenFailover.Finding, insteadOf known: inout WaldenFailover.Finding,
        _ delegate: any SentinelDelegate
    ) {
        guard found != known else { return }
        logger.log(
            level: found == .healthy ? .notice : .warning, "what is found of the primary has changed",
            metadata: ["finding": "\(found.rawValue)", "before": "\(known.rawValue)"])
        known = found
        delegate.found(found)
    }

    private func tell(_ note: FailoverNote, _ desk: Desk) {
        let incidents = desk.files.incidents
        incidents.took(note, wall: WallClock.microseconds(), now: MonotonicClock.now())
        publish(incidents)
        logger.notice(
            "failover",
            metadata: [
                "row": "\(note.row)", "from": "\(note.from.rawValue)", "to": "\(note.to.rawValue)",
                "term": "\(note.term)", "finding": "\(note.finding.rawValue)", "reason": "\(note.reason)",
                "details": "\(note.details.joined(separator: "; "))",
            ])
        desk.delegate.noted(note)
    }
}

/// What is asked of the primary alone; begun anew when another node is the primary. Those of the old one end by
/// themselves, whatever it does.
struct PrimaryPulse {
    private var node: NodeID?
    private var asked: [(lookout: Lookout, pace: Pace)] = []

    mutating func follow(
        _ primary: NodeID, _ configuration: SentinelConfiguration, _ haste: Pace.Haste, _ events: EventQueue
    ) throws(PostgresError) {
        guard node != primary, let target = configuration.nodes.first(where: { $0.id == primary }) else { return }
        stop()
        node = primary
        for kind in HeartbeatKind.allCases {
            let pace = Pace(haste) { configuration.beatInterval(kind, $0) }
            let beater = try HeartbeatBeater(target, kind, configuration, pace, events)
            asked.append((beater.lookout, pace))
            _ = try beater.start()
        }
        let pace = Pace(haste, configuration.contactInterval)
        let contact = try ContactWatch(target, timeout: configuration.connectTimeout, pace, events)
        asked.append((contact.lookout, pace))
        _ = try contact.start()
    }

    func hurry(_ haste: Pace.Haste) {
        for (lookout, pace) in asked where pace.set(haste) { lookout.hurry() }
    }

    mutating func stop() {
        for (lookout, _) in asked { lookout.stop() }
        asked = []
    }
}
