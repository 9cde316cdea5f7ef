/// The values of `search_path` that new sessions of this database start with: `postgresql.conf` and
/// `pg_db_role_setting`.
public struct SearchPathDefaults: Hashable, Sendable {
    /// One `ALTER ROLE` or `ALTER DATABASE … SET search_path` that concerns this database.
    public struct Setting: Hashable, Sendable {
        /// Nil: for all roles.
        public let role: String?
        /// False: for all databases.
        public let isForThisDatabase: Bool
        public let value: String

        public init(role: String?, isForThisDatabase: Bool, value: String) {
            self.role = role
            self.isForThisDatabase = isForThisDatabase
            self.value = value
        }
    }

    public let server: String
    public let settings: [Setting]

    public init(server: String, settings: [Setting]) {
        self.server = server
        self.settings = settings
    }

    /// The default of a session that logged in as `role`. The more special setting wins (documentation of
    /// `ALTER ROLE`: role and database, then role, then database).
    public func value(for role: String) -> String {
        func find(_ role: String?, _ isForThisDatabase: Bool) -> String? {
            settings.first { $0.role == role && $0.isForThisDatabase == isForThisDatabase }?.value
        }
        return find(role, true) ?? find(role, false) ?? find(nil, true) ?? find(nil, false) ?? server
    }
}

/// What of a session decides the meaning of a statement's names and literals.
public struct SessionContext: Hashable, Sendable {
    /// The `search_path` in force in its source form, e.g. `"$user", public`; nil: the session's default.
    public let searchPath: String?
    /// Who logged in: decides the default of `search_path`.
    public let loginUser: String
    /// The effective role: what `$user` stands for.
    public let user: String
    /// Whether a backslash is an ordinary character in plain string literals.
    public let standardConformingStrings: Bool
    /// Names, in lower case, of custom settings (`app.tenant`) that hold what the session assigned by SET, whatever
    /// their defaults: the key tells their values.
    public let assignedSettings: Set<String>
    /// Whether the session is of the database whose catalog is read. Of another one only PostgreSQL's own functions are
    /// known, by name.
    public let isOfFollowedDatabase: Bool

    public init(
        searchPath: String?, loginUser: String, user: String, standardConformingStrings: Bool = true,
        assignedSettings: Set<String> = [], isOfFollowedDatabase: Bool = true
    ) {
        self.isOfFollowedDatabase = isOfFollowedDatabase
        self.assignedSettings = assignedSettings
        self.searchPath = searchPath
        self.loginUser = loginUser
        self.user = user
        self.standardConformingStrings = standardConformingStrings
    }
}

/// Schemas in the order in which an unqualified name is sought.
struct SearchPath: Hashable, Sendable {
    /// Without those that do not exist. `pg_catalog` is always among them. Temporary schemas are not: a session with
    /// temporary objects is not analysed for caching.
    let schemas: [String]

    /// Nil when the setting is not a list of identifiers.
    init?(context: SessionContext, catalog: CatalogSnapshot) {
        let source = context.searchPath ?? catalog.searchPaths.value(for: context.loginUser)
        guard var names = Self.identifiers(in: source) else { return nil }
        if let index = names.firstIndex(of: "$user") { names[index] = context.user }
        if !names.contains("pg_catalog") { names.insert("pg_catalog", at: 0) }
        var seen: Set<String> = []
        schemas = names.filter { seen.insert($0).inserted && catalog.namespaces[$0] != nil || $0 == "pg_catalog" }
    }

    /// Splits a comma-separated list of identifiers as PostgreSQL's `SplitIdentifierString` does.
    static func identifiers(in source: String) -> [String]? {
        var names: [String] = []
        let bytes = Array(source.utf8)
        var position = 0
        func skipSpace() {
            while position < bytes.count, isSpace(bytes[position]) { position += 1 }
        }
        skipSpace()
        if position == bytes.count { return [] }
        while true {
            guard let name = identifier(in: bytes, at: &position) else { return nil }
            names.append(name)
            skipSpace()
            if position == bytes.count { return names }
            guard bytes[position] == UInt8(ascii: ",") else { return nil }
            position += 1
            skipSpace()
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func identifier(in bytes: [UInt8], at position: inout Int) -> String? {
        var name: [UInt8] = []
        guard position < bytes.count else { return nil }
        let isQuoted = bytes[position] == UInt8(ascii: "\"")
        if isQuoted {
            position += 1
            while true {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                if byte != UInt8(ascii: "\"") {
                    name.append(byte)
                } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                    name.append(byte)
                    position += 1
                } else {
                    break
                }
            }
        } else {
            while position < bytes.count, bytes[position] != UInt8(ascii: ","), !isSpace(bytes[position]) {
                let byte = bytes[position]
                // Folding of letters outside ASCII depends on the server's locale.
                guard byte < 0x80, byte != UInt8(ascii: "\"") else { return nil }
                name.append((0x41...0x5A).contains(byte) ? byte + 0x20 : byte)
                position += 1
            }
        }
        guard isQuoted || !name.isEmpty, name.count < 64 else { return nil }
        return String(validating: name, as: UTF8.self)
    }
}
