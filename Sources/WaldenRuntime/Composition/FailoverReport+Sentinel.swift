import WaldenAdmin
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel

extension FailoverReport {
    /// - Parameter names: Of the nodes.
    init(_ sentinel: Sentinel, names: [NodeID: String]) {
        self.init(sentinel.view, names: names, now: MonotonicClock.now())
        lastOutageSeconds = sentinel.incidents.last { $0.endedAt != nil }?.outage?.fractionalSeconds
    }

    init(_ view: SentinelView, names: [NodeID: String], now: Instant) {
        self.init()
        func name(_ node: NodeID) -> String { names[node] ?? node.description }
        state = view.state.rawValue
        stateSeconds = now.elapsed(since: view.stateSince).fractionalSeconds
        term = view.term.number
        primary = name(view.primary)
        timeline = view.timeline?.rawValue
        finding = view.finding.rawValue
        findingSeconds = now.elapsed(since: view.findingSince).fractionalSeconds
        candidate = view.readiness.candidate.map(name)
        missingBytes = view.readiness.missingBytes
        isProven = view.readiness.isProven
        unappliedBytes = view.readiness.unappliedBytes
        estimatedSeconds = view.estimate.total.fractionalSeconds
        isEstimateMeasured = view.estimate.isMeasured
        blockedBy = view.readiness.block?.rawValue
        obstacle = view.readiness.obstacle
        problems = view.problems
        request = view.request.map { $0.words(name) }
        incident = view.incident?.term.number
        failovers = view.counts.failovers
        switchovers = view.counts.switchovers
        aborted = view.counts.aborted
        droppedEvents = view.droppedEvents
        unwrittenLines = view.unwrittenLines
        silentSeconds = now.elapsed(since: view.lookedAt).fractionalSeconds
    }
}

extension FailoverRequest {
    fileprivate func words(_ name: (NodeID) -> String) -> String {
        switch self {
        case .switchover(let node): "switchover" + (node.map { " to \(name($0))" } ?? "")
        case .force: "failover, whatever it costs"
        case .pause: "pause"
        case .resume: "resume"
        }
    }
}

extension IncidentReport {
    /// - Parameter names: Of the nodes.
    init(_ record: IncidentRecord, names: [NodeID: String]) {
        self.init()
        func name(_ node: NodeID) -> String { names[node] ?? node.description }
        number = record.term.number
        beganAt = WallClock.text(record.beganAt)
        cause = record.cause.words(name)
        evidence = record.evidence
        oldPrimary = name(record.old)
        newPrimary = record.outcome == .replaced ? record.candidate.map(name) : nil
        outcome = record.outcome?.rawValue ?? (record.needsHuman ? FailoverState.needsHuman.rawValue : "under_way")
        refusal = record.refusal
        outageSeconds = record.outage?.fractionalSeconds
        lostBytes = record.lostBytes
        isProven = record.isProven
        events = record.lines.map { Event($0, since: record.beganAt, name) }
    }
}

extension IncidentReport.Event {
    fileprivate init(_ line: IncidentLine, since beganAt: Int64, _ name: (NodeID) -> String) {
        self.init()
        seconds = Double(line.at - beganAt) / 1e6
        if let row = line.row {
            text = "row \(row.number): \(row.from.rawValue) -> \(row.to.rawValue), \(row.reason)"
            evidence = row.evidence
        } else if let step = line.step {
            let node = step.node.map { " \(name($0))" } ?? ""
            let tries = step.tries > 1 ? ", try \(step.tries)" : ""
            let reason = step.reason.map { ": \($0)" } ?? ""
            text = "\(step.name)\(node) \(step.outcome) after \(step.microseconds / 1_000) ms\(tries)\(reason)"
        }
    }
}

extension Incident.Cause {
    fileprivate func words(_ name: (NodeID) -> String) -> String {
        switch self {
        case .found(let finding): "the primary was found \(finding.rawValue)"
        case .switchover(let node): "a switchover was ordered" + (node.map { " to \(name($0))" } ?? "")
        case .forced: "a failover was ordered, whatever it costs"
        }
    }
}
