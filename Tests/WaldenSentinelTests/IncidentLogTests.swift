import Testing
import WaldenCore
import WaldenFailover
import WaldenTestKit

@testable import WaldenSentinel

/// A real machine on a small stage writes its history: what people read must be what happened, across restarts, rotations
/// and a file that ends in the middle of a line.
@Suite struct IncidentLogTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func log(limit: Int = 1 << 20) throws -> IncidentLog { try IncidentLog(in: scratch.path, limit: limit) }

    @Test func aFailoverIsToldFromItsDoubtToItsEnd() throws {
        let log = try log()
        var stage = Stage()
        stage.fail(log)
        let incident = try #require(log.history.incidents.first)
        #expect(log.history.incidents.count == 1)
        #expect(incident.term == Term(2))
        #expect(incident.cause == .found(.crashed))
        #expect(incident.outcome == .replaced)
        #expect(incident.candidate == NodeID(1))
        #expect(incident.isProven)
        #expect(incident.lostBytes == 0)
        #expect(incident.evidence.first == "finding: crashed")
        #expect(incident.lines.compactMap { $0.row?.number } == [220, 310, 410, 500, 600, 710, 800, 900, 1000])
        let steps = incident.lines.compactMap(\.step).map { "\($0.name) \($0.outcome)" }
        #expect(steps.contains("promote done"))
        #expect(steps.contains("sever done"))
        // The primary had answered a moment before it died; from there on nobody was served.
        let outage = try #require(incident.outage)
        #expect(outage > .milliseconds(100))
        #expect(outage == .microseconds((incident.endedAt ?? 0) - incident.beganAt) + incident.silence)
        #expect(log.history.counts.failovers == 1)
    }

    @Test func whatWasReadIsWhatWasWritten() throws {
        var stage = Stage()
        let before = try log()
        stage.fail(before)
        try Files.write(#"{"at":1,"ro"#.utf8, to: "\(scratch.path)/incidents", appending: true)
        let after = try log()
        #expect(after.history.incidents == before.history.incidents)
        #expect(after.history.counts == IncidentCounts(), "the past is not counted")
        // The torn line is gone, the next one stands for itself.
        stage.pauseAndResume(after)
        #expect(try log().history.incidents == before.history.incidents)
        let text = try TextFile.read("\(scratch.path)/incidents")
        #expect(!text.contains(#""ro{"#))
        #expect(text.contains(#""to":"maintenance""#))
    }

    @Test func linesThatCannotBeReadArePassedOver() throws {
        var stage = Stage()
        let before = try log()
        stage.fail(before)
        let text = try TextFile.read("\(scratch.path)/incidents")
        try TextFile.write("rubbish\n\n" + text + "{}\n", to: "\(scratch.path)/incidents")
        #expect(try log().history.incidents == before.history.incidents)
    }

    /// The journal does not know of it: nothing of it was done, and its number is given again.
    @Test func anIncidentThatEndedWithTheSentinelIsToldAsSuch() throws {
        var stage = Stage()
        let first = try log()
        stage.fail(first)
        let text = try TextFile.read("\(scratch.path)/incidents").split(separator: "\n")
        // The doubt and the first row.
        try TextFile.write(text[..<4].map { $0 + "\n" }.joined(), to: "\(scratch.path)/incidents")
        let second = try log()
        #expect(second.history.open?.term == Term(2))
        second.started(with: nil)
        #expect(second.history.open == nil)
        #expect(second.history.incidents.map(\.outcome) == [.undone])
        #expect(second.history.incidents.first?.outage == nil)
        var again = Stage()
        again.fail(second)
        #expect(second.history.incidents.map(\.outcome) == [.undone, .replaced])
        #expect(second.history.incident(Term(2))?.outcome == .replaced)
        #expect(try log().history.incidents.map(\.outcome) == [.superseded, .replaced])
    }

    /// A primary that wavers fills nothing.
    @Test func doubtsThatLeadToNothingAreNotKept() throws {
        let log = try log()
        var stage = Stage()
        for _ in 0..<50 { stage.waver(log) }
        #expect(log.history.incidents.isEmpty)
        #expect(try TextFile.read("\(scratch.path)/incidents").split(separator: "\n").count <= 2)
    }

    /// The rules that count are recorded whenever they change; only within an incident is that part of its story.
    @Test func aChangedRuleBelongsToTheIncidentUnderWay() throws {
        let log = try log()
        var stage = Stage()
        stage.changeRule(log)
        #expect(log.history.incidents.isEmpty)
        stage.changeRuleInASwitchover(log)
        let rows = try #require(log.history.incidents.first).lines.compactMap(\.row?.number)
        #expect(rows.first == 210 && rows.contains(215) && rows.last == 1_000, "\(rows)")
    }

    /// What fails again and again in the same way is told once, with the number of tries when it ends.
    @Test func aStepThatFailsForLongIsToldOnce() throws {
        let log = try log()
        var stage = Stage()
        stage.refusesSevering = true
        stage.fail(log)
        let incident = try #require(log.history.incidents.first)
        #expect(incident.outcome == .undone)
        #expect(incident.refusal?.contains("too few standbys could be severed") == true)
        let failures = incident.lines.compactMap(\.step).filter { $0.name == "sever" && $0.outcome == "failed" }
        #expect(failures.count == 2, "one for each standby")
        #expect(log.history.counts.aborted == 1)
    }

    @Test func theFileIsPutAsideWhenItIsFullAndReadWithTheOther() throws {
        let log = try log(limit: 12_000)
        var stage = Stage()
        for _ in 0..<8 {
            stage.refusesSevering = true
            stage.fail(log)
        }
        #expect(log.unwritten == 0)
        let sizes = try ["incidents", "incidents.1"].map { try Files.read("\(scratch.path)/\($0)").count }
        #expect(sizes.allSatisfy { (1...12_000).contains($0) }, "\(sizes)")
        let read = try self.log(limit: 12_000).history.incidents
        let known = log.history.incidents
        #expect(!read.isEmpty)
        #expect(read.last == known.last)
        #expect(read.count < known.count, "the oldest are gone")
    }

    @Test func theHistoryIsAFoldOverItsLines() throws {
        let log = try log()
        var stage = Stage()
        stage.fail(log)
        var fold = IncidentHistory()
        for incident in log.history.incidents { for line in incident.lines { fold.add(line) } }
        #expect(fold.incidents == log.history.incidents)
    }
}

