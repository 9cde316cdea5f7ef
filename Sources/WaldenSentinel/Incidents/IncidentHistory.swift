import WaldenCore
import WaldenFailover

/// The incidents, from the lines of their file: a pure fold, the same for what is read at the start and what happens.
struct IncidentHistory: Sendable {
    /// Incidents kept; the file holds about as many.
    static let capacity = 200

    /// Oldest first.
    private(set) var incidents: [IncidentRecord] = []
    private(set) var counts = IncidentCounts()
    /// The doubt before an incident.
    private var prelude: IncidentLine?

    /// The one that goes on.
    var open: IncidentRecord? { incidents.last.flatMap { $0.outcome == nil ? $0 : nil } }

    func incident(_ term: Term) -> IncidentRecord? { incidents.last { $0.term == term } }

    /// What was read is the past.
    mutating func forgetCounts() {
        counts = IncidentCounts()
    }

    /// The one that seems to go on does not.
    mutating func cutOff() {
        guard var last = incidents.last, last.outcome == nil else { return }
        last.outcome = .undone
        last.refusal = last.refusal ?? "the sentinel was ended before anything was done"
        incidents[incidents.count - 1] = last
    }

    mutating func add(_ line: IncidentLine) {
        if let row = line.row, let cause = row.cause {
            begin(line, row, cause)
        } else if var last = incidents.last, last.outcome == nil, last.term == line.term {
            last.add(line)
            incidents[incidents.count - 1] = last
            if let outcome = last.outcome { count(last, outcome) }
        } else {
            prelude = line
        }
    }

    private mutating func begin(_ line: IncidentLine, _ row: IncidentLine.Row, _ cause: Incident.Cause) {
        var former: IncidentRecord?
        if var last = incidents.last, last.outcome == nil {
            last.outcome = .superseded
            last.endedAt = line.at
            incidents[incidents.count - 1] = last
            count(last, .superseded)
            // Clients have been waiting since then; but not through days in which people were asked.
            if row.from == .hold { former = last }
        }
        var record = IncidentRecord(
            term: line.term, cause: cause, old: row.old ?? row.primary, beganAt: former?.beganAt ?? line.at,
            silence: .microseconds(former == nil ? row.silentMicroseconds ?? 0 : 0), evidence: row.evidence)
        if let prelude, prelude.term == line.term { record.add(prelude) }
        prelude = nil
        record.add(line)
        incidents.append(record)
        if incidents.count > Self.capacity { incidents.removeFirst() }
    }

    private mutating func count(_ record: IncidentRecord, _ outcome: IncidentRecord.Outcome) {
        switch (outcome, record.cause) {
        case (.replaced, .switchover): counts.switchovers += 1
        case (.replaced, .found), (.replaced, .forced): counts.failovers += 1
        case (.undone, _), (.superseded, _): counts.aborted += 1
        }
    }
}
