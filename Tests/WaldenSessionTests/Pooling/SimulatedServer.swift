import WaldenCore
import WaldenWire

@testable import WaldenSession

/// A server of a few commands that keeps statements, settings and transactions as PostgreSQL does, so that what a
/// session finds on the wrong server shows in its answers.
///
/// `SHOW name` answers with a setting, `SET name = value`, `RESET name`, `LISTEN c`, `DEALLOCATE n`, `PREPARE n AS …`,
/// `EXECUTE n`, `DISCARD ALL` and the transaction commands do what they should; `BAD` is a syntax error, what reads
/// `FROM t` gives a row of the table's type, every other text gives one row: itself.
final class SimulatedServer {
    /// What servers of one cluster have in common.
    final class Schema {
        /// Of the one column that `t` has; 0: there is no such table.
        var type: UInt32 = 23
    }

    private(set) var session: ServerSession
    /// Custom settings that have ever been assigned.
    private var placeholders: Set<String> = []
    /// What `nextval` told last.
    private var lastDrawn: String?
    let schema: Schema
    private(set) var statements: [String: String] = [:]
    /// Of statements that read `t`: its type when they were parsed.
    private var types: [String: UInt32] = [:]
    private(set) var sqlStatements: Set<String> = []
    private(set) var channels: Set<String> = []
    private(set) var hasLock = false
    private var portals: [String: String] = [:]
    private var settings: [String: String] = [:]
    private var savedSettings: [String: String]?
    private var localNames: Set<String> = []
    private var reported: [String: String]
    private var status = TransactionStatus.idle
    private var isSkipping = false
    private var input: [UInt8] = []
    /// What has come, by tags, with names and texts.
    var log: [String] = []
    /// Refuses writes and whatever is not a read.
    let isReplica: Bool
    var refusesCensus = false
    /// What it calls the transaction in progress, and knows of others.
    var transactionName: String?
    var refusesNaming = false
    var verdicts: [String: String] = [:]

    static let greeting = [
        ParameterStatus(name: "application_name", value: ""), ParameterStatus(name: "client_encoding", value: "UTF8"),
        ParameterStatus(name: "TimeZone", value: "UTC"),
    ]

    init(
        node: Int = 0, statementLimit: Int = 200, schema: Schema = Schema(), reign: Reign? = nil,
        bornAt: Instant = .distantPast
    ) {
        self.schema = schema
        isReplica = node > 0
        session = ServerSession(
            node: NodeID(node), isPrimary: node == 0, reign: reign, bornAt: bornAt, parameters: Self.greeting,
            statementLimit: statementLimit)
        reported = Self.reportedAtStart
    }

    private static let reportedNames = [
        "application_name": "application_name", "client_encoding": "client_encoding", "timezone": "TimeZone",
        "default_transaction_read_only": "default_transaction_read_only",
    ]
    private static let defaults = [
        "timezone": "UTC", "client_encoding": "UTF8", "work_mem": "4096",
        "default_transaction_isolation": "read committed",
    ]

    /// The connection is closed, and another one takes its place.
    func renew() {
        session = ServerSession(
            node: session.node, isPrimary: session.isPrimary, reign: session.reign, bornAt: session.bornAt,
            parameters: Self.greeting, statementLimit: session.statements.limit)
        var output: [UInt8] = []
        discard(&output)
        (statements, portals, placeholders, reported) = ([:], [:], [], Self.reportedAtStart)
        (savedSettings, localNames, status, isSkipping, input) = (nil, [], .idle, false, [])
        log.removeAll()
    }

    private static let reportedAtStart = Dictionary(
        uniqueKeysWithValues: greeting.map { ($0.name, $0.value) } + [("default_transaction_read_only", "")])

    func setting(_ name: String) -> String { settings[name] ?? Self.defaults[name] ?? "" }

    func take(_ bytes: [UInt8]) -> [UInt8] {
        input += bytes
        var output: [UInt8] = []
        while let header = try? MessageHeader.parse(input.span.bytes, at: 0, limit: 1 << 24),
            header.byteCount <= input.count
        {
            let message = Array(input.prefix(header.byteCount))
            input.removeFirst(header.byteCount)
            answer(message, &output)
        }
        return output
    }

