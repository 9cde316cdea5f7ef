public import WaldenCore

/// The sentinel: decides whether the primary is replaced, by whom, and in which order everything happens.
///
/// Facts go in (`observe`, `recorded`, `answered`), and the moment (`tick`); out come actions. Decisions stand in
/// `TransitionTable`, one row each; what a state does in `wantedSteps`. The machine holds to three orders:
///
/// 1. a record is on disk before the first side effect of its state (`FailoverAction.record`, then `recorded`);
/// 2. no step is ordered unless the state wants it at that moment, judged by facts, not by what was ordered before;
/// 3. what is answered for a former state or try is ignored.
///
/// It never asks a clock, a disk or a network. Whoever runs it: record and fsync, run the orders, tell the outcomes,
/// and call `tick` at least every 100 ms.
public struct FailoverMachine: Sendable {
    public let policy: FailoverPolicy
    public var timings: FailoverTimings { evidence.timings }

    public internal(set) var evidence: Evidence
    public private(set) var state: FailoverState
    /// When the state was entered: its record is on disk.
    public private(set) var enteredAt: Instant
    public internal(set) var term: Term
    public internal(set) var incident: Incident?
    public internal(set) var detached: Set<NodeID> = []
    public internal(set) var parted: Set<NodeID> = []
    var book = OrderBook()
    /// What the evidence says, and since when it has said the same.
    public private(set) var finding = Finding.healthy
    public private(set) var findingSince: Instant
    /// An order of people that waits for the state to take it.
    public internal(set) var request: FailoverRequest?
    private var requestedAt = Instant.distantPast
    /// The last automatic or ordered failover; nil: none within `cooldown`.
    var lastFailoverAt: Instant?
    /// Standbys that every look since has shown severed: when the newest of these was asked.
    var sightings: [NodeID: Instant] = [:]
    private var sequence: UInt64
    /// A transition whose record is being written.
    private(set) var pending: (record: JournalRecord, orderedAt: Instant)?

    /// When severing began; nil: it was not seen from its beginning.
    private var severingSince: Instant?
    /// From the beginning of severing to the new primary's opening, of the newest failover or switchover.
    public private(set) var lastTakeover: Duration?
    /// When a checkpoint ordered in this state was done.
    private(set) var checkpointAt: Instant?
    var history: TimelineHistory
    /// For how long nobody has watched the primary before this start; nil: it was never watched.
    let unwatchedFor: Duration?
    /// The rules as the newest record has them.
    private(set) var recordedRules: SynchronousRules?

    /// - Parameters:
    ///   - names: The name (application_name) of each node.
    ///   - resuming: The newest record on disk; nil: the first start.
    ///   - lastFailoverAt: Of the newest failover in the journal.
    ///   - unwatchedFor: Since the sentinel's last sign of life before this start; nil: it never ran.
    public init(
        names: [String: NodeID], policy: FailoverPolicy, timings: FailoverTimings, resuming record: JournalRecord?,
        lastFailoverAt: Instant?, unwatchedFor: Duration? = nil, now: Instant
    ) {
        self.policy = policy
        self.lastFailoverAt = lastFailoverAt
        self.unwatchedFor = unwatchedFor
        recordedRules = record?.rules
        history = record?.history ?? TimelineHistory()
        findingSince = now
        enteredAt = now
        sequence = record?.sequence ?? 0
        term = record?.term ?? .first
        incident = record?.incident
        detached = record?.detached ?? []
        parted = record?.parted ?? []
        evidence = Evidence(
            primary: record?.primary ?? .configuredPrimary, names: names, timings: timings, rules: record?.rules,
            timeline: record?.timeline, systemIdentifier: record?.systemIdentifier)
        state = .discover
        if let record { resume(record) }
    }

    /// Past the point of no return it goes on; before it everything is undone; without an incident it looks anew.
    private mutating func resume(_ record: JournalRecord) {
        if record.state.isRevocable {
            // As any other state this one begins with its record; until it is on disk nothing is undone.
            incident = record.incident?.interrupted()
            pending = (newRecord(.aborting, row: TransitionTable.interruption), .distantPast)
            return
        }
        switch record.state {
        case .promote, .opening, .open, .maintenance: state = record.state
        default: incident = nil
        }
    }

