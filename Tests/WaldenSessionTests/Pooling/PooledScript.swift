import WaldenCore
import WaldenWire

@testable import WaldenSession

/// One client of a pool of simulated servers: does what the shell does, and writes down what the client sees.
final class PooledScript {
    var machine: SessionMachine
    let servers: [SimulatedServer]
    private(set) var current: Int?
    /// Which server is taken next; nil: none is free.
    var next: Int? = 0
    /// What the client has been sent.
    private(set) var received: [UInt8] = []
    /// `acquire 1`, `release 1`, `rerun`, `give up: …`.
    private(set) var events: [String] = []
    private(set) var demands: [ServerDemand] = []
    private var clientInput: [UInt8] = []
    private var serverInput: [UInt8] = []
    /// Bytes on their way to the current server; it answers them in `pump()`.
    private var toServer: [UInt8] = []
    private var isPaused = false
    private var resumes: Resumption?
    private var cached: Set<[UInt8]> = []
    private let environment = ScriptedEnvironment()
    /// Servers answer as soon as the client's input has been dealt with.
    var answersAtOnce = true
    var clock: UInt64 = 1

    private enum Resumption { case miss, forward }

    init(
        servers: [SimulatedServer], parameters: [(String, String)] = [], isCaching: Bool = false,
        names: StatementNames = StatementNames(), mode: Pooling.Mode = .transaction,
        census: Pooling.Census = .suspect, isReadOnly: Bool = false, policy: SessionPolicy = SessionPolicy()
    ) {
        var startup = StartupMessage(user: "alice", database: "shop")
        startup.parameters += parameters.map { StartupMessage.Parameter(name: $0.0, value: $0.1) }
        var pooling = Pooling(mode: mode, census: census, statements: names)
        pooling.isReadOnly = isReadOnly
        machine = SessionMachine(startup: startup, isCaching: isCaching, policy: policy, pooling: pooling)
        self.servers = servers
        _ = machine.welcome(SimulatedServer.greeting)
    }

    var pins: [Pin] { machine.pins }
    var abandonment: Abandonment { machine.abandonment }
    var answersAreUncertain: Bool { machine.answersAreUncertain }
    var mayRelease: Bool { machine.mayRelease }
    var pendingCommit: PendingCommit { machine.pendingCommit }
    var isInDoubt: Bool { machine.isInDoubt }
    var isQuiescent: Bool { machine.isQuiescent }
    func unsettledRead(_ own: ConsistencyLevel? = nil) -> NodeID? { machine.unsettledRead(own)?.replica }

    func lastWord(_ error: ErrorResponse) -> ErrorResponse { machine.lastWord(error) }
    func mayUse(_ server: ServerSession) -> Bool { machine.mayUse(server) }
    func refuseFront(_ error: ErrorResponse) -> FrontRefusal? {
        let input = clientInput
        return machine.refuseFront(input.span.bytes, error)
    }

    func takeUnrouted() -> UnroutedRead? { machine.takeUnrouted() }

    func client(_ messages: any FrontendMessage...) {
        clientInput += messages.flatMap { $0.encoded() }
        run()
    }

    func clientBytes(_ bytes: [UInt8]) {
        clientInput += bytes
        run()
    }

    /// Tags and texts of what the client has been sent since.
    func seen() -> String {
        defer { received.removeAll() }
        return Transcript.text(received)
    }

    func takeEvents() -> [String] {
        defer { events.removeAll() }
        return events
    }

    func takeReceived() -> [UInt8] {
        defer { received.removeAll() }
        return received
    }

    /// Lets the server answer what it has been sent, and the session go on, until nothing moves.
    func pump() {
        while let index = current, !toServer.isEmpty {
            let bytes = toServer
            toServer.removeAll()
            serverInput += servers[index].take(bytes)
            read()
            isPaused = false
            resume()
        }
    }

    /// The current server's connection ends.
    func loseServer() -> ServerLoss {
        toServer.removeAll()
        serverInput.removeAll()
        let loss = machine.serverLost(Instant(nanoseconds: clock))
        current = nil
        if case .rerun(let bytes) = loss { clientInput = bytes + clientInput }
        if loss.goesOn {
            isPaused = false
            run()
        }
        return loss
    }

    func say(_ bytes: [UInt8]) {
        serverInput += bytes
        read()
    }

    private func run() {
        while !clientInput.isEmpty, !isPaused, resumes == nil {
            let input = clientInput
            switch machine.nextClientStep(input.span.bytes, environment) {
            case .needMore: return settle()
            case .forward(let count, let replacing, _): forward(Forwarding(byteCount: count, replacing: replacing))
            case .answer(let count, let reply):
                clientInput.removeFirst(count)
                received += reply
            case .tell(let bytes): received += bytes
            case .resolved(let outcome, let count, let bytes, let end):
                clientInput.removeFirst(count)
                received += bytes
                events.append("resolved: \(outcome)")
                if let end { events.append("end: \(end.sqlState?.description ?? "") \(end.fields[.detail] ?? "")") }
            case .acquire(let demand): if !acquire(demand) { return }
            case .openTransaction:
                inject()
                isPaused = true
            case .drain: isPaused = true
            case .lookup: lookUp()
            case .terminate: clientInput.removeAll()
            case .violation(let error):
                events.append("violation: \(error.message)")
                clientInput.removeAll()
            }
        }
        if answersAtOnce { pump() }
        settle()
    }

