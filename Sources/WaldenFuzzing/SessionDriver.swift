import WaldenCore
import WaldenDependency
import WaldenSession
import WaldenWire

/// Runs one session machine between two peers, as a proxy does, and keeps nothing of what passes by.
struct SessionDriver: ~Copyable {
    private var machine: SessionMachine
    private let environment = FuzzEnvironment()
    private var isOpening = false
    private(set) var isOver = false
    private var fills: UInt64 = 0
    /// What the machine wants the server to get.
    private(set) var sent: [UInt8] = []

    /// - Parameter isPooled: Served by another server after each transaction.
    init(isCaching: Bool, isPooled: Bool) {
        var limits = SessionLimits()
        limits.heldBytes = 1_024
        limits.preparedStatements = 8
        limits.unitsUnderWay = 8
        machine = SessionMachine(
            startup: StartupMessage(user: "u", database: "d"), isCaching: isCaching, limits: limits,
            policy: SessionPolicy(resolvesCommits: isPooled),
            pooling: isPooled ? Pooling(statements: StatementNames(count: 4)) : nil)
        _ = machine.welcome([ParameterStatus(name: "client_encoding", value: "UTF8")])
    }

    /// Each step consumes bytes, ends the round or changes the state: a round that takes more steps than this goes on for
    /// ever.
    private static let stepLimit = 200_000

    mutating func client(_ reads: inout Reads) {
        for _ in 0..<Self.stepLimit {
            if isOver || reads.unread.isEmpty { return }
            if isOpening {
                if machine.isOpeningTransaction { return }
                isOpening = false
                miss(&reads)
                continue
            }
            let step = machine.nextClientStep(reads.unread.span.bytes, environment)
            if case .forward(let count, let replacing, _) = step {
                forward(Forwarding(byteCount: count, replacing: replacing), &reads)
            } else if case .acquire = step {
                acquire()
            } else if case .tell = step {
                continue
            } else if case .answer(let count, _) = step {
                reads.consume(count)
            } else if case .resolved(_, let count, _, let end) = step {
                reads.consume(count)
                isOver = end != nil
            } else if case .openTransaction = step {
                sent += machine.takeInjection()
                return
            } else if case .lookup = step {
                lookUp(&reads)
            } else if case .terminate(let count) = step {
                forward(Forwarding(byteCount: count), &reads)
                isOver = true
            } else if case .violation(let error) = step {
                _ = ErrorResponse(error).encoded()
                isOver = true
            } else {
                return
            }
        }
        preconditionFailure("the client's side never ends")
    }

    private mutating func lookUp(_ reads: inout Reads) {
        // Half of all keys are in the cache.
        guard machine.key.reduce(UInt8(0), ^) & 1 == 0 else { return miss(&reads) }
        guard let frame = machine.hitAccepted() else {
            isOpening = false
            return
        }
        reads.consume(frame.byteCount)
    }

    private mutating func miss(_ reads: inout Reads) {
        switch machine.missed(reads.unread.span.bytes, environment) {
        case .fill:
            fills += 1
            forward(machine.forwardUnit(reads.unread.span.bytes, environment, fill: fills), &reads)
        case .pass: forward(machine.forwardUnit(reads.unread.span.bytes, environment, fill: nil), &reads)
        case .openTransaction:
            sent += machine.takeInjection()
            isOpening = true
        case .acquire:
            acquire()
            isOpening = true
        case .tell: isOpening = true
        }
    }

    private mutating func forward(_ count: Forwarding, _ reads: inout Reads) {
        sent += machine.takeInjection()
        sent += reads.unread.prefix(count.byteCount).dropFirst(count.replacing)
        reads.consume(count.byteCount)
    }

    private mutating func acquire() {
        machine.detach()
        let reported = [ParameterStatus(name: "client_encoding", value: "UTF8")]
        machine.attach(
            ServerSession(
                node: .configuredPrimary, isPrimary: true, reign: Reign(number: 0), parameters: reported,
                statementLimit: 2))
    }

    private mutating func settle() {
        switch machine.settle() {
        case .keep: break
        case .ask: sent += machine.takeInjection()
        case .release: machine.detach()
        }
    }

    mutating func takeSent() -> [UInt8] {
        defer { sent.removeAll() }
        return sent
    }

    mutating func server(_ reads: inout Reads) {
        for _ in 0..<Self.stepLimit {
            if isOver { return }
            let step = machine.nextServerStep(reads.unread.span.bytes, now: Instant(nanoseconds: fills))
            if case .relay(let count) = step {
                reads.consume(count)
            } else if case .capture(let count, _) = step {
                reads.consume(count)
            } else if case .swallow(let count) = step {
                reads.consume(count)
            } else if case .backendKey(let count, _) = step {
                reads.consume(count)
            } else if case .replace(let count, _) = step {
                reads.consume(count)
            } else if case .rerun(let count, _) = step {
                reads.consume(count)
                machine.detach()
            } else if case .unitEnded(let count, _) = step {
                _ = machine.takeNotice()
                reads.consume(count)
            } else if case .needMore = step {
                settle()
                return
            } else if case .giveUp = step {
                isOver = true
            } else if case .violation = step {
                isOver = true
            }
        }
        preconditionFailure("the server's side never ends")
    }
}

/// Judges statements by their first letter, so that any text means something.
private struct FuzzEnvironment: SessionEnvironment {
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        let first = text.byteCount > 0 ? text.unsafeLoad(fromByteOffset: 0, as: UInt8.self) : 0
        let refused = Verdict.uncacheable(Refusal(.notASelect, "no SELECT"))
        switch first | 0x20 {
        case UInt8(ascii: "s"):
            return StatementAnalysis(effects: [.readOnly], verdict: .cacheable(CachePlan()))
        case UInt8(ascii: "b"), UInt8(ascii: "c"), UInt8(ascii: "r"):
            return StatementAnalysis(effects: [.transactionControl], verdict: refused)
        case UInt8(ascii: "x"):
            let change = SettingChange.set(name: "work_mem", value: "1", local: text.byteCount.isMultiple(of: 2))
            return StatementAnalysis(effects: [.settings([change])], verdict: refused)
        case UInt8(ascii: "d"): return StatementAnalysis(effects: [.settings([.discardAll])], verdict: refused)
        case UInt8(ascii: "p"): return StatementAnalysis(effects: [.preparedStatements], verdict: refused)
        case UInt8(ascii: "t"): return StatementAnalysis(effects: [.temporaryObjects], verdict: refused)
        case UInt8(ascii: "o"): return StatementAnalysis(effects: [.opaque], verdict: refused)
        default: return StatementAnalysis(effects: [.writes], verdict: refused)
        }
    }

    var catalogGeneration: UInt64 { 1 }

    func fingerprintID(_ fingerprint: [UInt8]) -> UInt64? { UInt64(fingerprint.count) }
}
