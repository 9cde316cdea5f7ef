import WaldenCore
import WaldenFailover
import WaldenPostgres

/// The incidents' history on disk: `DIRECTORY/incidents`, one JSON line an event, and `incidents.1`, what was written before.
///
/// It is for people, and nothing is decided by it: it is not fsynced, a line that cannot be read is passed over, and what
/// cannot be written is counted and goes on in memory.
final class IncidentLog {
    private struct Try {
        var id: UInt64
        var order: Order
        var at: Instant
        /// Of the step, in this state.
        var number: Int
    }

    private(set) var history: IncidentHistory
    private(set) var unwritten: UInt64 = 0
    private let file: HistoryFile
    /// A row that led to doubt; written only if an incident follows, for a primary that wavers would fill the file.
    private var doubt: (note: FailoverNote, wall: Int64, now: Instant)?
    /// Orders of the present state that were not answered.
    private var tries: [Step: Try] = [:]
    /// Outcomes of the present state that are written: what is tried again fails in the same way.
    private var told: Set<String> = []

    /// - Parameter limit: Bytes of each of the two files.
    init(in directory: String, limit: Int = 1 << 20) throws(SentinelError) {
        file = try HistoryFile(path: "\(directory)/incidents", limit: limit)
        history = IncidentHistory()
        for text in file.takeLines() {
            if let line = try? JSONLine.decode(IncidentLine.self, text) { history.add(line) }
        }
        history.forgetCounts()
    }

    /// What the machine goes on with. An incident that was begun here and is not in the journal ended with the sentinel,
    /// before it had any effect; its number is given again.
    func started(with incident: Incident?) {
        if history.open?.term != incident?.term { history.cutOff() }
    }

    // MARK: Rows

    func took(_ note: FailoverNote, wall: Int64, now: Instant) {
        if note.row == TransitionTable.newRules {
            // The state and its orders go on. It may happen often: without an incident it belongs to none.
            guard history.open != nil else { return }
            return add(IncidentLine(note, of: note.term, isFirst: false, wall: wall, now: now))
        }
        switch (note.from, note.to) {
        case (.steady, .suspect), (.discover, .suspect):
            doubt = (note, wall, now)
            return
        case (.suspect, .steady):
            doubt = nil
            return
        default: break
        }
        endTries(wall: wall, now: now)
        let isFirst = note.to == .hold && history.open?.term != note.term
        if isFirst, let doubt {
            add(IncidentLine(doubt.note, of: note.term, isFirst: false, wall: doubt.wall, now: doubt.now))
        }
        doubt = nil
        add(IncidentLine(note, of: note.term, isFirst: isFirst, wall: wall, now: now))
    }

    // MARK: Orders

    func ordered(_ order: Order, now: Instant) {
        guard history.open != nil else { return }
        let number = (tries[order.step]?.number ?? 0) + 1
        tries[order.step] = Try(id: order.id, order: order, at: now, number: number)
    }

    func answered(_ id: UInt64, _ outcome: StepOutcome, wall: Int64, now: Instant) {
        guard let open = history.open, let entry = tries.first(where: { $0.value.id == id })?.value else { return }
        // Kept for the number of tries; nil: it is answered.
        tries[entry.order.step]?.id = 0
        switch outcome {
        case .done: tell(entry, "done", nil, open.term, wall, now)
        case .failed(let reason): tell(entry, "failed", reason, open.term, wall, now)
        case .refused(let reason): tell(entry, "refused", reason, open.term, wall, now)
        }
    }

    private func endTries(wall: Int64, now: Instant) {
        if let term = history.open?.term {
            for entry in tries.values.filter({ $0.id != 0 }).sorted(by: { $0.id < $1.id }) {
                tell(entry, "unanswered", nil, term, wall, now)
            }
        }
        tries.removeAll()
        told.removeAll()
    }

    private func tell(_ entry: Try, _ outcome: String, _ reason: String?, _ term: Term, _ wall: Int64, _ now: Instant) {
        guard told.insert("\(entry.order.step) \(outcome) \(reason ?? "")").inserted else { return }
        let step = IncidentLine.StepTaken(
            name: entry.order.step.name, node: entry.order.step.node, outcome: outcome, reason: reason,
            microseconds: now.elapsed(since: entry.at).wholeNanoseconds / 1_000, tries: entry.number)
        add(IncidentLine(at: wall, term: term, step: step))
    }

    // MARK: Writing

    private func add(_ line: IncidentLine) {
        history.add(line)
        write(line)
    }

    private func write(_ line: IncidentLine) {
        guard let bytes = try? JSONLine.encode(line), file.append(bytes) else {
            unwritten += 1
            return
        }
    }
}
