import WaldenCore
import WaldenWire

@testable import WaldenDependency
@testable import WaldenSession

/// Judges statements by their first words, as a real analysis would these.
struct ScriptedEnvironment: SessionEnvironment {
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        let statement = (try? text.text(0..<text.byteCount)) ?? ""
        return StatementAnalysis(effect: Self.effect(of: statement), verdict: Self.verdict(on: statement))
    }

    private static func verdict(on statement: String) -> Verdict {
        guard statement.hasPrefix("SELECT"), !statement.hasSuffix("now()") else {
            return .uncacheable(Refusal(.notASelect, "no SELECT"))
        }
        return .cacheable(CachePlan(parameterCount: 0, tables: [], plainParameters: []))
    }

    private static func effect(of statement: String) -> SessionEffect {
        let words = statement.split(separator: " ").map(String.init)
        switch words.first {
        case "SELECT", "SHOW": return .readOnly
        case "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT": return .transactionControl
        case "SET": return .settings([.set(name: words[1], value: words[3], local: false)])
        case "RESET": return .settings([words[1] == "ALL" ? .resetAll : .reset(name: words[1])])
        case "DISCARD": return .settings([.discardAll])
        case "DO": return .opaque
        case "DEALLOCATE", "PREPARE", "EXECUTE": return .preparedStatements
        case "CREATE" where words[1] == "TEMP": return .temporaryObjects
        default: return .writes
        }
    }

    var catalogGeneration: UInt64 { 1 }

    func fingerprintID(_ fingerprint: [UInt8]) -> UInt64? {
        UInt64(fingerprint.reduce(into: UInt32(7)) { $0 = $0 &* 31 &+ UInt32($1) })
    }
}

/// Drives one session machine with both sides' messages and writes down what it does.
///
/// Lines: `> Q` bytes of these tags forwarded to the server; `hit 2 Z` answered from the cache; `< T D C Z` relayed to
/// the client; `swallow 1`; `fill 1`, `kept 1`, `broken 1`; `bypass reason`; `drain`.
final class Script {
    var machine: SessionMachine
    private(set) var log: [String] = []
    /// Texts and parameters whose results are kept, as whole keys.
    private var cached: Set<[UInt8]> = []
    private var clientInput: [UInt8] = []
    private var serverInput: [UInt8] = []
    private var filling: [UInt64: [UInt8]] = [:]
    private var fills: UInt64 = 0
    private var captured: [UInt64: [UInt8]] = [:]
    var clock: UInt64 = 1
    private let environment = ScriptedEnvironment()

    init(parameters: [(String, String)] = [], isCaching: Bool = true, limits: SessionLimits = SessionLimits()) {
        var startup = StartupMessage(user: "alice", database: "shop")
        startup.parameters += parameters.map { StartupMessage.Parameter(name: $0.0, value: $0.1) }
        machine = SessionMachine(startup: startup, isCaching: isCaching, limits: limits)
    }

    /// Goes through authentication and forgets what was logged.
    func becomeReady() {
        serverBytes(
            Authentication.ok.encoded() + ParameterStatus(name: "client_encoding", value: "UTF8").encoded()
                + ReadyForQuery(.idle).encoded())
        log.removeAll()
    }

    // `#expect` takes copyable operands apart, which a machine is not; so these are handed out by value.
    var isQuiescent: Bool { machine.isQuiescent }
    var isRelayOnly: Bool { machine.isRelayOnly }
    var wroteAt: Instant { machine.wroteAt }
    var unitCount: Int { machine.units.count }

    func takeLog() -> [String] {
        defer { log.removeAll() }
        return log
    }

    // MARK: Client

    func client(_ messages: any FrontendMessage...) {
        clientBytes(messages.flatMap { $0.encoded() })
    }

    func clientBytes(_ bytes: [UInt8]) {
        clientInput += bytes
        runClient()
    }

    private func runClient() {
        while !clientInput.isEmpty {
            let input = clientInput
            switch machine.nextClientStep(input.span.bytes, environment) {
            case .needMore: return
            case .forward(let count, let bypass):
                if let bypass { log.append("bypass \(bypass.label)") }
                forward(count)
            case .lookup: lookUp(input)
            case .drain:
                log.append("drain")
                return
            case .terminate(let count):
                forward(count)
                log.append("terminate")
            case .violation(let error):
                log.append("violation: \(error.message)")
                clientInput.removeAll()
            }
            if log.last == "drain" { return }
        }
    }

