import WaldenWire

/// The question what a session has left on its server, and the reading of the answer (docs/adr/0024).
///
/// Every name in it is qualified, for it runs under the session's own `search_path`.
enum Census {
    /// How much is asked.
    enum Scope: Hashable, Comparable {
        /// Without locks and temporary objects: what SET and PREPARE leave.
        case assignments
        case everything
    }

    /// Its statement's name on servers.
    static func name(_ scope: Scope) -> String {
        scope == .everything ? "walden census" : "walden census of assignments"
    }

    /// - Parameter custom: Names of settings that no catalog lists (`app.tenant`).
    static func question(_ scope: Scope, custom: [String] = []) -> String {
        var parts = assignments
        if scope == .everything { parts += objects }
        for name in custom {
            parts.append("SELECT 'setting', \(literal(name)), pg_catalog.current_setting(\(literal(name)), true)")
        }
        return parts.joined(separator: " UNION ALL ")
    }

    private static let assignments = [
        """
        SELECT 'setting', pg_catalog.lower(s.name), s.setting FROM pg_catalog.pg_settings s \
        WHERE s.source OPERATOR(pg_catalog.=) 'session' AND s.name OPERATOR(pg_catalog.<>) ALL \
        (ARRAY['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'])
        """,
        "SELECT 'role', '', pg_catalog.current_setting('role')",
        "SELECT 'authorization', '', session_user::pg_catalog.text",
        """
        SELECT CASE WHEN p.from_sql THEN 'sql statement' ELSE 'statement' END, p.name, NULL \
        FROM pg_catalog.pg_prepared_statements p WHERE pg_catalog.left(p.name, 6) OPERATOR(pg_catalog.<>) 'walden'
        """,
        """
        SELECT 'renamed', '', pg_catalog.count(*)::pg_catalog.text FROM pg_catalog.pg_prepared_statements p \
        WHERE pg_catalog.left(p.name, 7) OPERATOR(pg_catalog.=) 'walden_'
        """,
        "SELECT 'cursor', c.name, NULL FROM pg_catalog.pg_cursors c WHERE c.is_holdable",
        "SELECT 'channel', l, NULL FROM pg_catalog.pg_listening_channels() l",
    ]

    private static let objects = [
        """
        SELECT 'lock', '', NULL WHERE EXISTS (SELECT FROM pg_catalog.pg_locks l \
        WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' \
        AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())
        """,
        """
        SELECT 'temporary', '', NULL WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0 AND (\
        EXISTS (SELECT FROM pg_catalog.pg_class c \
        WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) OR \
        EXISTS (SELECT FROM pg_catalog.pg_proc f \
        WHERE f.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) OR \
        EXISTS (SELECT FROM pg_catalog.pg_type t \
        WHERE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()))
        """,
    ]

    /// A string constant that means the same whatever `standard_conforming_strings` is.
    static func literal(_ text: String) -> String {
        String(decoding: literal(Array(text.utf8)), as: UTF8.self)
    }

    static func literal(_ text: [UInt8]) -> [UInt8] {
        let backslash = UInt8(ascii: "\\")
        let quote = UInt8(ascii: "'")
        var result: [UInt8] = text.contains(backslash) ? [UInt8(ascii: "E"), quote] : [quote]
        for byte in text {
            if byte == quote || byte == backslash { result.append(byte) }
            result.append(byte)
        }
        result.append(quote)
        return result
    }
}

/// The rows of a census, as they come.
struct CensusReading {
    private(set) var settings: [String: [UInt8]] = [:]
    private(set) var role: [UInt8]?
    private(set) var authorization: [UInt8]?
    private(set) var pins: Set<Pin> = []
    private(set) var statements: Set<[UInt8]> = []
    /// How many statements of Walden's own names there are.
    private(set) var renamed: Int?
    let scope: Census.Scope

    init(scope: Census.Scope = .assignments) {
        self.scope = scope
    }

    /// False when the row is none of a census.
    mutating func add(_ row: [[UInt8]?]) -> Bool {
        guard row.count == 3, let kind = row[0], let name = row[1] else { return false }
        switch String(decoding: kind, as: UTF8.self) {
        // Null: a custom setting that the session does not have.
        case "setting": if let value = row[2] { settings[String(decoding: name, as: UTF8.self)] = value }
        case "role": role = row[2]
        case "authorization": authorization = row[2]
        case "sql statement":
            pins.insert(.preparedStatement)
            statements.insert(name)
        case "statement": statements.insert(name)
        case "renamed": renamed = row[2].flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        case "cursor": pins.insert(.cursorWithHold)
        case "channel": pins.insert(.listen)
        case "lock": pins.insert(.advisoryLock)
        case "temporary": pins.insert(.temporaryObject)
        default: return false
        }
        return true
    }

    /// Whether the rows that are always there have come.
    var isComplete: Bool { role != nil && authorization != nil && renamed != nil }
}
