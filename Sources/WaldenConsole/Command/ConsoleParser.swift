import WaldenWire

/// Reads one statement of the console's language, and of what drivers send of their own accord.
enum ConsoleParser {
    static func parse(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        guard let first = tokens.first else { return .empty }
        let rest = Array(tokens.dropFirst())
        switch first.keyword {
        case "SHOW": return try show(rest)
        case "PAUSE": return .command(.pause(database: try database(rest, "PAUSE")))
        case "RESUME": return .command(.resume(database: try database(rest, "RESUME")))
        case "RECONNECT": return .command(.reconnect(database: try database(rest, "RECONNECT")))
        case "KILL": return .command(.kill(database: try database(rest, "KILL")))
        case "KILL_CLIENT": return .command(.killClient(try client(rest)))
        case "RELOAD" where rest.isEmpty: return .command(.reload)
        case "FLUSH": return try flush(rest)
        case "SET": return try set(rest)
        case "BEGIN", "START": return .begin
        case "COMMIT", "END": return .commit
        case "ROLLBACK", "ABORT": return try rollback(rest)
        case "DISCARD": return .ignored(tag: rest.first?.keyword == "ALL" ? "DISCARD ALL" : "DISCARD")
        case "RESET": return .ignored(tag: "RESET")
        case "UNLISTEN": return .ignored(tag: "UNLISTEN")
        case "DEALLOCATE": return .ignored(tag: "DEALLOCATE")
        case "CLOSE" where rest.first?.keyword == "ALL": return .ignored(tag: "CLOSE CURSOR ALL")
        case "SELECT": return try select(rest)
        default: throw unknown(tokens)
        }
    }

    // MARK: Commands

    private static func show(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        let words = tokens.compactMap(\.keyword)
        guard words.count == tokens.count, !words.isEmpty else { throw unknown([.word("SHOW")] + tokens) }
        let name = words.joined(separator: " ")
        if let view = ConsoleView(rawValue: name) { return .show(view) }
        if name == "FDS" {
            throw ConsoleRefusal(
                .featureNotSupported, "SHOW FDS is not supported",
                detail: "Descriptors are shown to be handed over to a new process; Walden does not hand them over.",
                hint: "SHOW SOCKETS shows the connections.")
        }
        if let setting = SessionSetting.named(name.lowercased()) {
            return .constant(ConsoleColumn(setting.name, .text), .text(setting.value), tag: "SHOW")
        }
        throw unknown([.word("SHOW")] + tokens)
    }

    /// At most one name, of a database.
    private static func database(_ tokens: [ConsoleToken], _ command: String) throws(ConsoleRefusal) -> String? {
        guard tokens.count <= 1 else {
            throw ConsoleRefusal(.syntaxError, "\(command) takes one database, or none for all", hint: Self.quoting)
        }
        guard let token = tokens.first else { return nil }
        guard let name = token.name, !name.isEmpty else {
            throw ConsoleRefusal(.syntaxError, "\(command) takes the name of a database", hint: Self.quoting)
        }
        return name
    }

    private static let quoting = "A name with upper-case letters or other signs is written between double quotes."

    private static func client(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> UInt64 {
        guard tokens.count == 1, let id = tokens[0].name.flatMap({ UInt64($0) }) else {
            throw ConsoleRefusal(
                .syntaxError, "KILL_CLIENT takes the id of one client", hint: "SHOW CLIENTS shows it in the column id.")
        }
        return id
    }

    private static func flush(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        if tokens.isEmpty || tokens.map(\.keyword) == ["CACHE"] { return .command(.flush(nil)) }
        guard let relation = relation(tokens) else {
            throw ConsoleRefusal(
                .syntaxError, "FLUSH takes nothing, CACHE, or the name of a relation", hint: Self.quoting)
        }
        return .command(.flush(relation))
    }

    /// `name` or `schema.name`, each part quoted or not. Dots belong to the words of the lexer.
    private static func relation(_ tokens: [ConsoleToken]) -> RelationName? {
        /// Nil stands for a dot.
        var parts: [String?] = []
        for token in tokens {
            switch token {
            case .quoted(let name): parts.append(name)
            case .word(let text):
                for (index, name) in text.split(separator: ".", omittingEmptySubsequences: false).enumerated() {
                    if index > 0 { parts.append(nil) }
                    if !name.isEmpty { parts.append(name.lowercased()) }
                }
            case .string, .symbol: return nil
            }
        }
        guard !parts.contains("") else { return nil }
        if parts.count == 1, let name = parts[0] { return RelationName(name: name) }
        guard parts.count == 3, let schema = parts[0], parts[1] == nil, let name = parts[2] else { return nil }
        return RelationName(schema: schema, name: name)
    }

    // MARK: What drivers send

    private static func set(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        var rest = tokens[...]
        if rest.first?.keyword == "SESSION" || rest.first?.keyword == "LOCAL" { rest = rest.dropFirst() }
        guard let name = rest.first?.name else { throw unknown([.word("SET")] + tokens) }
        if name == "characteristics" || name == "transaction" { return .ignored(tag: "SET") }
        let value = rest.last?.name ?? ""
        guard SessionSetting.accepts(name) else {
            throw ConsoleRefusal(
                .undefinedObject, "the console has no setting \"\(excerpt(name))\"",
                hint: "Walden's own settings are changed in its configuration file, which RELOAD reads again.")
        }
        let encoding = value.uppercased().filter { $0 != "-" }
        guard name != "client_encoding" || ["UTF8", "UNICODE", "DEFAULT"].contains(encoding) else {
            throw ConsoleRefusal(
                .invalidParameterValue, "the console speaks UTF8 only",
                hint: "Connect with client_encoding=UTF8.")
        }
        return .ignored(tag: "SET")
    }

    /// `ROLLBACK TO SAVEPOINT` would leave a transaction open; there are no savepoints.
    private static func rollback(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        guard !tokens.contains(where: { $0.keyword == "TO" }) else { throw unknown([.word("ROLLBACK")] + tokens) }
        return .rollback
    }

    /// `SELECT` of one whole number, by which connections are tried.
    private static func select(_ tokens: [ConsoleToken]) throws(ConsoleRefusal) -> ConsoleStatement {
        guard tokens.count == 1, let number = tokens[0].keyword.flatMap({ Int32($0) }) else {
            throw ConsoleRefusal(
                .featureNotSupported, "the console executes no SQL",
                detail: "Of SELECT it knows SELECT 1 alone, by which drivers try their connections.", hint: help)
        }
        return .constant(ConsoleColumn("?column?", .int4), .int4(number), tag: "SELECT 1")
    }

    // MARK: Refusals

    static let help = "SHOW HELP lists the commands. This is Walden's console; statements go to other databases."

    private static func unknown(_ tokens: [ConsoleToken]) -> ConsoleRefusal {
        let words = tokens.prefix(3).map { token in
            switch token {
            case .word(let text), .quoted(let text), .string(let text): text
            case .symbol(let byte): String(decoding: [byte], as: UTF8.self)
            }
        }
        return ConsoleRefusal(
            .syntaxError, "\"\(excerpt(words.joined(separator: " ")))\" is no command of the console", hint: help)
    }

    private static func excerpt(_ text: String) -> String {
        text.count > 60 ? text.prefix(60) + "…" : text
    }
}
