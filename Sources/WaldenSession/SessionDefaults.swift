import WaldenCore
import WaldenWire

/// What the server itself says of a session: whose it is, and the values of those settings that shape results and that
/// no ParameterStatus tells.
///
/// `ALTER ROLE` and `ALTER DATABASE … SET` reach sessions that begin afterwards, so two sessions of one user may differ
/// in what neither of them ever assigned. No catalog tells which of them began before the change; only the session
/// knows (docs/adr/0021).
struct SessionDefaults: Hashable, Sendable {
    /// What they rest on; asked for again when it has changed.
    struct Basis: Hashable, Sendable {
        /// Rises with each assignment that is taken back: what was hidden by it shows.
        let resets: UInt64
        /// The server's configuration file, as far as it is watched.
        let catalog: UInt64
    }

    let basis: Basis
    /// The OID of the role that logged in; its name may have been given to another since.
    let login: [UInt8]
    /// In the order of `names`.
    private let values: [String]

    /// In lower case. What DateStyle, IntervalStyle, TimeZone, `client_encoding` and `standard_conforming_strings` are,
    /// the server reports by itself.
    static let names = [
        "role", "search_path", "array_nulls", "backslash_quote", "bytea_output", "default_text_search_config",
        "extra_float_digits", "gin_fuzzy_search_limit", "lc_messages", "lc_monetary", "lc_numeric", "lc_time",
        "quote_all_identifiers", "row_security", "timezone_abbreviations", "transform_null_equals", "xmlbinary",
        "xmloption", "zero_damaged_pages",
    ]

    /// One row: the login role's OID, then the values of `names`.
    static let question: String = {
        let values = names.map { "pg_catalog.current_setting('\($0)')" }.joined(separator: ", ")
        return "SELECT (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) session_user), "
            + values
    }()

    /// Nil when the answer is not of that form.
    init?(_ row: [[UInt8]?], basis: Basis) {
        guard row.count == Self.names.count + 1, let login = row[0] else { return nil }
        var values: [String] = []
        for case let value? in row.dropFirst() {
            guard let text = String(validating: value, as: UTF8.self) else { return nil }
            values.append(text)
        }
        guard values.count == Self.names.count else { return nil }
        self.basis = basis
        self.login = login
        self.values = values
    }

    /// The same answer for another session.
    func resting(on resets: UInt64) -> SessionDefaults {
        SessionDefaults(
            basis: Basis(resets: resets, catalog: basis.catalog), login: login, values: values)
    }

    private init(basis: Basis, login: [UInt8], values: [String]) {
        self.basis = basis
        self.login = login
        self.values = values
    }

    subscript(name: String) -> String? {
        Self.names.firstIndex(of: name).map { values[$0] }
    }
}

/// Asking for them, ahead of the first statement that may be answered from the cache.
extension SessionMachine {
    enum DefaultsInquiry {
        /// `takeInjection()` holds the question.
        case asked
        /// The answer is on its way.
        case awaited
        /// The server refused the question, or this is no moment to ask it.
        case unknown
    }

    func knowsDefaults(_ environment: some SessionEnvironment) -> Bool {
        settings.defaults?.basis == defaultsBasis(environment)
    }

    private func defaultsBasis(_ environment: some SessionEnvironment) -> SessionDefaults.Basis {
        SessionDefaults.Basis(resets: settings.resets, catalog: environment.catalogGeneration)
    }

    mutating func askForDefaults(_ environment: some SessionEnvironment) -> DefaultsInquiry {
        if defaultsAsked != nil { return .awaited }
        let basis = defaultsBasis(environment)
        // Within a transaction an error would be the client's.
        guard units.isEmpty, status == .idle, defaultsRefused != basis else { return .unknown }
        var unit = Unit(isExtended: true, isHidden: true)
        unit.purpose = .defaultsInquiry
        unit.pendingParses = [.init(statement: nil, isInjected: true)]
        units.append(unit)
        defaultsAsked = basis
        injection += Self.defaultsInquiry
        return .asked
    }

    /// By a named statement that is closed at once, so that the client's unnamed one stays.
    private static let defaultsInquiry: [UInt8] = {
        let name = "walden defaults inquiry"
        return Parse(name: name, query: SessionDefaults.question).encoded() + Bind(statement: name).encoded()
            + Execute().encoded() + Close(.statement, name: name).encoded() + Sync().encoded()
    }()

    /// The row of the answer has come.
    mutating func defaultsAnswered(_ row: [[UInt8]?]) {
        guard let basis = defaultsAsked, let answer = SessionDefaults(row, basis: basis) else { return }
        settings.learn(answer)
    }

    /// A pooled session's results depend on the defaults of the server that it is served by.
    mutating func takeDefaults(of server: ServerSession) {
        guard let known = server.defaults, known.hidden.isSubset(of: settings.assignedNames) else {
            return settings.forgetDefaults()
        }
        let answer = known.answer.resting(on: settings.resets)
        if answer != settings.defaults { settings.learn(answer) }
    }

    /// The question has been dealt with.
    mutating func defaultsInquiryEnded() {
        if let server = pooled?.server, let answer = settings.defaults, answer.basis == defaultsAsked {
            server.defaults = ServerDefaults(answer: answer, hidden: settings.assignedNames)
        }
        if settings.defaults?.basis != defaultsAsked { defaultsRefused = defaultsAsked }
        defaultsAsked = nil
    }
}
