/// Fingerprints of what may change without a message in the log. Two equal digests mean that nothing has changed.
public struct CatalogDigest: Hashable, Sendable {
    /// Roles, their memberships and `ALTER ROLE`/`ALTER DATABASE … SET`; shared objects have no event triggers.
    public let roles: String
    /// What the publication covers, replica identities, and row security.
    public let coverage: String
    /// Walden's event triggers: whether they are there and enabled.
    public let eventTriggers: String
    /// Defaults of settings in `postgresql.conf` that change how a statement reads or prints.
    public let settings: String
    /// Every catalog that a statement's meaning depends on; nil unless asked for. The way to notice schema changes
    /// where event triggers are missing or disabled.
    public let schema: String?

    public init(roles: String, coverage: String, eventTriggers: String, settings: String, schema: String?) {
        self.roles = roles
        self.coverage = coverage
        self.eventTriggers = eventTriggers
        self.settings = settings
        self.schema = schema
    }

    /// Whether schema changes are written into the log. While they are not, ask with `includingSchema`.
    public var schemaChangesReachTheLog: Bool {
        let enabled = eventTriggers.split(separator: " ")
        return ["walden_ddl", "walden_drop", "walden_start"].allSatisfy { name in
            enabled.contains { $0 == "\(name)=A" || $0 == "\(name)=O" }
        }
    }

    /// Whether nothing has changed since `earlier` but what event triggers tell of.
    public func differsByLoggedChangesAlone(from earlier: CatalogDigest?) -> Bool {
        guard let earlier, schemaChangesReachTheLog else { return false }
        return roles == earlier.roles && settings == earlier.settings && eventTriggers == earlier.eventTriggers
    }

    /// One question, a few milliseconds of the server's time.
    public static func read(
        _ connection: Connection, includingSchema: Bool, timeout: Duration = .seconds(10)
    ) throws(PostgresError) -> CatalogDigest {
        let schema = includingSchema ? Self.schema : "NULL"
        let sql =
            "SELECT (\(rolesSQL)), (\(coverageSQL(connection.serverVersion))), (\(eventTriggersSQL)), "
            + "(\(settingsSQL)), (\(schema))"
        let row = try connection.execute(sql, timeout: timeout).rows.first ?? []
        guard row.count == 5 else { throw PostgresError(.unexpectedReply, "the catalog gave no digest") }
        return CatalogDigest(
            roles: row[0] ?? "", coverage: row[1] ?? "", eventTriggers: row[2] ?? "", settings: row[3] ?? "",
            schema: row[4])
    }

    // A sum over hashes of rows needs no order, so each part is one pass over a small catalog.

    private static let rolesSQL = """
        SELECT pg_catalog.concat_ws(' ', \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(r::text, 0)) FROM (SELECT oid, rolname, rolsuper, \
        rolinherit, rolbypassrls FROM pg_catalog.pg_roles) r), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(m::text, 0)) FROM pg_catalog.pg_auth_members m), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(s::text, 0)) FROM pg_catalog.pg_db_role_setting s))
        """

    private static func coverageSQL(_ serverVersion: Int) -> String {
        let schemas =
            serverVersion >= 150_000
            ? "(SELECT pg_catalog.sum(pg_catalog.hashtextextended(n::text, 0)) "
                + "FROM pg_catalog.pg_publication_namespace n)"
            : "NULL"
        return """
            SELECT pg_catalog.concat_ws(' ', \
            (SELECT pg_catalog.sum(pg_catalog.hashtextextended(p::text, 0)) FROM pg_catalog.pg_publication p), \
            (SELECT pg_catalog.sum(pg_catalog.hashtextextended(r::text, 0)) FROM pg_catalog.pg_publication_rel r), \
            \(schemas), (SELECT pg_catalog.sum(pg_catalog.hashtextextended(\
            pg_catalog.concat(c.oid, c.relreplident, c.relpersistence, c.relrowsecurity), 0)) \
            FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384))
            """
    }

    private static let eventTriggersSQL = """
        SELECT pg_catalog.string_agg(evtname || '=' || evtenabled::text, ' ' ORDER BY evtname) \
        FROM pg_catalog.pg_event_trigger WHERE evtname IN ('walden_ddl', 'walden_drop', 'walden_start')
        """

    /// `reset_val` is what a new session starts with; the control connection sets none of these itself.
    private static let settingsSQL = """
        SELECT pg_catalog.string_agg(name || '=' || reset_val, ' ' ORDER BY name) FROM pg_catalog.pg_settings \
        WHERE name IN ('search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output', \
        'lc_monetary', 'lc_numeric', 'lc_time', 'lc_messages', 'row_security', 'standard_conforming_strings', \
        'backslash_quote', 'default_text_search_config', 'transform_null_equals', 'xmlbinary', 'xmloption', \
        'array_nulls', 'timezone_abbreviations', 'quote_all_identifiers')
        """

    /// A row that is changed moves (`ctid`) and carries its changer (`xmin`); what VACUUM and ANALYZE write into
    /// `pg_class` they write in place.
    private static let schema: String = {
        let lasting = "(SELECT oid FROM pg_catalog.pg_class WHERE relpersistence <> 't')"
        let ofRelations = [
            ("pg_attribute", "attrelid"), ("pg_class", "oid"), ("pg_rewrite", "ev_class"), ("pg_policy", "polrelid"),
            ("pg_inherits", "inhrelid"), ("pg_attrdef", "adrelid"), ("pg_trigger", "tgrelid"), ("pg_index", "indrelid"),
        ].map { ($0.0, "\($0.1) IN \(lasting)") }
        let others = [
            ("pg_proc", "true"), ("pg_operator", "true"), ("pg_cast", "true"), ("pg_collation", "true"),
            ("pg_enum", "true"), ("pg_constraint", "conrelid = 0 OR conrelid IN \(lasting)"),
            (
                "pg_type",
                "typnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname LIKE 'pg\\_temp%')"
            ),
            ("pg_namespace", "nspname NOT LIKE 'pg\\_temp%' AND nspname NOT LIKE 'pg\\_toast%'"),
        ]
        let parts = (ofRelations + others).map { name, condition in
            "(SELECT pg_catalog.sum(pg_catalog.hashtextextended(xmin::text || ctid::text, 0)) "
                + "FROM pg_catalog.\(name) WHERE \(condition))"
        }
        return "SELECT pg_catalog.concat_ws(' ', \(parts.joined(separator: ", ")))"
    }()
}
