import WaldenCore
import WaldenWire

@testable import WaldenDependency
@testable import WaldenSession

/// Judges statements by their first words, as a real analysis would these.
struct ScriptedEnvironment: SessionEnvironment {
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        let statement = (try? text.text(0..<text.byteCount)) ?? ""
        let effects = statement.split(separator: ";").map { Self.effect(of: String($0)) }
        return StatementAnalysis(
            effects: effects, verdict: Self.verdict(on: statement),
            readRoute: statement.hasPrefix("READ") ? .anyNode : nil, binding: Self.binding(of: statement, effects),
            draws: statement.contains("lastval") ? .sequences : statement.contains("setseed") ? .randomSeed : [])
    }

    private static func binding(of statement: String, _ effects: [SessionEffect]) -> SessionBinding {
        if statement.hasPrefix("LISTEN") || statement.contains("advisory") { return .mayBind }
        if statement.hasPrefix("UNLISTEN") || statement.hasPrefix("CLOSE") { return .mayUnbind }
        return effects.map(\.binding).max() ?? .none
    }

    private static func verdict(on statement: String) -> Verdict {
        guard statement.hasPrefix("SELECT"), !statement.hasSuffix("now()"), !statement.contains(" FOR ") else {
            return .uncacheable(Refusal(.notASelect, "no SELECT"))
        }
        return .cacheable(CachePlan(parameterCount: 0, tables: [], plainParameters: []))
    }

    private static func effect(of statement: String) -> SessionEffect {
        let words = statement.split(separator: " ").map(String.init)
        switch words.first {
        case "SELECT" where words.contains("FOR") || words.contains("nextval"): return .writes
        case "SELECT", "SHOW", "READ", "LISTEN", "UNLISTEN", "CLOSE": return .readOnly
        case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE": return .transactionControl
        case "SET" where words[1] == "TRANSACTION": return .transactionControl
        case "SET" where words[1] == "LOCAL":
            return .settings([.set(name: words[2].lowercased(), value: words[4], local: true)])
        case "SET": return .settings([.set(name: words[1].lowercased(), value: words[3], local: false)])
        case "RESET": return .settings([words[1] == "ALL" ? .resetAll : .reset(name: words[1].lowercased())])
        case "DISCARD": return .settings([.discardAll])
        case "DO": return .opaque
        case "DEALLOCATE", "PREPARE", "EXECUTE": return .preparedStatements
        case "CREATE" where words[1] == "TEMP": return .temporaryObjects
        default: return .writes
        }
    }

    var catalogGeneration: UInt64 = 1

    func fingerprintID(_ fingerprint: [UInt8]) -> UInt64? {
        UInt64(fingerprint.reduce(into: UInt32(7)) { $0 = $0 &* 31 &+ UInt32($1) })
    }
}