    private func answer(_ message: [UInt8], _ output: inout [UInt8]) {
        let bytes = message.span.bytes
        let body = MessageHeader.byteCount..<message.count
        let tag = FrontendTag(rawValue: message[0])
        if isSkipping, tag != .sync { return log.append("(\(Character(UnicodeScalar(message[0]))))") }
        do {
            switch tag {
            case .query:
                let text = try Query(in: bytes, body: body).text
                log.append("Q \(text)")
                statements[""] = nil
                query(text, &output)
            case .parse: try parse(Parse(in: bytes, body: body), &output)
            case .bind: try bind(Bind(in: bytes, body: body), &output)
            case .describe:
                let view = try Describe(in: bytes, body: body)
                log.append("D \(view.kind == .statement ? view.name : "")")
                let text = view.kind == .statement ? statements[view.name] : portals[view.name]
                if view.kind == .statement, text == nil { return unknown(view.name, &output) }
                // PostgreSQL `exec_describe_statement_message`: of statements that return rows.
                if status == .failed, text != "ROLLBACK" { return refuseFailed(&output) }
                if view.kind == .statement {
                    output += ParameterDescription([]).encoded()
                    if let text, !revalidate(view.name, text, &output) { return }
                }
                output += describe(text ?? "")
            case .execute:
                log.append("E")
                guard let text = portals[try Execute(in: bytes, body: body).portal] else {
                    return fail("34000", "portal does not exist", &output)
                }
                run(text, &output)
            case .close:
                let view = try Close(in: bytes, body: body)
                log.append("C \(view.name)")
                if view.kind == .statement { statements[view.name] = nil } else { portals[view.name] = nil }
                output += CloseComplete().encoded()
            case .sync:
                log.append("S")
                isSkipping = false
                if status == .idle { portals = [:] }
                ready(&output)
            default: log.append(String(UnicodeScalar(message[0])))
            }
        } catch {
            fail("08P01", "\(error)", &output)
        }
    }

    private func parse(_ parse: Parse, _ output: inout [UInt8]) {
        log.append("P \(parse.name)")
        if parse.name.isEmpty { statements[""] = nil }
        if status == .failed, parse.query != "ROLLBACK", !parse.query.isEmpty { return refuseFailed(&output) }
        if parse.query.hasPrefix("BAD") { return fail("42601", "syntax error", &output) }
        guard statements[parse.name] == nil else {
            return fail("42P05", "prepared statement \"\(parse.name)\" already exists", &output)
        }
        guard schema.type > 0 || !Self.readsTable(parse.query) else {
            return fail("42P01", "relation \"t\" does not exist", &output)
        }
        statements[parse.name] = parse.query
        types[parse.name] = schema.type
        output += ParseComplete().encoded()
    }

    private static func readsTable(_ text: String) -> Bool { text.hasSuffix("FROM t") }

    private func describe(_ text: String) -> [UInt8] {
        guard Self.readsTable(text) else { return NoData().encoded() }
        return RowDescription([.init(name: "a", type: TypeID(schema.type), typeSize: 4)]).encoded()
    }

    /// PostgreSQL `utils/cache/plancache.c`, `RevalidateCachedQuery`.
    private func revalidate(_ name: String, _ text: String, _ output: inout [UInt8]) -> Bool {
        guard Self.readsTable(text), types[name] != schema.type else { return true }
        if schema.type == 0 {
            fail("42P01", "relation \"t\" does not exist", &output)
        } else {
            fail("0A000", "cached plan must not change result type", &output)
        }
        return false
    }

    private func bind(_ bind: Bind, _ output: inout [UInt8]) {
        log.append("B \(bind.statement)")
        guard let text = statements[bind.statement] else { return unknown(bind.statement, &output) }
        if status == .failed, text != "ROLLBACK" { return refuseFailed(&output) }
        guard revalidate(bind.statement, text, &output) else { return }
        portals[bind.portal] = text
        output += BindComplete().encoded()
    }

