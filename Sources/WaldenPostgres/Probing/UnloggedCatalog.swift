/// What decides on results and is told by no stream: Walden's own event triggers, which fire for all but themselves, and
/// the shared catalogs of roles, memberships and `ALTER ROLE`/`ALTER DATABASE … SET`, which know no event triggers, and
/// when `postgresql.conf` was last read (by the asked process, which gets the signal together with all others).
///
/// Its fingerprint rides on every probe, so that such a change is noticed by the probe that vouches for the state after
/// it. A row that is changed moves (`ctid`) and carries its changer (`xmin`): a trigger that was disabled for a moment
/// shows, too, and so does a trigger's function that was replaced. Costs the server some 30 µs, and 0.3 ms with 500 roles
/// and memberships (measured); with more than `roleLimit` of them the roles are left to the polled `CatalogDigest`.
enum UnloggedCatalog {
    private static let roleLimit = 1000

    /// How many rows the fingerprint of the roles would have to read.
    private static let countSQL = """
        SELECT (SELECT count(*) FROM pg_catalog.pg_roles) + (SELECT count(*) FROM pg_catalog.pg_auth_members) \
        + (SELECT count(*) FROM pg_catalog.pg_db_role_setting)
        """

    private static let eventTriggers = """
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(',', e.evtname, e.evtenabled, e.xmin, e.ctid, p.xmin, p.ctid), \
        ' ' ORDER BY e.evtname) FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid \
        WHERE e.evtname IN ('walden_ddl', 'walden_drop', 'walden_start'))
        """

    /// Sums over hashes need no order. `pg_authid` itself may be read by superusers only.
    private static let members = """
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(m.xmin, m.ctid), 0)) \
        FROM pg_catalog.pg_auth_members m)
        """

    /// What a session begins with.
    private static let roles = """
        pg_catalog.concat_ws(',', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(s.xmin, s.ctid), 0)) \
        FROM pg_catalog.pg_db_role_setting s), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(',', r.oid, r.rolname, r.rolsuper, \
        r.rolinherit, r.rolbypassrls), 0)) FROM pg_catalog.pg_roles r))
        """

    /// The part of a fingerprint that tells what sessions begin with: `ALTER ROLE`, `ALTER DATABASE … SET`.
    static func sessionDefaults(in fingerprint: String) -> Substring { fingerprint.prefix { $0 != "/" } }

    /// An expression of SQL for the fingerprint, in one text.
    ///
    /// - Parameter watchesSchema: Schema changes are not in the log either.
    static func expression(asking connection: Connection, watchesSchema: Bool) throws(PostgresError) -> String {
        let count = try connection.execute(countSQL).firstValue.flatMap { Int($0) } ?? Int.max
        let parts = count <= roleLimit ? "\(eventTriggers), \(members)" : eventTriggers
        let defaults = count <= roleLimit ? roles : "'-'"
        let schema = watchesSchema ? ", " + SchemaFingerprint.expression(serverVersion: connection.serverVersion) : ""
        return "pg_catalog.concat_ws('/', \(defaults), pg_catalog.pg_conf_load_time(), \(parts)\(schema))"
    }
}
