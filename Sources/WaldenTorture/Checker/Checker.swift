/// Judges a history: every read, against everything that is known of every row it looked at.
///
/// It rests on three facts. A row's versions are totally ordered, since one writer at a time holds the row. Who was told
/// of a commit, or saw it, knows that every later snapshot contains it. And if a transaction was visible before another
/// one's commit was asked for, then every snapshot that contains the other contains it. From each follows a *floor*: a
/// version of the row below which a read must not be. A floor is found by binary search, so the cost is O(n log n) in
/// what was read and written.
///
/// It never accuses wrongly: what is not known (an unknown outcome, a row that is missing in several versions) counts in
/// favour of the read.
struct Checker {
    private let history: History
    private let maxStaleness: Moment
    private var rows: [Timeline]
    private var sessions: [Int: SessionFloors] = [:]
    private var violations: [Violation] = []

    /// What a session has done and seen so far.
    private struct SessionFloors {
        var own: [Int: Int] = [:]
        var seen: [Int: Int] = [:]
        /// The latest commit of which it has seen or written something, by when that was asked for.
        var latestCommit = Moment.min
    }

    private enum Event {
        case write(Int)
        case read(Int)
    }

    /// - Parameter maxStaleness: Nanoseconds, with what is granted for clocks.
    static func violations(in history: History, maxStaleness: Moment) -> [Violation] {
        var checker = Checker(history, maxStaleness: maxStaleness)
        checker.judge()
        return checker.violations
    }

    private init(_ history: History, maxStaleness: Moment) {
        self.history = history
        self.maxStaleness = maxStaleness
        rows = history.initial.map { Timeline(version: $0.version, state: $0.state) }
        for (number, write) in history.writes.enumerated() {
            for effect in write.effects { rows[effect.row].add(effect, of: number, write) }
        }
        for row in rows.indices { rows[row].sort() }
        for read in history.reads {
            let own = Set(read.own.map(\.row))
            for part in read.parts {
                for sighting in part.seen where !own.contains(sighting.row) {
                    guard let index = rows[sighting.row].index(of: sighting.version) else { continue }
                    rows[sighting.row].seen(index, at: read.completed)
                }
            }
        }
        for row in rows.indices { rows[row].settle() }
    }

    private mutating func judge() {
        var events: [(moment: Moment, event: Event)] = []
        events.reserveCapacity(history.writes.count + history.reads.count)
        for (number, write) in history.writes.enumerated() where write.outcome == .committed {
            events.append((write.completed, .write(number)))
        }
        // A session does one thing after another, so its writes that were acknowledged before a read come before it.
        for (number, read) in history.reads.enumerated() { events.append((read.began, .read(number))) }
        events.sort { $0.moment < $1.moment }
        for (_, event) in events {
            switch event {
            case .write(let number): note(history.writes[number])
            case .read(let number): judge(history.reads[number])
            }
        }
    }

    private mutating func note(_ write: Write) {
        var floors = sessions[write.session] ?? SessionFloors()
        for effect in write.effects {
            guard let index = rows[effect.row].index(of: effect.version) else { continue }
            floors.own[effect.row] = max(floors.own[effect.row] ?? 0, index)
        }
        floors.latestCommit = max(floors.latestCommit, write.commitSent)
        sessions[write.session] = floors
    }

    // MARK: One read

    /// What one read has established about its snapshot.
    private struct Snapshot {
        /// By row: the step that was seen.
        var seen: [Int: Int] = [:]
        /// By row: the step that a transaction wrote of which another row was seen.
        var together: [Int: Int] = [:]
        var latestCommit = Moment.min
    }

    private mutating func judge(_ read: Read) {
        guard let snapshot = snapshot(of: read) else { return }
        let own = Dictionary(read.own.map { ($0.row, $0) }, uniquingKeysWith: { $1 })
        for part in read.parts {
            judgeSeen(part, read, snapshot, own)
            let present = Set(part.seen.map(\.row))
            for row in part.rows where !present.contains(row) {
                if let effect = own[row] {
                    if effect.state.isIn(part.group) { report(.ownWriteMissed, row, nil, read) }
                } else {
                    judgeMissing(row, part, read, snapshot)
                }
            }
        }
        guard read.level != .bounded else { return }
        var floors = sessions[read.session] ?? SessionFloors()
        for (row, index) in snapshot.seen { floors.seen[row] = max(floors.seen[row] ?? 0, index) }
        floors.latestCommit = max(floors.latestCommit, snapshot.latestCommit)
        sessions[read.session] = floors
    }

