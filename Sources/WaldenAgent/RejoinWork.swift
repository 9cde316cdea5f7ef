import Logging
import WaldenCommands
import WaldenCore
import WaldenPostgres
import WaldenRejoin

/// Carries out a rejoin: looks, asks the plan, does one step, looks again. Runs on a thread of its own.
struct RejoinWork {
    let request: RejoinRequest
    let node: Node
    let memory: AgentMemory
    let interrupt: Interrupt
    let log: Logger

    private var server: Server { Server(node: node) }
    private var files: NodeFiles { NodeFiles(node: node) }

    /// More means that something undoes what is done.
    private static let stepsMaximum = 100
    private static let streamTimeout = 300

    func run() throws(AgentError) {
        for _ in 0..<Self.stepsMaximum {
            if interrupt.isRaised { throw .interrupted }
            let step = RejoinPlan.next(try look())
            if case .fail(let reason) = step { throw .failed(reason) }
            try note("\(step)")
            try take(step)
            if step == .finish { return }
        }
        throw .failed("\(Self.stepsMaximum) steps were taken and the node is no standby: does something else start it?")
    }

    // MARK: Looking

    private func look() throws(AgentError) -> RejoinFacts {
        let stage = memory.record.job?.stage ?? .begun
        var facts = RejoinFacts(stage: stage, data: try data())
        facts.isRunning = node.isRunning
        facts.isForeign = memory.record.isForeign
        facts.isSaved = FileSystem.exists(node.saved)
        facts.hasCopy = FileSystem.exists(node.copy)
        facts.hasOld = FileSystem.exists(node.old)
        guard stage == .saved || stage == .recloning else { return facts }
        facts.copyObstacle = files.copyObstacle
        facts.freeBytes = files.freeBytes
        let source = try source()
        do throws(PostgresError) {
            facts.source = try source.look()
        } catch {
            if error.kind == .interrupted { throw .interrupted }
            facts.sourceProblem = "\(error)"
        }
        return facts
    }

    private func data() throws(AgentError) -> RejoinFacts.Data {
        if let found = try server.controlData() { return .cluster(found) }
        return FileSystem.exists(node.data) ? .unreadable : .absent
    }

    private func source() throws(AgentError) -> Source { try Source(request, interrupt) }

    // MARK: Steps

    private func take(_ step: RejoinStep) throws(AgentError) {
        switch step {
        case .stop: try server.stop { interrupt.isRaised }
        case .save:
            try files.save()
            try advance(to: .saved)
        case .rewind: try rewind()
        case .keepData:
            try makeSlot()
            try advance(to: .rewound)
        case .giveUpRewinding: try advance(to: .recloning)
        case .removeCopy: try FileSystem.remove(node.copy) { interrupt.isRaised }
        case .copy: try copy()
        case .setAside: try FileSystem.move(node.data, to: node.old)
        case .removeData: try FileSystem.remove(node.data) { interrupt.isRaised }
        case .moveIn: try FileSystem.move(node.copy, to: node.data)
        case .configure: try configure()
        case .start: try server.start { interrupt.isRaised }
        case .awaitStream: try awaitStream()
        case .removeOld: try FileSystem.remove(node.old) { interrupt.isRaised }
        case .finish: try FileSystem.remove(node.saved)
        case .fail(let reason): throw .failed(reason)
        }
    }

    private func rewind() throws(AgentError) {
        try makeSlot()
        try advance(to: .rewinding, isForeign: true)
        try files.unmarkStandby()
        var arguments = ["--target-pgdata=\(node.data)", "--source-server=service=\(Source.service)"]
        if let file = node.options.configurationFile { arguments.append("--config-file=\(file)") }
        let end = try atSource("pg_rewind", arguments)
        if end.isSuccess { return try advance(to: .rewound) }
        try note("pg_rewind: \(end.status): \(end.lastLines())")
        try advance(to: .recloning)
    }

    private func copy() throws(AgentError) {
        try makeSlot()
        var arguments = ["-D", node.copy, "-d", "service=\(Source.service)", "-X", "stream", "-c", "fast", "-w"]
        if let slot = request.slot { arguments += ["-S", slot] }
        let end = try atSource("pg_basebackup", arguments)
        guard end.isSuccess else { throw .failed("pg_basebackup: \(end.status): \(end.lastLines())") }
        try advance(to: .copied, isForeign: true)
    }

    /// The programs' command lines can be read by everyone on the host, the service file cannot.
    private func atSource(_ program: String, _ arguments: [String]) throws(AgentError) -> ProgramEnd {
        let path = "\(node.state)/service.conf"
        let source = try source()
        let content: String
        do throws(PostgresError) {
            content = try source.dsn.serviceFile(named: Source.service)
        } catch {
            throw .failed("the source's connection string: \(error)")
        }
        try FileSystem.replace(path, with: Array(content.utf8))
        let end: ProgramEnd
        do throws(AgentError) {
            end = try server.run(
                program, arguments, environment: ["PGSERVICEFILE": path], timeout: node.options.copyTimeout
            ) { interrupt.isRaised }
        } catch {
            try FileSystem.remove(path)
            throw error
        }
        try FileSystem.remove(path)
        return end
    }

    private func makeSlot() throws(AgentError) {
        guard let slot = request.slot else { return }
        let source = try source()
        do throws(PostgresError) {
            try source.makeSlot(slot)
        } catch {
            if error.kind == .interrupted { throw .interrupted }
            throw .failed("slot \(slot) cannot be made at the source: \(error)")
        }
    }

    private func configure() throws(AgentError) {
        try files.configure(request)
        try memory.update { record in
            record.job?.stage = .configured
            record.isForeign = false
            record.isFenced = false
        }
        try FileSystem.remove(node.saved)
    }

    private func awaitStream() throws(AgentError) {
        let seconds = request.streamTimeoutSeconds ?? Self.streamTimeout
        let deadline = MonotonicClock.now() + .seconds(seconds)
        var problem = "it has no receiver that streams"
        while node.isRunning {
            var streams = false
            do throws(PostgresError) {
                streams = try LocalServer(node: node, interrupt: interrupt).streams()
            } catch {
                if error.kind == .interrupted { throw .interrupted }
                problem = "\(error)"
            }
            if streams { return try advance(to: .streaming) }
            guard MonotonicClock.now() < deadline else {
                throw .failed("the standby does not stream after \(seconds) s: \(problem); \(server.logTail())")
            }
            Polling.sleep(until: MonotonicClock.now() + .milliseconds(100), unless: interrupt)
            if interrupt.isRaised { throw .interrupted }
        }
        throw .failed("the standby ended before it streamed; \(server.logTail())")
    }

    // MARK: Journal

    private func advance(to stage: RejoinStage, isForeign: Bool? = nil) throws(AgentError) {
        try memory.update { record in
            record.job?.stage = stage
            if let isForeign { record.isForeign = isForeign }
        }
    }

    private func note(_ line: String) throws(AgentError) {
        log.info("rejoin", metadata: ["term": "\(request.term)", "step": "\(line)"])
        try memory.update { record in
            guard var job = record.job else { return }
            job.lines.append(line)
            job.lines.removeFirst(max(0, job.lines.count - JobReport.linesMaximum))
            record.job = job
        }
    }
}
