/// The questions that make a catalog snapshot. Each gives one kind of entry, in the order of its fields.
///
/// Everything is qualified: the session's search path must not decide what a catalog query means.
enum CatalogQueries {
    /// One moment for all of them.
    static let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
    static let end = "COMMIT"

    static let namespaces = """
        SELECT nspname, pg_catalog.has_schema_privilege('public', oid, 'USAGE'), \
        CASE WHEN pg_catalog.has_schema_privilege(nspowner, oid, 'USAGE') \
        THEN pg_catalog.pg_get_userbyid(nspowner) END \
        FROM pg_catalog.pg_namespace
        """

    /// Takes the publication's name.
    static func relations(serverVersion: Int) -> String {
        """
        SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, \
        COALESCE(cover.published, false), COALESCE(cover.filtered, false), COALESCE(cover.listed, false), \
        c.relrowsecurity, \
        EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
        OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN') \
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        LEFT JOIN (\(PublicationSQL(serverVersion: serverVersion).subquery)) cover ON cover.relation = c.oid \
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't', 'c')
        """
    }

    /// Without the columns of TOAST tables, which no statement names.
    static let columns = """
        SELECT a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, COALESCE(l.collisdeterministic, true), \
        a.attgenerated <> '', COALESCE(a.attnum = ANY ((k.indkey::int2[])[0:k.indnkeyatts - 1]), false) \
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
        LEFT JOIN pg_catalog.pg_index k ON k.indrelid = c.oid AND CASE c.relreplident \
        WHEN 'd' THEN k.indisprimary AND k.indimmediate WHEN 'i' THEN k.indisreplident ELSE false END \
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') \
        ORDER BY a.attrelid, a.attnum
        """

    static let inheritance = "SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits"

    static let types = """
        SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typbasetype, t.typelem, \
        t.typinput::oid, t.typoutput::oid \
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        """

    /// The last column but one: whether calling it may leave a setting changed.
    ///
    /// Of the server's own functions only `set_config` does, under whatever name it is declared. A body that can be
    /// read is searched for it, for statements built at run time, and for SET, RESET or DISCARD where a statement
    /// begins; it is searched once as it stands and once without comments, for either form can hide a beginning that
    /// the other shows. Modules in C are trusted.
    ///
    /// The last column: whether its body names what differs between a primary and its standbys, or belongs to one
    /// server session: positions, transactions, snapshots, statistics, locks, settings that are not custom ones.
    static let functions = """
        SELECT p.oid, n.nspname, p.proname, p.proargtypes, p.pronargdefaults, p.provariadic <> 0, p.prorettype, \
        p.provolatile, p.prokind, CASE \
        WHEN p.prosrc = 'set_config_by_name' THEN true \
        WHEN n.nspname IN ('pg_catalog', 'information_schema', 'walden') OR l.lanname IN ('internal', 'c') THEN false \
        ELSE b.body ~* '(set_config|\\mexecute\\M|\\mspi_exec|\\mdo\\s*[$''])' OR b.body ~* s.beginning \
        OR pg_catalog.regexp_replace(b.body, '--[^\\n]*|/[*].*?[*]/', ' ', 'g') ~* s.beginning END, \
        n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname NOT IN ('internal', 'c') \
        AND b.body ~* s.server \
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
        CROSS JOIN LATERAL (SELECT COALESCE(p.prosrc, '') || ' ' \
        || COALESCE(CASE WHEN p.oid >= 16384 THEN pg_catalog.pg_get_function_sqlbody(p.oid) END, '') AS body) b \
        CROSS JOIN (SELECT '(^|;|>>|\\m(begin|then|else|loop)\\M)\\s*(set|reset|discard)\\M' AS beginning, \
        '\\m(pg_is_in_recovery|in_hot_standby|pg_(current|last)_\\w+|pg_wal\\w+|txid_\\w+|pg_xact\\w+|pg_snapshot\\w+|\
        pg_export_snapshot|pg_stat\\w*|pg_locks|pg_lock_status|pg_settings|pg_backend_pid|pg_advisory\\w+|pg_try\\w+|\
        pg_postmaster\\w+|pg_conf\\w+|pg_control\\w+|pg_temp\\w*|pg_my_temp_schema|pg_listening_channels|pg_cursors|\
        pg_prepared\\w+|inet_(server|client)\\w+|dblink\\w*|(default_)?transaction_read_only)\\M|\
        \\m(version|random|setseed|lastval|currval|nextval|setval)\\s*\\(|\
        current_setting\\s*\\(\\s*(?!''[^'']*\\.)' AS server) s
        """

    static let operators = """
        SELECT n.nspname, o.oprname, o.oprleft, o.oprright, o.oprcode::oid \
        FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        """

    static let casts = """
        SELECT castsource, casttarget, castfunc, castcontext = 'i' FROM pg_catalog.pg_cast WHERE oid >= 16384
        """

    /// The server's own `search_path` shows through only where neither the role, the database nor the client sets one.
    static let serverSearchPath = """
        SELECT CASE WHEN source IN ('default', 'configuration file', 'command line', 'global') \
        THEN reset_val END FROM pg_catalog.pg_settings WHERE name = 'search_path'
        """

    static let searchPaths = """
        SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) END, s.setdatabase <> 0, \
        pg_catalog.substr(e.entry, pg_catalog.length('search_path=') + 1) \
        FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS e (entry) \
        WHERE e.entry LIKE 'search\\_path=%' AND s.setdatabase IN (0, \
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
        """

    // MARK: Views and row security

    /// Until the end of the transaction everything outside `pg_catalog` is printed with its schema.
    static let emptySearchPath = "SET LOCAL search_path = ''"

    static let views = """
        SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid), c.relowner, COALESCE((SELECT o.option_value::boolean \
        FROM pg_catalog.pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false) \
        FROM pg_catalog.pg_class c WHERE c.relkind = 'v' AND c.oid >= 16384 AND c.relpersistence <> 't'
        """

    static let rowSecurity = """
        SELECT c.oid, c.relowner, c.relforcerowsecurity FROM pg_catalog.pg_class c WHERE c.relrowsecurity
        """

    static let policies = """
        SELECT p.polrelid, p.polpermissive, CASE WHEN NOT 0 = ANY (p.polroles) \
        THEN pg_catalog.array_to_string(p.polroles, ' ') END, pg_catalog.pg_get_expr(p.polqual, p.polrelid) \
        FROM pg_catalog.pg_policy p WHERE p.polcmd IN ('r', '*')
        """

    /// With those of the owners and policy roles whose privileges each role has.
    static let roles = """
        SELECT r.oid, r.rolname, r.rolsuper OR r.rolbypassrls, (SELECT pg_catalog.string_agg(i.oid::text, ' ') FROM (\
        SELECT c.relowner AS oid FROM pg_catalog.pg_class c WHERE c.relrowsecurity \
        UNION SELECT pg_catalog.unnest(p.polroles) FROM pg_catalog.pg_policy p) i \
        WHERE i.oid <> 0 AND pg_catalog.pg_has_role(r.oid, i.oid, 'USAGE')) FROM pg_catalog.pg_roles r
        """

    static let assignedRoles = """
        SELECT count(*) > 0 FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) \
        AS e (entry) WHERE e.entry LIKE 'role=%' OR e.entry LIKE 'session\\_authorization=%'
        """
}
