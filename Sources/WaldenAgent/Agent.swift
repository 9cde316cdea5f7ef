public import Logging
import Synchronization
import WaldenPostgres
import WaldenRejoin

/// What is done at a database's host: one job at a time, and a fence that overrules it. Whatever it was told that must
/// outlive it is on disk before anything follows from it.
///
/// All of it blocks: not for the cooperative pool (`onThread`).
public final class Agent: Sendable {
    private struct Work: Sendable {
        let thread: OwnedThread
        let interrupt: Interrupt
    }

    private struct State: Sendable {
        var work: Work?
        var isStopping = false
    }

    private let node: Node
    private let memory: AgentMemory
    private let log: Logger
    private let state = Mutex(State())
    /// One order is taken after the other, so that no job begins while a fence is under way.
    private let orders = Mutex(())

    /// - Throws: everything that keeps it from working here. Nothing at the server is changed yet.
    public init(_ options: AgentOptions, log: Logger) throws(AgentError) {
        node = try Node(options)
        memory = try AgentMemory(in: node.state)
        self.log = log
    }

    var options: AgentOptions { node.options }

    // MARK: Looking

    func status() throws(AgentError) -> AgentStatus {
        let record = memory.record
        var status = AgentStatus(
            dataDirectory: node.data, isRunning: node.isRunning, isFenced: record.isFenced, term: record.term)
        status.job = record.job
        guard let found = try Server(node: node).controlData() else {
            status.problem = "no control file can be read in \(node.data)"
            return status
        }
        status.systemIdentifier = found.systemIdentifier
        status.timeline = found.timeline
        status.clusterState = found.state.description
        return status
    }

    /// Nil when it is not the newest.
    func job(_ id: UInt64) -> JobReport? {
        memory.record.job.flatMap { $0.id == id ? $0 : nil }
    }

    // MARK: Fence

    /// When it returns, the server is stopped, and whoever starts it gets one that only reads.
    func fence(term: UInt64) throws(AgentError) -> AgentStatus {
        try orders.withLock { (_) throws(AgentError) in
            let record = memory.record
            try refuseOlder(term, than: record)
            // Its own rejoin came before it: a late copy of an order must not undo that.
            if let job = record.job, job.kind == .rejoin, job.term == term, job.state != .failed {
                return try status()
            }
            log.notice("fencing", metadata: ["term": "\(term)"])
            let wasStandby = record.isFenced ? record.wasStandby : NodeFiles(node: node).isStandby
            try memory.update { record in
                record.term = term
                record.isFenced = true
                record.wasStandby = wasStandby
            }
            let work = state.withLock { $0.work }
            work?.interrupt.raise()
            work?.thread.join()
            if FileSystem.exists(node.data) { try NodeFiles(node: node).markStandby() }
            try Server(node: node).stopAtOnce()
            log.notice("fenced", metadata: ["term": "\(term)"])
            return try status()
        }
    }

    /// The node is again what it was before the fence. The server is not started.
    func unfence(term: UInt64) throws(AgentError) -> AgentStatus {
        try orders.withLock { (_) throws(AgentError) in
            let record = memory.record
            try refuseOlder(term, than: record)
            guard record.isFenced else { return try status() }
            if let job = record.job, job.state == .running { throw .refused("job \(job.id) is under way") }
            guard !record.isForeign else {
                throw .refused("a rejoin was not brought to its end: the node is not what it was before the fence")
            }
            guard !node.isRunning else { throw .refused("the server runs, as a standby: stop it first") }
            if !record.wasStandby { try NodeFiles(node: node).unmarkStandby() }
            try memory.update { record in
                record.term = term
                record.isFenced = false
            }
            log.notice("the fence is taken back", metadata: ["term": "\(term)"])
            return try status()
        }
    }

    private func refuseOlder(_ term: UInt64, than record: AgentRecord) throws(AgentError) {
        guard term >= record.term else {
            throw .refused("term \(term) is over: term \(record.term) has been heard of")
        }
    }

    // MARK: Jobs

