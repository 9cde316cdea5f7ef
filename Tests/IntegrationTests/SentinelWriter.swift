import Glibc
import Synchronization
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel
import WaldenTestKit

/// What clients were told, and when.
final class WriteLedger: Sendable {
    private struct State {
        var ids: [Int] = []
        var last: Instant?
        var gap = Duration.zero
        var errors: [String] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.ids.count } }
    var acknowledged: [Int] { state.withLock { $0.ids } }
    var longestGap: Duration { state.withLock { $0.gap } }
    /// What the server, or its end, answered in the place of an acknowledgement.
    var errors: [String] { state.withLock { $0.errors } }

    func acknowledge(_ id: Int) {
        let now = MonotonicClock.now()
        state.withLock { state in
            state.ids.append(id)
            if let last = state.last { state.gap = max(state.gap, now.elapsed(since: last)) }
            state.last = now
        }
    }

    func failed(_ error: any Error) {
        state.withLock { $0.errors.append("\(error)") }
    }
}

/// The sentinel's delegate: one door to the primary of the highest term, and whether it is open.
final class WriterProxy: SentinelDelegate {
    private struct State {
        var term = Term.first
        var primary: NodeID
        var isHeld = false
        /// Rises whenever connections are to be closed.
        var generation = 0
        var isWriting = false
        var isEnded = false
        var notes: [FailoverNote] = []
        var findings: [WaldenFailover.Finding] = []
        var onNote: (@Sendable (FailoverNote) -> Void)?
        /// The agent: makes the first a standby of the second.
        var onRejoin: (@Sendable (NodeID, NodeID) -> StepOutcome)?
        /// Told when no write is under way.
        var drainers: [@Sendable (StepOutcome) -> Void] = []
    }

    private let state: Mutex<State>

    init(primary: NodeID) {
        state = Mutex(State(primary: primary))
    }

    var serving: (primary: NodeID, isHeld: Bool) { state.withLock { ($0.primary, $0.isHeld) } }
    var generation: Int { state.withLock { $0.generation } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    var notes: [FailoverNote] { state.withLock { $0.notes } }
    var findings: [WaldenFailover.Finding] { state.withLock { $0.findings } }
    var rows: [Int] { notes.map(\.row) }

    func end() {
        state.withLock { $0.isEnded = true }
    }

    // MARK: The sentinel's

    func noted(_ note: FailoverNote) {
        let onNote = state.withLock { state in
            state.notes.append(note)
            return state.onNote
        }
        onNote?(note)
    }

    func found(_ finding: WaldenFailover.Finding) {
        state.withLock { $0.findings.append(finding) }
    }

    /// Called on the sentinel's thread, before the state's record is written.
    func onNote(_ body: @escaping @Sendable (FailoverNote) -> Void) {
        state.withLock { $0.onNote = body }
    }

    func onRejoin(_ body: @escaping @Sendable (NodeID, NodeID) -> StepOutcome) {
        state.withLock { $0.onRejoin = body }
    }

    func carryOut(_ order: Order, answer: @escaping @Sendable (StepOutcome) -> Void) {
        if case .rejoin(let node) = order.step { return rejoin(node, order.primary, answer) }
        let outcome = state.withLock { state -> StepOutcome? in
            guard order.term >= state.term else { return .failed("term \(order.term) is over") }
            switch order.step {
            case .hold: state.isHeld = true
            case .drain where state.isWriting:
                state.drainers.append(answer)
                return nil
            case .raiseTerm: state.term = order.term
            case .closeConnections: state.generation += 1
            case .release:
                state.primary = order.primary
                state.isHeld = false
            case .drain, .beginEpoch, .createSlot: break
            case .fenceHook, .rejoin, .sever, .follow, .setSynchronousNames, .promote, .checkpoint:
                return .refused("not the proxy's")
            }
            return .done
        }
        if let outcome { answer(outcome) }
    }

    private func rejoin(_ node: NodeID, _ primary: NodeID, _ answer: @escaping @Sendable (StepOutcome) -> Void) {
        guard let agent = state.withLock({ $0.onRejoin }) else { return answer(.refused("there is no agent")) }
        do {
            _ = try BackgroundThread { answer(agent(node, primary)) }
        } catch {
            answer(.failed("\(error)"))
        }
    }

    // MARK: The writer's

    /// Whether a write may begin at that node; `wrote` must follow.
    fileprivate func mayWrite(to node: NodeID, _ generation: Int) -> Bool {
        state.withLock { state in
            guard !state.isHeld, state.primary == node, state.generation == generation else { return false }
            state.isWriting = true
            return true
        }
    }

    fileprivate func wrote() {
        let drainers = state.withLock { state in
            state.isWriting = false
            defer { state.drainers = [] }
            return state.drainers
        }
        for answer in drainers { answer(.done) }
    }
}

/// One write after the other, each with a number of its own, none ever repeated.
struct Writer {
    let servers: [PostgresServer]
    let proxy: WriterProxy
    let ledger: WriteLedger
    private var client: SQLClient?
    private var generation = 0
    private var id = 0

    init(_ servers: [PostgresServer], _ proxy: WriterProxy, _ ledger: WriteLedger) {
        self.servers = servers
        self.proxy = proxy
        self.ledger = ledger
    }

    mutating func run() {
        while !proxy.isEnded {
            let (primary, isHeld) = proxy.serving
            if proxy.generation != generation { client = nil }
            generation = proxy.generation
            guard !isHeld, let session = session(at: primary), proxy.mayWrite(to: primary, generation) else {
                usleep(500)
                continue
            }
            write(session)
            proxy.wrote()
        }
    }

    private mutating func session(at primary: NodeID) -> SQLClient? {
        if client == nil { client = try? servers[primary.index].connect() }
        return client
    }

    private mutating func write(_ session: SQLClient) {
        id += 1
        do {
            try session.begin("INSERT INTO writes VALUES (\(id))")
            // The proxy closes connections to a server that does not answer; what became of the write is not known then.
            while session.isBusy {
                guard proxy.generation == generation, !proxy.isEnded else { return client = nil }
                usleep(200)
            }
            try session.finish()
            ledger.acknowledge(id)
        } catch {
            ledger.failed(error)
            client = nil
        }
    }
}
