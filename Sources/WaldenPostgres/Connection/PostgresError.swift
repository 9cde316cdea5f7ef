/// What went wrong between Walden and a server, in words that are safe to log: they hold no password, no statement
/// parameter and no row.
public struct PostgresError: Error, Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// The connection string cannot be understood. Final: another attempt fails alike.
        case invalidDSN = "invalid_dsn"
        /// No conversation with a server came about: no route, nobody listening, a name that does not resolve.
        case unreachable
        /// The server answered with an error; `sqlState` says which. The connection stands unless it was a refusal
        /// to connect.
        case server
        /// No answer in time. The connection is closed.
        case timedOut = "timed_out"
        /// The connection ended under way.
        case connectionLost = "connection_lost"
        /// The caller asked for the wait to end. The connection is closed.
        case interrupted
        /// The server answered what PostgreSQL does not answer to this question.
        case unexpectedReply = "unexpected_reply"
        /// The server lacks what is asked of it: too old a version, a publication that does not exist.
        case unsupported
        /// The operating system refused a descriptor or a thread.
        case resources
    }

    public let kind: Kind
    /// One line, without a final full stop.
    public let message: String
    /// Five characters (PostgreSQL documentation, "PostgreSQL Error Codes"); nil when no server spoke.
    public let sqlState: String?
    /// What a person can do about it, where that is known.
    public let cure: String?

    public init(_ kind: Kind, _ message: String, sqlState: String? = nil, cure: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.cure = cure ?? sqlState.flatMap(Cures.forSQLState)
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        let advice = cure.map { "; \($0)" } ?? ""
        return message + state + advice
    }
}

/// Known ways out of known refusals.
enum Cures {
    static func forSQLState(_ state: String) -> String? {
        switch state {
        case "28P01": "check the password (DSN, PGPASSWORD or ~/.pgpass)"
        case "28000": "check the role's LOGIN and REPLICATION attributes and the server's pg_hba.conf"
        case "3D000": "create the database, or name an existing one in the DSN"
        case "42501": "grant the privilege, or connect as a role that has it"
        case "53300": "raise max_connections or max_wal_senders, or end idle sessions"
        case "53400": "raise max_replication_slots, or drop slots that nobody uses"
        case "55000": "set wal_level = logical and restart the server"
        case "57P03": "wait until the server has started"
        case "25006": "connect to the primary, not to a standby"
        default: nil
        }
    }
}

/// Turns libpq's error text into one line, with the SQLSTATE that verbose errors carry.
enum ErrorText {
    struct Parsed: Hashable {
        let message: String
        let sqlState: String?
    }

    /// libpq's connection errors have no code of their own, but a verbose one reads `FATAL:  28P01: password …`.
    static func parse(_ text: String) -> Parsed {
        var lines: [String] = []
        var sqlState: String?
        for raw in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(raw)
            if line.isEmpty || line.hasPrefix("LOCATION:") { continue }
            let (clean, state) = withoutState(line)
            sqlState = state ?? sqlState
            lines.append(clean)
        }
        return Parsed(message: lines.isEmpty ? "no reason given" : lines.joined(separator: "; "), sqlState: sqlState)
    }

    static func trimmed(_ text: Substring) -> String {
        let start = text.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    /// Cuts `28P01: ` out of `…FATAL:  28P01: …`.
    private static func withoutState(_ line: String) -> (String, String?) {
        var search = line[...]
        while let colon = search.firstIndex(of: ":") {
            let rest = search[search.index(after: colon)...]
            let code = rest.drop { $0 == " " }.prefix(5)
            let after = rest.drop { $0 == " " }.dropFirst(5)
            // FATAL and ERROR have five letters, too; every code has a digit.
            if code.utf8.count == 5, after.hasPrefix(": "), code.allSatisfy(isCodeCharacter),
                code.contains(where: \.isNumber)
            {
                return (line[...colon] + " " + after.dropFirst(2), String(code))
            }
            search = rest
        }
        return (line, nil)
    }

    private static func isCodeCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isNumber || (character.isLetter && character.isUppercase))
    }
}
