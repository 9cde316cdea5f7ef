extension StartupMessage {
    /// What kind of walsender the session asks for (protocol chapter, Streaming Replication Protocol).
    public enum Replication: Hashable, Sendable {
        /// Bound to no database.
        case physical
        /// `replication=database`: bound to one, whose SQL it takes as well.
        case logical
    }

    /// Nil for an ordinary session. A value that is no boolean is the server's to refuse, and counts as physical.
    public var replication: Replication? {
        guard let value = self["replication"] else { return nil }
        if value == "database" { return .logical }
        return Self.isFalse(value.lowercased()) ? nil : .physical
    }

    /// As PostgreSQL's `parse_bool` reads it: unique prefixes of false, no and off, and 0.
    private static func isFalse(_ value: String) -> Bool {
        if value == "0" { return true }
        guard !value.isEmpty, value != "o" else { return false }
        return ["false", "no", "off"].contains { $0.hasPrefix(value) }
    }
}