/// Three nodes that do as they are told; time passes by hand.
struct Stage {
    private var machine: FailoverMachine
    private var now = Instant(nanoseconds: 10_000_000_000)
    private var wall: Int64 = 800_000_000_000_000
    private var reports: [NodeID: NodeReport] = [:]
    private var isDead = false
    var refusesSevering = false
    private var isDraining = false

    private static let nodes = [NodeID(0), NodeID(1), NodeID(2)]

    init() {
        var timings = FailoverTimings()
        timings.cooldown = .zero
        machine = FailoverMachine(
            names: ["a": NodeID(0), "b": NodeID(1), "c": NodeID(2)], policy: FailoverPolicy(), timings: timings,
            resuming: nil, lastFailoverAt: nil, now: now)
        for node in Self.nodes {
            reports[node] = NodeReport(
                systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: node.index != 0, received: LSN(1_000),
                replayed: LSN(1_000),
                receiver: node.index == 0 ? nil : .init(isStreaming: true, silentFor: .milliseconds(10)),
                hasUpstream: node.index != 0, synchronousStandbyNames: node.index == 0 ? "ANY 1 (b, c)" : "",
                askedAt: now)
        }
    }

    /// The primary dies; then what follows; where it could not be replaced it comes back.
    mutating func fail(_ log: IncidentLog) {
        pass(20, log)
        die()
        pass(60, log)
        guard machine.state != .steady || isDead else { return }
        revive()
        pass(400, log)
    }

    /// It does not answer for a moment, and the standbys still hear of it.
    mutating func waver(_ log: IncidentLog) {
        pass(20, log)
        isDead = true
        machine.observe(.sessionBroke, at: now)
        pass(10, log)
        isDead = false
        pass(20, log)
    }

    mutating func changeRule(_ log: IncidentLog) {
        pass(20, log)
        reports[machine.evidence.primary]?.synchronousStandbyNames = "ANY 2 (b, c)"
        pass(20, log)
    }

    mutating func changeRuleInASwitchover(_ log: IncidentLog) {
        pass(20, log)
        isDraining = true
        machine.observe(.requested(.switchover(to: nil)), at: now)
        pass(4, log)
        reports[machine.evidence.primary]?.synchronousStandbyNames = "ANY 1 (b, c)"
        pass(4, log)
        isDraining = false
        pass(60, log)
    }

    mutating func pauseAndResume(_ log: IncidentLog) {
        for request in [FailoverRequest.pause, .resume] {
            machine.observe(.requested(request), at: now)
            pass(4, log)
        }
    }

    private mutating func die() {
        isDead = true
        machine.observe(.sessionBroke, at: now)
        for node in Self.nodes { reports[node]?.receiver = nil }
    }

    private mutating func revive() {
        isDead = false
        for node in Self.nodes where reports[node]?.hasUpstream == true {
            reports[node]?.receiver = .init(isStreaming: true, silentFor: .zero)
        }
    }

    private mutating func pass(_ ticks: Int, _ log: IncidentLog) {
        for _ in 0..<ticks {
            now = now + .milliseconds(50)
            wall += 50_000
            look()
            run(machine.tick(at: now), log)
        }
    }

    private mutating func look() {
        for node in Self.nodes {
            let isAway = isDead && node == machine.evidence.primary
            machine.observe(.contacted(node, isAway ? .refused : .answered), at: now)
            guard !isAway, var report = reports[node] else { continue }
            report.askedAt = now
            machine.observe(.reported(node, report), at: now)
        }
        guard !isDead else { return }
        for kind in HeartbeatKind.allCases {
            machine.observe(.heartbeatBegun(kind), at: now)
            machine.observe(.heartbeatAcknowledged(kind, end: LSN(1_000)), at: now + .milliseconds(1))
        }
    }

    private mutating func run(_ actions: [FailoverAction], _ log: IncidentLog) {
        for action in actions {
            switch action {
            case .note(let note): log.took(note, wall: wall, now: now)
            case .record(let record): run(machine.recorded(record.sequence, at: now), log)
            case .perform(let order):
                log.ordered(order, now: now)
                let outcome = carryOut(order)
                log.answered(order.id, outcome, wall: wall, now: now)
                run(machine.answered(order.id, outcome, at: now), log)
            }
        }
    }

    private mutating func carryOut(_ order: Order) -> StepOutcome {
        switch order.step {
        case .sever(let node):
            if refusesSevering { return .failed("no way") }
            reports[node]?.hasUpstream = false
            reports[node]?.receiver = nil
        case .drain: if isDraining { return .failed("not yet") }
        case .follow(let node):
            reports[node]?.hasUpstream = true
            reports[node]?.receiver = .init(isStreaming: true, silentFor: .zero)
        case .promote(let node):
            reports[node]?.isInRecovery = false
            reports[node]?.timeline = TimelineID(2)
            // The dead one is another node from here on.
            isDead = false
        default: break
        }
        return .done
    }
}