    func rejoin(_ request: RejoinRequest) throws(AgentError) -> JobReport {
        if let problem = request.problem { throw .refused(problem) }
        try Source.check(request)
        return try orders.withLock { (_) throws(AgentError) in
            try refuseOlder(request.term, than: memory.record)
            return try begin(.rejoin, request)
        }
    }

    func start() throws(AgentError) -> JobReport {
        try orders.withLock { (_) throws(AgentError) in
            let record = memory.record
            guard !record.isFenced else {
                throw .refused("fenced in term \(record.term): the server is started by a rejoin only")
            }
            guard !record.isForeign else {
                throw .refused("a rejoin was not brought to its end: the server is started by a rejoin only")
            }
            return try begin(.start)
        }
    }

    func stop() throws(AgentError) -> JobReport {
        try orders.withLock { (_) throws(AgentError) in try begin(.stop) }
    }

    /// Goes on with the rejoin that its last life did not end.
    func resume() throws(AgentError) {
        let record = memory.record
        let ended = try node.endLeftovers()
        if !ended.isEmpty { log.notice("ended what an earlier agent left at work", metadata: ["pids": "\(ended)"]) }
        guard let job = record.job, job.state == .running else { return }
        guard let request = record.request else {
            return try end(job.id, .failed("the agent ended meanwhile"))
        }
        log.notice("going on with a rejoin", metadata: ["term": "\(request.term)", "stage": "\(job.stage ?? .begun)"])
        try launch(job, request)
    }

    /// Ends what is under way; a rejoin goes on in the next life.
    func shutDown() {
        let work = state.withLock { state in
            state.isStopping = true
            return state.work
        }
        work?.interrupt.raise()
        work?.thread.join()
    }

    private func begin(_ kind: JobReport.Kind, _ request: RejoinRequest? = nil) throws(AgentError) -> JobReport {
        guard !state.withLock({ $0.isStopping }) else { throw .refused("the agent is ending") }
        let last = memory.record.job
        if let last, last.state == .running { throw .refused("job \(last.id) is under way: \(last.kind.rawValue)") }
        let id = (last?.id ?? 0) &+ 1
        let job = JobReport(id: id, kind: kind, term: request?.term, stage: request == nil ? nil : .begun)
        try memory.update { record in
            record.job = job
            record.request = request
            if let request { record.term = max(record.term, request.term) }
        }
        try launch(job, request)
        return job
    }

    private func launch(_ job: JobReport, _ request: RejoinRequest?) throws(AgentError) {
        do throws(PostgresError) {
            let interrupt = try Interrupt()
            try state.withLock { (state) throws(PostgresError) in
                let thread = try OwnedThread(name: "walden-job") { [self] in
                    work(job, request, interrupt)
                }
                state.work = Work(thread: thread, interrupt: interrupt)
            }
        } catch {
            let failure = AgentError.failed("\(error)")
            try end(job.id, failure)
            throw failure
        }
    }

    private func work(_ job: JobReport, _ request: RejoinRequest?, _ interrupt: Interrupt) {
        do throws(AgentError) {
            do throws(AgentError) {
                switch job.kind {
                case .start: try Server(node: node).start { interrupt.isRaised }
                case .stop: try Server(node: node).stop { interrupt.isRaised }
                case .rejoin:
                    guard let request else { throw .failed("the request is gone") }
                    try RejoinWork(
                        request: request, node: node, memory: memory, interrupt: interrupt, log: log
                    ).run()
                }
                try end(job.id, nil)
            } catch {
                let isStopping = state.withLock { $0.isStopping }
                // Left as it is in the record: the next life goes on with it.
                if error.kind == .interrupted, isStopping, job.kind == .rejoin { return }
                try end(job.id, error.kind == .interrupted ? .failed("a fence overruled it") : error)
            }
        } catch {
            log.error("the agent's record cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func end(_ id: UInt64, _ error: AgentError?) throws(AgentError) {
        if let error {
            log.error("job failed", metadata: ["job": "\(id)", "why": "\(error)"])
        } else {
            log.notice("job done", metadata: ["job": "\(id)"])
        }
        try memory.update { record in
            record.request = nil
            record.job?.state = error == nil ? .done : .failed
            record.job?.problem = error?.description
            if error == nil, record.job?.stage != nil { record.job?.stage = .done }
        }
    }
}
