public import WaldenCore

/// The text of `synchronous_standby_names`, read as PostgreSQL reads it (`replication/syncrep_gram.y`).
public struct StandbyNames: Hashable, Sendable {
    public let required: Int
    /// In their order, without the quotes; unquoted ones in lower case as PostgreSQL compares them (`pg_strcasecmp`).
    public let names: [String]

    /// Nil when the text is empty: commits wait for nobody. Throws when PostgreSQL would not take it either.
    public static func parse(_ text: String) throws(StandbyNamesProblem) -> StandbyNames? {
        var reader = NameReader(text)
        let tokens = try reader.tokens()
        if tokens.isEmpty { return nil }
        return try StandbyNames(tokens, of: text)
    }

    private init(_ tokens: [NameReader.Token], of text: String) throws(StandbyNamesProblem) {
        var rest = tokens[...]
        var required = 1
        if case .word(let word)? = rest.first, ["any", "first"].contains(word), rest.count > 1, case .number = rest[1] {
            rest.removeFirst()
        }
        let isGrouped: Bool
        if case .number(let number)? = rest.first, rest.dropFirst().first == .opening {
            guard rest.last == .closing else { throw .unreadable(text) }
            required = number
            rest = rest.dropFirst(2).dropLast()
            isGrouped = true
        } else {
            isGrouped = false
        }
        guard isGrouped || rest.count == tokens.count else { throw .unreadable(text) }
        self.required = required
        names = try Self.list(rest, of: text)
    }

    private static func list(
        _ tokens: ArraySlice<NameReader.Token>, of text: String
    ) throws(StandbyNamesProblem) -> [String] {
        var names: [String] = []
        var expectsName = true
        for token in tokens {
            switch (token, expectsName) {
            case (.word(let name), true), (.quoted(let name), true): names.append(name)
            case (.number(let number), true): names.append(String(number))
            case (.comma, false): break
            default: throw .unreadable(text)
            }
            expectsName.toggle()
        }
        guard !expectsName, !names.isEmpty else { throw .unreadable(text) }
        return names
    }

    /// Which nodes are meant. Throws when a name is that of no node, or all standbys are meant, since then one that nobody
    /// knows of may have acknowledged.
    public func rule(among nodes: [String: NodeID]) throws(StandbyNamesProblem) -> SynchronousRule {
        var members: Set<NodeID> = []
        for name in names {
            if name == "*" { throw .namesEverybody }
            let found = nodes.first { $0.key.lowercased() == name.lowercased() }
            guard let found else { throw .namesNobody(name) }
            members.insert(found.value)
        }
        return try SynchronousRule(required: required, of: members)
    }
}

/// Why `synchronous_standby_names` proves nothing. Each says what is wrong and what would be right.
public enum StandbyNamesProblem: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(String)
    case requiresNobody
    case requiresMore(Int, than: Int)
    case namesEverybody
    case namesNobody(String)

    public var description: String {
        switch self {
        case .unreadable(let text):
            "synchronous_standby_names is \"\(text)\", which PostgreSQL does not take: write ANY k (name, …)"
        case .requiresNobody:
            "synchronous_standby_names requires 0 standbys: require at least 1"
        case .requiresMore(let required, let count):
            "synchronous_standby_names requires \(required) of \(count) standbys, so no commit can ever be acknowledged: "
                + "require at most \(count)"
        case .namesEverybody:
            "synchronous_standby_names means every standby (*), so a commit may be held only by one that is not "
                + "configured here: name the standbys"
        case .namesNobody(let name):
            "synchronous_standby_names names \"\(name)\", which is no node's name (application_name) in the "
                + "configuration: add the node, or set its name"
        }
    }
}

/// Splits the text into tokens (`replication/syncrep_scanner.l`).
private struct NameReader {
    enum Token: Hashable {
        case word(String)
        case quoted(String)
        case number(Int)
        case opening, closing, comma
    }

    private let text: String
    private var rest: Substring

    init(_ text: String) {
        self.text = text
        rest = text[...]
    }

    mutating func tokens() throws(StandbyNamesProblem) -> [Token] {
        var tokens: [Token] = []
        while let token = try next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(StandbyNamesProblem) -> Token? {
        rest = rest.drop { $0.isWhitespace }
        guard let first = rest.first else { return nil }
        switch first {
        case "(": return take(.opening)
        case ")": return take(.closing)
        case ",": return take(.comma)
        case "*": return take(.word("*"))
        case "\"": return try quoted()
        default: return try word()
        }
    }

    private mutating func take(_ token: Token) -> Token {
        rest.removeFirst()
        return token
    }

    private mutating func quoted() throws(StandbyNamesProblem) -> Token {
        var name = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            guard character == "\"" else {
                name.append(character)
                continue
            }
            guard rest.first == "\"" else { return .quoted(name) }
            name.append("\"")
            rest.removeFirst()
        }
        throw .unreadable(text)
    }

    private mutating func word() throws(StandbyNamesProblem) -> Token {
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" || !$0.isASCII }
        guard !word.isEmpty else { throw .unreadable(text) }
        rest = rest[word.endIndex...]
        if word.allSatisfy({ $0.isASCII && $0.isNumber }) {
            guard let number = Int(word) else { throw .unreadable(text) }
            return .number(number)
        }
        return .word(word.lowercased())
    }
}
