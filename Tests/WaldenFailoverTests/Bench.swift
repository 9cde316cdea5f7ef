import WaldenCore

@testable import WaldenFailover

/// A cluster of three that does what it is ordered, at once, around the real machine; what happens is a transcript.
struct Bench {
    static let a = NodeID(0), b = NodeID(1), c = NodeID(2)
    static let names = ["a": a, "b": b, "c": c]

    var machine: FailoverMachine
    private(set) var now = Instant(nanoseconds: 10_000_000_000)
    private(set) var transcript: [String] = []
    private(set) var records: [JournalRecord] = []
    /// Of the newest row.
    private(set) var details: [String] = []
    /// Nodes that do not answer, and how.
    var away: [NodeID: Contact] = [:]
    /// Steps that end otherwise than well.
    var outcomes: [String: StepOutcome] = [:]
    /// Whether standbys acknowledge.
    var hasQuorum = true
    /// Whether the disk takes records.
    var writesRecords = true
    private var reports: [NodeID: NodeReport]

    init(
        policy: FailoverPolicy = FailoverPolicy(), names: String = "ANY 1 (b, c)",
        resuming record: JournalRecord? = nil,
        unwatchedFor: Duration? = nil
    ) {
        machine = FailoverMachine(
            names: Self.names, policy: policy, timings: FailoverTimings(), resuming: record, lastFailoverAt: nil,
            unwatchedFor: unwatchedFor, now: now)
        let start = now
        reports = Self.names.values.reduce(into: [:]) { reports, node in
            reports[node] = NodeReport(
                systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: node != Self.a, received: LSN(1_000),
                replayed: LSN(1_000),
                receiver: node == Self.a ? nil : .init(isStreaming: true, silentFor: .milliseconds(10)),
                hasUpstream: node != Self.a, synchronousStandbyNames: node == Self.a ? names : "", askedAt: start)
        }
    }

    mutating func change(_ node: NodeID, _ change: (inout NodeReport) -> Void) {
        if var report = reports[node] {
            change(&report)
            reports[node] = report
        }
    }

    /// kill -9 of everything on the node.
    mutating func kill(_ node: NodeID) {
        away[node] = .refused
        machine.observe(.sessionBroke, at: now)
        for other in reports.keys { change(other) { $0.receiver = nil } }
    }

    /// The network drops all that the node sends.
    mutating func isolate(_ node: NodeID, after silence: Duration) {
        away[node] = .silent
        for other in reports.keys where other != node { change(other) { $0.receiver?.silentFor = silence } }
    }

    /// Time passes, with a look at every node each 50 ms, unless nobody looks.
    mutating func pass(_ duration: Duration, looking: Bool = true) {
        let end = now + duration
        while now < end {
            now = now + .milliseconds(50)
            if looking { look() }
            run(machine.tick(at: now))
        }
    }

    private mutating func look() {
        for node in Self.names.values.sorted() {
            machine.observe(.contacted(node, away[node] ?? .answered), at: now)
            guard away[node] == nil, var report = reports[node] else { continue }
            report.askedAt = now
            machine.observe(.reported(node, report), at: now)
        }
        guard away[machine.evidence.primary] == nil else { return }
        for kind in HeartbeatKind.allCases {
            machine.observe(.heartbeatBegun(kind), at: now)
            guard hasQuorum || kind == .local else { continue }
            machine.observe(.heartbeatAcknowledged(kind, end: LSN(1_000)), at: now + .milliseconds(1))
        }
    }

    private mutating func run(_ actions: [FailoverAction]) {
        for action in actions {
            switch action {
            case .note(let note):
                transcript.append("\(note.row) \(note.to.rawValue)")
                details = note.details
            case .record(let record):
                records.append(record)
                transcript.append("  record \(record.state.rawValue)")
                if writesRecords { run(machine.recorded(record.sequence, at: now)) }
            case .perform(let order): perform(order)
            }
        }
    }

    private mutating func perform(_ order: Order) {
        transcript.append("  \(text(order.step))")
        if let outcome = outcomes[order.step.name] { return run(machine.answered(order.id, outcome, at: now)) }
        switch order.step {
        case .sever(let node), .promote(let node), .follow(let node), .setSynchronousNames(let node):
            guard away[node] == nil else { return run(machine.answered(order.id, .failed("away"), at: now)) }
            carryOut(order, on: node)
        default: break
        }
        run(machine.answered(order.id, .done, at: now))
    }

    private mutating func carryOut(_ order: Order, on node: NodeID) {
        change(node) { report in
            switch order.step {
            case .sever:
                report.hasUpstream = false
                report.receiver = nil
            case .follow:
                report.hasUpstream = true
                report.receiver = .init(isStreaming: true, silentFor: .zero)
            case .promote:
                report.isInRecovery = false
                report.timeline = TimelineID(report.timeline.rawValue + 1)
            case .setSynchronousNames:
                report.synchronousStandbyNames =
                    order.rule.map { rule in
                        let names = Self.names.filter { rule.members.contains($0.value) }.keys.sorted()
                        return "ANY \(rule.required) (\(names.joined(separator: ", ")))"
                    } ?? ""
            default: break
            }
        }
    }

    private func text(_ step: Step) -> String {
        let node: NodeID? =
            switch step {
            case .checkpoint(let node), .sever(let node), .follow(let node), .closeConnections(let node),
                .fenceHook(let node), .setSynchronousNames(let node), .promote(let node), .createSlot(let node),
                .rejoin(let node):
                node
            case .hold, .drain, .raiseTerm, .beginEpoch, .release: nil
            }
        guard let node else { return step.name }
        return "\(step.name) \(machine.evidence.name(of: node))"
    }

    mutating func takeTranscript() -> String {
        defer { transcript.removeAll() }
        return transcript.joined(separator: "\n")
    }

    var rows: [Int] { transcript.compactMap { Int($0.prefix { $0.isNumber }) } }
}