    private func resume() {
        if machine.isOpeningTransaction { return }
        switch resumes {
        case .miss:
            resumes = nil
            miss()
        case .forward:
            resumes = nil
            forwardUnit()
        case nil: break
        }
        if !isPaused { run() }
    }

    private func lookUp() {
        if cached.contains(machine.key) {
            guard let frame = machine.hitAccepted(showing: LSN(clock)) else { return isPaused = true }
            clientInput.removeFirst(frame.byteCount)
            if frame.parseComplete { received += ParseComplete().encoded() }
            if frame.bindComplete { received += BindComplete().encoded() }
            received += ReadyForQuery(frame.isInTransaction ? .inTransaction : .idle).encoded()
            return
        }
        miss()
    }

    /// From now on the statement offered last is a hit.
    func keep() { cached.insert(machine.key) }

    private func miss() {
        let input = clientInput
        switch machine.missed(input.span.bytes, environment) {
        case .fill, .pass: forwardUnit()
        case .openTransaction:
            inject()
            (resumes, isPaused) = (.miss, true)
        case .acquire(let demand): if acquire(demand) { miss() }
        case .tell(let bytes):
            received += bytes
            miss()
        }
    }

    private func forwardUnit() {
        let input = clientInput
        switch machine.prepareToForward(input.span.bytes, environment, hasFill: false) {
        case .forward, .forwardWithoutFill: forward(machine.forwardUnit(input.span.bytes, environment, fill: nil))
        case .openTransaction:
            inject()
            (resumes, isPaused) = (.forward, true)
        case .acquire(let demand): if acquire(demand) { forwardUnit() }
        case .tell(let bytes):
            received += bytes
            forwardUnit()
        }
    }

    private func inject() {
        toServer += machine.takeInjection()
    }

    private func forward(_ sent: Forwarding) {
        inject()
        toServer += clientInput[sent.replacing..<sent.byteCount]
        clientInput.removeFirst(sent.byteCount)
    }

    private func acquire(_ demand: ServerDemand) -> Bool {
        demands.append(demand)
        if case .confirm = demand {
            events.append("confirm")
            machine.confirmServer()
            return true
        }
        if current != nil { release() }
        guard let next else {
            isPaused = true
            return false
        }
        current = next
        if !machine.mayUse(servers[next].session) {
            events.append("renew \(next)")
            servers[next].renew()
        }
        events.append("acquire \(next)")
        machine.attach(servers[next].session)
        return true
    }

    private func release() {
        events.append("release \(current ?? -1)")
        toServer.removeAll()
        if machine.abandonment == .close, let current { servers[current].renew() }
        machine.detach()
        current = nil
    }

    private func settle() {
        guard current != nil, !isPaused, toServer.isEmpty else { return }
        switch machine.settle() {
        case .keep: break
        case .ask:
            inject()
            if answersAtOnce { pump() }
        case .release: release()
        }
    }

    private func read() {
        while true {
            let input = serverInput
            switch machine.nextServerStep(input.span.bytes, now: Instant(nanoseconds: clock)) {
            case .needMore: return
            case .relay(let count), .capture(let count, _), .unitEnded(let count, _): received += take(count)
            case .swallow(let count): _ = take(count)
            case .replace(let count, let bytes):
                _ = take(count)
                received += bytes
            case .rerun(let count, let bytes):
                _ = take(count)
                events.append("rerun")
                clientInput = bytes + clientInput
                release()
                return
            case .fillBroken, .becomeTransparent, .backendKey: break
            case .giveUp(let error):
                events.append("give up: \(error.message)")
                clientInput.removeAll()
                return
            case .violation(let error):
                events.append("violation: \(error.message)")
                return
            }
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        defer { serverInput.removeFirst(count) }
        return Array(serverInput.prefix(count))
    }
}

/// What a client is sent, as a text: `1` and the like for plain messages, `D(value)`, `S(name=value)`, `E(code text)`.
enum Transcript {
    static func text(_ bytes: [UInt8]) -> String {
        var result: [String] = []
        var position = 0
        while let header = try? MessageHeader.parse(bytes.span.bytes, at: position, limit: 1 << 24) {
            result.append(word(bytes, header, position))
            position += header.byteCount
        }
        return result.joined(separator: " ")
    }

    private static func word(_ bytes: [UInt8], _ header: MessageHeader, _ start: Int) -> String {
        let input = bytes.span.bytes
        let body = header.body(at: start)
        switch BackendTag(rawValue: header.tag) {
        case .dataRow:
            let row = try? DataRow(in: input, body: body)
            return "D(\((row?.values ?? []).map { String(decoding: $0 ?? [], as: UTF8.self) }.joined(separator: ",")))"
        case .parameterStatus:
            let status = try? ParameterStatus(in: input, body: body)
            return "S(\(status?.name ?? "")=\(status?.value ?? ""))"
        case .errorResponse:
            let error = try? ErrorResponse(in: input, body: body)
            return "E(\(error?.sqlState?.code ?? "") \(error?.message ?? ""))"
        case .readyForQuery: return "Z\(String(UnicodeScalar(bytes[start + 5])))"
        default: return String(UnicodeScalar(header.tag))
        }
    }
}

extension ServerLoss {
    fileprivate var goesOn: Bool {
        if case .end = self { false } else { true }
    }
}