/// Drives one session machine with both sides' messages and writes down what it does.
///
/// Lines: `> Q` bytes of these tags forwarded to the server; `hit 2 Z` answered from the cache; `< T D C Z` relayed to
/// the client; `answer C ZT` made up by the machine; `swallow 1`; `fill 1`, `kept 1`, `broken 1`; `bypass reason`; `drain`.
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
    /// The unit at the front missed; its transaction's BEGIN must be answered first.
    private var isOpening = false
    /// The primary is being replaced: what is kept is served only as that allows.
    var isOutage = false
    private var environment = ScriptedEnvironment()
    /// How the server answers the machine's question for the session's defaults, unseen in the log; nil: it does not.
    var defaults: [UInt8]? = Reply.defaults()

    init(
        parameters: [(String, String)] = [], isCaching: Bool = true, limits: SessionLimits = SessionLimits(),
        policy: SessionPolicy = SessionPolicy()
    ) {
        var startup = StartupMessage(user: "alice", database: "shop")
        startup.parameters += parameters.map { StartupMessage.Parameter(name: $0.0, value: $0.1) }
        machine = SessionMachine(startup: startup, isCaching: isCaching, limits: limits, policy: policy)
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
    var mayHitInOutage: Bool { machine.mayHitInOutage(environment) }
    var wroteAt: Instant { machine.consistency.wroteAt }
    var sawAt: Instant { machine.consistency.sawAt }
    var level: ConsistencyLevel { machine.level }
    var unitCount: Int { machine.units.count }
    var catalogGeneration: UInt64 {
        get { environment.catalogGeneration }
        set { environment.catalogGeneration = newValue }
    }
    var pendingCommit: PendingCommit { machine.pendingCommit }

    /// Lets the machine learn the default isolation level with a transaction that does nothing.
    func learnIsolation(_ level: String = "read committed") {
        client(Query("BEGIN"))
        serverBytes(Reply.isolation(level))
        serverBytes(Reply.command("BEGIN", .inTransaction))
        client(Query("COMMIT"))
        serverBytes(Reply.command("COMMIT"))
        log.removeAll()
    }

    /// Puts `SELECT a` into the cache.
    func keep() {
        client(Query("SELECT a"))
        serverBytes(Reply.select())
        log.removeAll()
    }

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

    /// Has the machine offer a unit for lookup, and leaves it at that.
    func offer(_ message: any FrontendMessage) {
        if case .lookup = machine.nextClientStep(message.encoded().span.bytes, environment) { return }
        log.append("not offered")
    }

    private func runClient() {
        if isOpening {
            if machine.isOpeningTransaction { return }
            isOpening = false
            miss(clientInput)
            if isOpening { return }
        }
        while !clientInput.isEmpty {
            let input = clientInput
            switch machine.nextClientStep(input.span.bytes, environment) {
            case .needMore: return
            case .forward(let count, _, let bypass):
                if let bypass { log.append("bypass \(bypass.label)") }
                forward(count)
            case .acquire, .tell, .resolved: log.append("of a pool")
            case .answer(let count, let reply):
                clientInput.removeFirst(count)
                log.append("answer \(Self.tags(reply))\(Self.status(reply))")
            case .openTransaction:
                if answerForDefaults() { continue }
                sendInjection()
                return
            case .lookup:
                lookUp(input)
                if isOpening { return }
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

    private func answerForDefaults() -> Bool {
        guard let defaults, machine.defaultsAsked != nil else { return false }
        let saved = log
        _ = machine.takeInjection()
        receive(defaults)
        log = saved
        return true
    }

    private func sendInjection() {
        let injected = machine.takeInjection()
        if !injected.isEmpty { log.append("> inject \(Self.tags(injected))") }
    }

    private func forward(_ count: Int) {
        sendInjection()
        log.append("> \(Self.tags(Array(clientInput.prefix(count))))")
        clientInput.removeFirst(count)
    }

    private func lookUp(_ input: [UInt8]) {
        if cached.contains(machine.key), !isOutage || machine.mayHitInOutage(environment) {
            guard let frame = machine.hitAccepted() else { return log.append("drain") }
            clientInput.removeFirst(frame.byteCount)
            let parts = [(frame.parseComplete, "1"), (frame.bindComplete, "2"), (frame.closeComplete, "3")]
            let end = frame.isInTransaction ? "ZT" : "Z"
            log.append((["hit"] + parts.filter(\.0).map(\.1) + [end]).joined(separator: " "))
            return
        }
        miss(input)
    }

    private func miss(_ input: [UInt8]) {
        let key = machine.key
        switch machine.missed(input.span.bytes, environment) {
        case .fill:
            fills += 1
            filling[fills] = key
            log.append("fill \(fills)")
            forward(machine.forwardUnit(input.span.bytes, environment, fill: fills).byteCount)
        case .openTransaction:
            sendInjection()
            isOpening = true
        case .pass(let bypass):
            log.append("bypass \(bypass.label)")
            forward(machine.forwardUnit(input.span.bytes, environment, fill: nil).byteCount)
        case .acquire, .tell: log.append("of a pool")
        }
    }

    // MARK: Server

    func server(_ messages: any BackendMessage...) {
        serverBytes(messages.flatMap { $0.encoded() })
    }

    func serverBytes(_ bytes: [UInt8]) {
        receive(bytes)
        runClient()
    }

    private func receive(_ bytes: [UInt8]) {
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
            case .replace, .rerun:
                log.append("of a pool")
                break loop
            case .fillBroken(let fill): log.append("broken \(fill)")
            case .unitEnded(let count, let fill):
                if let notice = machine.takeNotice() {
                    flush(&relayed)
                    log.append("notice \(Self.tags(notice))")
                }
                relayed += take(count)
                flush(&relayed)
                if let fill {
                    log.append("kept \(fill): \(Self.tags(captured[fill] ?? []))")
                    cached.insert(filling[fill] ?? [])
                }
            case .giveUp(let error):
                log.append("give up: \(error.message)")
                clientInput.removeAll()
                isOpening = false
                break loop
            case .becomeTransparent: log.append("transparent")
            case .violation(let error):
                log.append("violation: \(error.message)")
                break loop
            }
        }
        flush(&relayed)
    }

    private func take(_ count: Int) -> [UInt8] {
        defer { serverInput.removeFirst(count) }
        return Array(serverInput.prefix(count))
    }

    private func flush(_ relayed: inout [UInt8]) {
        if !relayed.isEmpty { log.append("< \(Self.tags(relayed))") }
        relayed.removeAll()
    }

    /// ` T` and the like when the last message is a ReadyForQuery that does not tell idle.
    static func status(_ bytes: [UInt8]) -> String {
        guard bytes.count >= 6, bytes[bytes.count - 6] == UInt8(ascii: "Z"), let last = bytes.last else { return "" }
        return last == UInt8(ascii: "I") ? "" : String(UnicodeScalar(last))
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
    /// To the machine's own question for the default isolation level.
    static func isolation(_ level: String) -> [UInt8] {
        ParseComplete().encoded() + BindComplete().encoded() + DataRow([Array(level.utf8)]).encoded()
            + CommandComplete("SHOW").encoded() + CloseComplete().encoded() + ReadyForQuery(.idle).encoded()
    }

    /// To its question for what the session has by default.
    static func defaults(login: String = "10", _ values: [String: String] = [:]) -> [UInt8] {
        let row = [login] + SessionDefaults.names.map { values[$0] ?? ($0 == "role" ? "none" : "x") }
        return ParseComplete().encoded() + BindComplete().encoded() + DataRow(row.map { Array($0.utf8) }).encoded()
            + CommandComplete("SELECT 1").encoded() + CloseComplete().encoded() + ReadyForQuery(.idle).encoded()
    }

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