    private func unknown(_ name: String, _ output: inout [UInt8]) {
        let message = name.isEmpty ? "unnamed prepared statement" : "prepared statement \"\(name)\""
        fail("26000", "\(message) does not exist", &output)
    }

    private func refuseFailed(_ output: inout [UInt8]) {
        fail("25P02", "current transaction is aborted", &output)
    }

    private func fail(_ code: String, _ message: String, _ output: inout [UInt8]) {
        output += ErrorResponse(sqlState: SQLState(code) ?? .internalError, message: message).encoded()
        if status == .inTransaction { status = .failed }
        isSkipping = true
    }

    private func query(_ text: String, _ output: inout [UInt8]) {
        for part in text.split(separator: ";") {
            run(String(part), &output)
            if isSkipping { break }
        }
        isSkipping = false
        ready(&output)
    }

    private func ready(_ output: inout [UInt8]) {
        for (name, shown) in Self.reportedNames.sorted(by: { $0.key < $1.key }) where reported[shown] != setting(name) {
            reported[shown] = setting(name)
            output += ParameterStatus(name: shown, value: setting(name)).encoded()
        }
        output += ReadyForQuery(status).encoded()
    }
}

// MARK: Commands

extension SimulatedServer {
    private func run(_ text: String, _ output: inout [UInt8]) {
        let words = text.split(separator: " ").map(String.init)
        let command = words.first ?? ""
        if status == .failed, command != "ROLLBACK", command != "COMMIT" { return refuseFailed(&output) }
        if text.hasPrefix("SELECT 'setting'") { return census(text, &output) }
        if text.hasPrefix("SELECT pg_catalog.set_config(") { return assignByCall(text, &output) }
        if text.hasPrefix("SELECT pg_catalog.current_setting('walden.") {
            let name = text.split(separator: "'")[1]
            return fail("42704", "unrecognized configuration parameter \"\(name)\"", &output)
        }
        if text == "SELECT pg_catalog.pg_current_xact_id_if_assigned()" {
            if refusesNaming { return fail("57014", "canceling statement due to user request", &output) }
            return row(transactionName, "SELECT 1", &output)
        }
        if text.hasPrefix("SELECT pg_catalog.pg_xact_status('") {
            return row(verdicts[String(text.split(separator: "'")[1])], "SELECT 1", &output)
        }
        switch command {
        case "BAD": fail("42601", "syntax error", &output)
        case "BEGIN", "START":
            status = .inTransaction
            savedSettings = settings
            complete("BEGIN", &output)
        case "COMMIT" where status != .failed:
            endTransaction(keeps: true)
            complete("COMMIT", &output)
        case "ROLLBACK", "COMMIT":
            endTransaction(keeps: false)
            complete("ROLLBACK", &output)
        case "SET": assign(words, &output)
        case "RESET":
            let name = words[1].filter { $0 != "\"" }
            note(name)
            if name == "ALL" { settings = [:] } else { settings[name.lowercased()] = nil }
            complete("RESET", &output)
        case "SHOW" where words[1].contains(".") && !placeholders.contains(words[1]):
            fail("42704", "unrecognized configuration parameter", &output)
        case "SHOW": row(setting(words[1].lowercased()), "SHOW", &output)
        case "LISTEN", "UNLISTEN":
            if command == "LISTEN" { channels.insert(words[1]) } else { channels.removeAll() }
            complete(command, &output)
        case "PREPARE", "EXECUTE", "DEALLOCATE": statement(words, &output)
        case "SELECT" where words[1] == "nextval":
            lastDrawn = words[2]
            row(words[2], "SELECT 1", &output)
        case "SELECT" where words[1] == "lastval":
            guard let lastDrawn else { return fail("55000", "lastval is not yet defined in this session", &output) }
            row(lastDrawn, "SELECT 1", &output)
        case "DISCARD" where words[1] == "SEQUENCES":
            lastDrawn = nil
            complete("DISCARD SEQUENCES", &output)
        case "DISCARD" where status == .inTransaction:
            fail("25001", "DISCARD ALL cannot run inside a transaction block", &output)
        case "DISCARD": discard(&output)
        case "INSERT" where isReplica: fail("25006", "cannot execute INSERT in a read-only transaction", &output)
        default:
            if Self.readsTable(text), schema.type == 0 {
                return fail("42P01", "relation \"t\" does not exist", &output)
            }
            row(Self.readsTable(text) ? "type \(schema.type)" : text, "SELECT 1", &output)
        }
        if text.contains("advisory_lock") { hasLock = true }
        if text.contains("advisory_unlock") { hasLock = false }
    }

