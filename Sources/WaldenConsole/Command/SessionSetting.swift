/// A setting that PostgreSQL's sessions have and drivers look at.
struct SessionSetting: Hashable {
    let name: String
    let value: String
    /// Told at login by ParameterStatus.
    let isReported: Bool

    private init(_ name: String, _ value: String, isReported: Bool = true) {
        self.name = name
        self.value = value
        self.isReported = isReported
    }

    /// A version of the protocol's features that drivers compare; the console has those of 14.
    private static let serverVersion = "14.0 (Walden)"

    static let all = [
        SessionSetting("server_version", serverVersion),
        SessionSetting("server_encoding", "UTF8"),
        SessionSetting("client_encoding", "UTF8"),
        SessionSetting("DateStyle", "ISO, MDY"),
        SessionSetting("IntervalStyle", "postgres"),
        SessionSetting("TimeZone", "UTC"),
        SessionSetting("integer_datetimes", "on"),
        SessionSetting("standard_conforming_strings", "on"),
        SessionSetting("is_superuser", "off"),
        SessionSetting("in_hot_standby", "off"),
        SessionSetting("default_transaction_read_only", "off"),
        SessionSetting("transaction_isolation", "read committed", isReported: false),
        SessionSetting("transaction_read_only", "off", isReported: false),
        SessionSetting("search_path", "", isReported: false),
    ]

    /// - Parameter name: In lower case. `transaction isolation level` is the standard's spelling.
    static func named(_ name: String) -> SessionSetting? {
        let name = name == "transaction isolation level" ? "transaction_isolation" : name
        return all.first { $0.name.lowercased() == name }
    }

    /// Assigned by drivers and of no effect: answers do not depend on them.
    private static let ignored: Set = [
        "application_name", "extra_float_digits", "search_path", "statement_timeout", "lock_timeout",
        "idle_in_transaction_session_timeout", "datestyle", "intervalstyle", "timezone", "time", "client_min_messages",
        "standard_conforming_strings", "client_encoding", "names", "default_transaction_isolation",
        "default_transaction_read_only", "bytea_output", "geqo", "jit",
    ]

    /// - Parameter name: In lower case.
    static func accepts(_ name: String) -> Bool { ignored.contains(name) }
}