    private func forward(_ count: Int) {
        let injected = machine.takeInjection()
        if !injected.isEmpty { log.append("> inject \(Self.tags(injected))") }
        log.append("> \(Self.tags(Array(clientInput.prefix(count))))")
        clientInput.removeFirst(count)
    }

    private func lookUp(_ input: [UInt8]) {
        if cached.contains(machine.key) {
            guard let frame = machine.hitAccepted() else { return log.append("drain") }
            clientInput.removeFirst(frame.byteCount)
            let parts = [(frame.parseComplete, "1"), (frame.bindComplete, "2"), (frame.closeComplete, "3")]
            log.append((["hit"] + parts.filter(\.0).map(\.1) + ["Z"]).joined(separator: " "))
            return
        }
        let key = machine.key
        switch machine.missed(input.span.bytes, environment) {
        case .fill:
            fills += 1
            filling[fills] = key
            log.append("fill \(fills)")
            forward(machine.forwardUnit(input.span.bytes, environment, fill: fills))
        case .pass(let bypass):
            log.append("bypass \(bypass.label)")
            forward(machine.forwardUnit(input.span.bytes, environment, fill: nil))
        }
    }

    // MARK: Server

    func server(_ messages: any BackendMessage...) {
        serverBytes(messages.flatMap { $0.encoded() })
    }

    func serverBytes(_ bytes: [UInt8]) {
        serverInput += bytes
        var relayed: [UInt8] = []
        loop: while true {
            let input = serverInput
            let step = machine.nextServerStep(input.span.bytes, now: Instant(nanoseconds: clock))
            switch step {
            case .needMore: break loop
            case .relay(let count): relayed += take(count)
            case .capture(let count, let fill):
                let part = take(count)
                captured[fill, default: []] += part
                relayed += part
            case .swallow(let count):
                flush(&relayed)
                log.append("swallow \(Self.tags(take(count)))")
            case .backendKey(let count, _):
                flush(&relayed)
                _ = take(count)
                log.append("key")
            case .fillBroken(let fill): log.append("broken \(fill)")
            case .unitEnded(let count, let fill):
                relayed += take(count)
                flush(&relayed)
                if let fill {
                    log.append("kept \(fill): \(Self.tags(captured[fill] ?? []))")
                    cached.insert(filling[fill] ?? [])
                }
            case .becomeTransparent: log.append("transparent")
            case .violation(let error):
                log.append("violation: \(error.message)")
                break loop
            }
        }
        flush(&relayed)
        runClient()
    }

    private func take(_ count: Int) -> [UInt8] {
        defer { serverInput.removeFirst(count) }
        return Array(serverInput.prefix(count))
    }

    private func flush(_ relayed: inout [UInt8]) {
        if !relayed.isEmpty { log.append("< \(Self.tags(relayed))") }
        relayed.removeAll()
    }

    /// The type bytes of whole messages; `+` for a part of one.
    static func tags(_ bytes: [UInt8]) -> String {
        var position = 0
        var result: [String] = []
        while position + 5 <= bytes.count {
            let length = bytes[(position + 1)..<(position + 5)].reduce(0) { $0 << 8 | Int($1) }
            guard position + 1 + length <= bytes.count else { break }
            result.append(String(UnicodeScalar(bytes[position])))
            position += 1 + length
        }
        if position != bytes.count { result.append("+") }
        return result.joined(separator: " ")
    }
}

// MARK: Replies

enum Reply {
    static let row: [UInt8] =
        RowDescription([]).encoded() + DataRow([Array("1".utf8)]).encoded()

    /// What the server sends for a simple SELECT.
    static func select(_ status: TransactionStatus = .idle) -> [UInt8] {
        row + CommandComplete("SELECT 1").encoded() + ReadyForQuery(status).encoded()
    }

    static func command(_ tag: String, _ status: TransactionStatus = .idle) -> [UInt8] {
        CommandComplete(tag).encoded() + ReadyForQuery(status).encoded()
    }

    static func error(_ status: TransactionStatus = .idle) -> [UInt8] {
        ErrorResponse(sqlState: .syntaxError, message: "no").encoded() + ReadyForQuery(status).encoded()
    }

    /// Answers of the extended protocol to one execution.
    static func execution(parse: Bool, describe: Bool, _ status: TransactionStatus = .idle) -> [UInt8] {
        var bytes: [UInt8] = []
        if parse { ParseComplete().encode(into: &bytes) }
        BindComplete().encode(into: &bytes)
        if describe { RowDescription([]).encode(into: &bytes) }
        DataRow([Array("1".utf8)]).encode(into: &bytes)
        return bytes + command("SELECT 1", status)
    }
}