    private func complete(_ tag: String, _ output: inout [UInt8]) { output += CommandComplete(tag).encoded() }

    private func row(_ value: String?, _ tag: String, _ output: inout [UInt8]) {
        output += DataRow([value.map { Array($0.utf8) }]).encoded()
        complete(tag, &output)
    }

    private func endTransaction(keeps: Bool) {
        if let saved = savedSettings {
            if keeps { for name in localNames { settings[name] = saved[name] } } else { settings = saved }
        }
        savedSettings = nil
        localNames = []
        status = .idle
        portals = [:]
    }

    private func note(_ name: String) {
        if name.contains(".") { placeholders.insert(name) }
    }

    private func assign(_ words: [String], _ output: inout [UInt8]) {
        let isLocal = words[1] == "LOCAL"
        let name = words[isLocal ? 2 : 1].lowercased()
        note(name)
        if !isLocal || status == .inTransaction { settings[name] = words.last?.filter { $0 != "'" } }
        if isLocal { localNames.insert(name) } else { localNames.remove(name) }
        complete("SET", &output)
    }

    private func assignByCall(_ text: String, _ output: inout [UInt8]) {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[3] != "refused" else { return fail("42501", "permission denied", &output) }
        note(parts[1])
        settings[parts[1]] = parts[3]
        row(parts[3], "SELECT 1", &output)
    }

    private func statement(_ words: [String], _ output: inout [UInt8]) {
        let name = words[1]
        switch words[0] {
        case "DEALLOCATE" where name == "ALL":
            statements = statements.filter { $0.key.isEmpty }
            sqlStatements = []
            complete("DEALLOCATE ALL", &output)
        case "PREPARE":
            statements[name] = words.dropFirst(3).joined(separator: " ")
            types[name] = schema.type
            sqlStatements.insert(name)
            complete("PREPARE", &output)
        default:
            guard let text = statements[name] else { return unknown(name, &output) }
            if words[0] == "EXECUTE" {
                if revalidate(name, text, &output) { run(text, &output) }
                return
            }
            statements[name] = nil
            sqlStatements.remove(name)
            complete("DEALLOCATE", &output)
        }
    }

    private func discard(_ output: inout [UInt8]) {
        statements = statements.filter { $0.key.isEmpty }
        (settings, sqlStatements, channels, hasLock, lastDrawn) = ([:], [], [], false, nil)
        complete("DISCARD ALL", &output)
    }

    private func census(_ text: String, _ output: inout [UInt8]) {
        if refusesCensus { return fail("42501", "permission denied", &output) }
        var rows: [(String, String, String?)] = [("role", "", "none"), ("authorization", "", "alice")]
        for (name, value) in settings where !name.contains(".") { rows.append(("setting", name, value)) }
        for name in placeholders where text.contains("current_setting('\(name)'") {
            rows.append(("setting", name, setting(name)))
        }
        let own = statements.keys.filter { !$0.hasPrefix("walden") && !$0.isEmpty }
        rows += own.map { (sqlStatements.contains($0) ? "sql statement" : "statement", $0, nil) }
        rows.append(("renamed", "", String(statements.keys.count { $0.hasPrefix("walden_") })))
        rows += channels.map { ("channel", $0, nil) }
        if hasLock, text.contains("'lock'") { rows.append(("lock", "", nil)) }
        for row in rows {
            output += DataRow([Array(row.0.utf8), Array(row.1.utf8), row.2.map { Array($0.utf8) }]).encoded()
        }
        complete("SELECT \(rows.count)", &output)
    }
}