    // MARK: Facts

    public mutating func observe(_ fact: FailoverFact, at now: Instant) {
        learn(fact, at: now)
        followRules()
    }

    private mutating func learn(_ fact: FailoverFact, at now: Instant) {
        switch fact {
        case .reported(let node, let report):
            evidence.reported(node, report, at: now)
            noteSevered(node, report)
            noteDrained(node, report)
            noteParted(node, report)
        case .contacted(let node, let contact): evidence.contacted(node, contact, at: now)
        case .sessionAnswered: evidence.sessionAnswered(at: now)
        case .sessionBroke: evidence.sessionBroke()
        case .heartbeatBegun(let kind): evidence.heartbeatBegun(kind, at: now)
        case .heartbeatAcknowledged(let kind, let end): evidence.heartbeatAcknowledged(kind, end: end, at: now)
        case .heartbeatFailed(let kind): evidence.heartbeatFailed(kind)
        case .requested(let request):
            self.request = request
            requestedAt = now
        }
    }

    /// The record is on disk.
    public mutating func recorded(_ sequence: UInt64, at now: Instant) -> [FailoverAction] {
        guard let pending, pending.record.sequence == sequence else { return [] }
        self.pending = nil
        recordedRules = pending.record.rules
        if pending.record.row != TransitionTable.newRules { enter(pending.record.state, at: now) }
        return tick(at: now)
    }

    /// An order was carried out, or was not.
    public mutating func answered(_ id: UInt64, _ outcome: StepOutcome, at now: Instant) -> [FailoverAction] {
        guard let step = book.answered(id, outcome, at: now) else { return [] }
        if outcome == .done { stepDone(step, at: now) }
        return tick(at: now)
    }

    private mutating func stepDone(_ step: Step, at now: Instant) {
        switch step {
        case .checkpoint: checkpointAt = now
        case .follow(let node): detached.remove(node)
        case .rejoin(let node):
            parted.remove(node)
            detached.remove(node)
        case .hold, .drain, .sever, .raiseTerm, .closeConnections, .fenceHook, .setSynchronousNames, .promote,
            .createSlot, .beginEpoch, .release:
            break
        }
    }

    // MARK: Time

    /// Looks at what is known, decides, and orders what the state wants.
    public mutating func tick(at now: Instant) -> [FailoverAction] {
        noteFinding(at: now)
        forgetOldRequest(at: now)
        var actions: [FailoverAction] = []
        // A row may lead to a state that another row leaves at once; each state is left at most once a tick.
        for _ in FailoverState.allCases {
            if let pending {
                actions += rewrite(pending.record, orderedAt: pending.orderedAt, at: now)
                return actions
            }
            let situation = Situation(machine: self, now: now)
            if let row = TransitionTable.rows(from: state).first(where: { $0.holds(situation) }) {
                actions += take(row, situation)
            } else if situation.rulesAreUnrecorded {
                actions += recordRules(situation)
            } else {
                return actions + orders(at: now)
            }
        }
        return actions
    }

    private mutating func noteFinding(at now: Instant) {
        let found = evidence.finding(at: now)
        guard found != finding else { return }
        finding = found
        findingSince = now
    }

    /// An order that nothing could take is not carried out when nobody thinks of it any more: a forced failover least of
    /// all.
    private mutating func forgetOldRequest(at now: Instant) {
        if request != nil, now.elapsed(since: requestedAt) > timings.orderPatience { request = nil }
    }

    private mutating func take(_ row: TransitionTable.Row, _ situation: Situation) -> [FailoverAction] {
        let now = situation.now
        let (before, seenAt) = (incident, evidence.primaryAnsweredAt)
        row.change(&self, situation)
        let note = note(
            row.number, to: row.to, row.reason, situation, incident: incident ?? before, primarySeenAt: seenAt)
        guard row.to.isJournalled else {
            enter(row.to, at: now)
            return [.note(note)]
        }
        return [.note(note), order(newRecord(row.to, row: row.number), at: now)]
    }