    /// Nil when it saw what nobody can have seen, which has been reported then.
    private mutating func snapshot(of read: Read) -> Snapshot? {
        var snapshot = Snapshot()
        var writes: Set<Int> = []
        let own = Set(read.own.map(\.row))
        for part in read.parts {
            for sighting in part.seen where !own.contains(sighting.row) {
                guard let index = possibleStep(sighting, part, read) else { return nil }
                if let other = snapshot.seen.updateValue(index, forKey: sighting.row), other != index {
                    report(.mixed, sighting.row, sighting.version, read)
                    return nil
                }
                let step = rows[sighting.row].steps[index]
                snapshot.latestCommit = max(snapshot.latestCommit, step.earliest)
                if let write = step.write { writes.insert(write) }
            }
        }
        for write in writes where history.writes[write].effects.count > 1 {
            for effect in history.writes[write].effects {
                guard let index = rows[effect.row].index(of: effect.version) else { continue }
                snapshot.together[effect.row] = max(snapshot.together[effect.row] ?? 0, index)
            }
        }
        return snapshot
    }

    private mutating func possibleStep(_ sighting: Sighting, _ part: Part, _ read: Read) -> Int? {
        guard let index = rows[sighting.row].index(of: sighting.version) else {
            report(.neverWritten, sighting.row, sighting.version, read)
            return nil
        }
        let step = rows[sighting.row].steps[index]
        let problem: Violation.Kind? =
            if step.isAborted {
                .rolledBack
            } else if step.earliest > read.completed {
                .notYetCommitted
            } else if step.state != .present(group: sighting.group) || !step.state.isIn(part.group) {
                .wrongContent
            } else if !part.rows.contains(sighting.row) {
                .wrongContent
            } else {
                nil
            }
        if let problem { report(problem, sighting.row, sighting.version, read) }
        return problem == nil ? index : nil
    }

    private mutating func judgeSeen(_ part: Part, _ read: Read, _ snapshot: Snapshot, _ own: [Int: Effect]) {
        for sighting in part.seen {
            if let effect = own[sighting.row] {
                let isOwn = effect.version == sighting.version && effect.state == .present(group: sighting.group)
                if !isOwn { report(.ownWriteMissed, sighting.row, sighting.version, read) }
                continue
            }
            guard let index = snapshot.seen[sighting.row] else { continue }
            if let floor = floors(of: sighting.row, read, snapshot).first(where: { index < $0.index }) {
                report(floor.kind, sighting.row, sighting.version, read, floor: floor.index)
            }
        }
    }

    /// A missing row is right if some state that may have been read lacks it.
    private mutating func judgeMissing(_ row: Int, _ part: Part, _ read: Read, _ snapshot: Snapshot) {
        let lastLacking = rows[row].newest(possibleAt: read.completed) { !$0.isIn(part.group) }
        guard let lastLacking else { return report(.missingRow, row, nil, read) }
        if let floor = floors(of: row, read, snapshot).first(where: { lastLacking < $0.index }) {
            report(floor.kind, row, nil, read, floor: floor.index)
        }
    }

    /// The steps below which this read must not be, the plainest reasons first.
    private func floors(of row: Int, _ read: Read, _ snapshot: Snapshot) -> [(kind: Violation.Kind, index: Int)] {
        var floors: [(kind: Violation.Kind, index: Int)] = []
        if let together = snapshot.together[row] { floors.append((.torn, together)) }
        if snapshot.latestCommit > .min {
            floors.append((.mixed, rows[row].newest(at: snapshot.latestCommit - 1)))
        }
        let session = sessions[read.session]
        if let own = session?.own[row] { floors.append((.ownWriteMissed, own)) }
        if read.level != .bounded, let session {
            if let seen = session.seen[row] { floors.append((.wentBack, seen)) }
            if session.latestCommit > .min {
                floors.append((.outOfOrder, rows[row].newest(at: session.latestCommit - 1)))
            }
        }
        if read.level == .strict {
            floors.append((.notLinearizable, rows[row].newest(at: read.began)))
        } else {
            floors.append((.tooOld, rows[row].newest(at: read.began - maxStaleness)))
        }
        return floors
    }

    private mutating func report(
        _ kind: Violation.Kind, _ row: Int, _ version: Int?, _ read: Read, floor: Int? = nil
    ) {
        let saw = version.map { "version \($0)" } ?? "nothing"
        var detail = "row \(row): \(saw), read at level \(read.level.rawValue) by session \(read.session)"
        detail += " from \(milliseconds(read.began)) to \(milliseconds(read.completed)) ms"
        if let floor {
            let step = rows[row].steps[floor]
            detail += "; version \(step.version) was asked for at \(milliseconds(step.earliest)) ms"
            detail += step.visible == .max ? "" : " and visible at \(milliseconds(step.visible)) ms"
        }
        violations.append(Violation(kind: kind, detail: detail))
    }

    private func milliseconds(_ moment: Moment) -> String {
        moment == .min ? "0" : "\(moment / 1_000_000).\(String(moment / 100_000 % 10))"
    }
}