    /// A sentinel that finds the primary dead at its start goes by the rules in the journal. The state goes on as it is.
    private mutating func recordRules(_ situation: Situation) -> [FailoverAction] {
        let note = note(
            TransitionTable.newRules, to: state, "the rules that count for commits have changed", situation,
            incident: incident, primarySeenAt: evidence.primaryAnsweredAt)
        return [.note(note), order(newRecord(state, row: note.row), at: situation.now)]
    }

    /// What is told of a row or its like. It may have ended the incident and replaced the primary, so what is told of both is
    /// given.
    private func note(
        _ row: Int, to next: FailoverState, _ reason: String, _ situation: Situation, incident told: Incident?,
        primarySeenAt: Instant?
    ) -> FailoverNote {
        FailoverNote(
            row: row, from: state, to: next, term: incident?.term ?? term, primary: evidence.primary, finding: finding,
            reason: reason, details: situation.details, incident: told, primarySeenAt: primarySeenAt)
    }

    private mutating func order(_ record: JournalRecord, at now: Instant) -> FailoverAction {
        pending = (record, now)
        return .record(record)
    }

    private mutating func newRecord(_ state: FailoverState, row: Int) -> JournalRecord {
        sequence += 1
        return JournalRecord(
            sequence: sequence, row: row, state: state, term: term, primary: evidence.primary,
            timeline: evidence.timeline, systemIdentifier: evidence.systemIdentifier, rules: evidence.rules,
            incident: incident, detached: detached, parted: parted,
            history: history)
    }

    /// A record that is not on disk yet is written again after a while; nothing else happens meanwhile.
    private mutating func rewrite(
        _ record: JournalRecord, orderedAt: Instant, at now: Instant
    ) -> [FailoverAction] {
        guard now.elapsed(since: orderedAt) >= timings.stepTimeout else { return [] }
        return [order(record, at: now)]
    }

    private mutating func enter(_ next: FailoverState, at now: Instant) {
        noteTakeover(entering: next, at: now)
        state = next
        enteredAt = now
        book.clear()
        checkpointAt = nil
        sightings.removeAll()
    }

    private mutating func noteTakeover(entering next: FailoverState, at now: Instant) {
        switch next {
        case .sever: severingSince = now
        case .open:
            if let severingSince { lastTakeover = now.elapsed(since: severingSince) }
            severingSince = nil
        case .aborting: severingSince = nil
        case .discover, .steady, .suspect, .hold, .census, .fence, .promote, .opening, .needsHuman, .maintenance: break
        }
    }

    private mutating func orders(at now: Instant) -> [FailoverAction] {
        let situation = Situation(machine: self, now: now)
        return situation.wantedSteps.compactMap { step in
            guard let id = book.order(step, at: now, timings, waits: waits(for: step)) else { return nil }
            let order = Order(
                id: id, term: incident?.term ?? term, step: step, primary: evidence.primary,
                rule: incident?.nextRule)
            return .perform(order)
        }
    }

    /// Steps that may take long are not ordered twice meanwhile.
    func waits(for step: Step) -> Duration? {
        switch step {
        case .drain: timings.switchover
        // The server does two of them as one.
        case .checkpoint: .seconds(60)
        case .rejoin: .seconds(3_600)
        case .fenceHook: timings.fence
        case .hold, .sever, .follow, .raiseTerm, .closeConnections, .setSynchronousNames, .promote, .createSlot,
            .beginEpoch, .release:
            nil
        }
    }

    /// What went wrong with orders of the present state, for people.
    public var problems: [String] { book.problems }

    /// Whether nodes should be looked at as often as possible rather than at the heartbeat's pace.
    public var isUrgent: Bool {
        switch state {
        case .steady, .maintenance, .needsHuman: false
        case .discover, .suspect, .hold, .sever, .census, .fence, .promote, .opening, .open, .aborting: true
        }
    }
}
