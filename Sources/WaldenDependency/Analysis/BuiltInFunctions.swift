/// What is fixed about functions of `pg_catalog` beyond their volatility (PostgreSQL `catalog/pg_proc.dat`).
enum BuiltInFunctions {
    /// Declared STABLE, yet determined by their arguments, the database state and settings that are part of the key
    /// (TimeZone, DateStyle, default_text_search_config …): they format, parse by a given pattern, or compute with
    /// time zones. Not on the list: whatever tells the time, the session, privileges or statistics, runs SQL, or
    /// feeds data to the input functions of dates, which know `now`.
    static let deterministicStable: Set<String> = [
        "array_to_json", "array_to_string", "concat", "concat_ws", "convert", "convert_from", "convert_to",
        "date_cmp_timestamptz", "date_part", "date_trunc", "enum_first", "enum_last", "enum_range", "extract",
        "format", "generate_series", "json_agg", "json_build_array", "json_build_object", "json_object_agg",
        "json_to_tsvector", "jsonb_agg", "jsonb_build_array", "jsonb_build_object", "jsonb_object_agg",
        "jsonb_path_exists_tz", "jsonb_path_match_tz", "jsonb_path_query_array_tz", "jsonb_path_query_first_tz",
        "jsonb_path_query_tz", "jsonb_to_tsvector", "length", "make_timestamptz", "overlaps", "phraseto_tsquery",
        "plainto_tsquery", "quote_literal", "quote_nullable", "row_to_json", "timestamp_cmp_timestamptz",
        "timestamptz_cmp_date", "timestamptz_cmp_timestamp", "to_char", "to_date", "to_json", "to_jsonb",
        "to_number", "to_timestamp", "to_tsquery", "to_tsvector", "ts_headline", "websearch_to_tsquery",
    ]

    /// Conversions to a date or time that are spelled as calls.
    static let dateConversions: Set<String> = ["date", "timestamp", "timestamptz", "time", "timetz"]

    /// VOLATILE, but neither writing nor locking.
    static let harmlessVolatile: Set<String> = [
        "clock_timestamp", "gen_random_uuid", "lastval", "currval", "pg_blocking_pids", "pg_database_size",
        "pg_indexes_size", "pg_is_in_recovery", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
        "pg_current_wal_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn", "pg_relation_size",
        "pg_size_pretty", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_table_size", "pg_total_relation_size",
        "random", "setseed", "timeofday",
    ]

    /// STABLE, and alike on every node that has applied the same log, though not from one call to the next.
    private static let alikeStable: Set<String> = [
        "age", "col_description", "current_database", "current_schema", "current_schemas", "current_setting", "date",
        "date_add", "date_subtract", "format_type", "has_any_column_privilege", "has_column_privilege",
        "has_database_privilege", "has_function_privilege", "has_schema_privilege", "has_sequence_privilege",
        "has_table_privilege", "has_type_privilege", "json_populate_record", "json_populate_recordset",
        "json_to_record", "json_to_recordset", "jsonb_populate_record", "jsonb_populate_recordset",
        "jsonb_to_record", "jsonb_to_recordset", "now", "obj_description", "pg_collation_for", "pg_column_size",
        "pg_get_constraintdef", "pg_get_expr", "pg_get_indexdef", "pg_get_userbyid", "pg_get_viewdef", "pg_has_role",
        "pg_typeof", "row_security_active", "statement_timestamp", "time", "timestamp", "timestamptz", "timetz",
        "timezone", "to_regclass", "to_regnamespace", "to_regoper", "to_regoperator", "to_regproc", "to_regprocedure",
        "to_regrole", "to_regtype", "transaction_timestamp",
    ]

    /// VOLATILE, and as good on any node. Not on the list: what draws on the session's own state (`random`, `lastval`).
    private static let alikeVolatile: Set<String> = [
        "clock_timestamp", "gen_random_uuid", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "timeofday", "timezone",
        "uuidv4", "uuidv7",
    ]

    /// IMMUTABLE, and refused on a standby.
    private static let onPrimaryOnly: Set<String> = ["pg_walfile_name", "pg_walfile_name_offset"]

    /// Whether a replica is as good as the primary for it. `current_setting` is, of settings that sessions assign.
    static func isAlikeOnReplicas(_ function: FunctionEntry) -> Bool {
        switch function.volatility {
        case .immutable: !onPrimaryOnly.contains(function.name)
        case .stable: deterministicStable.contains(function.name) || alikeStable.contains(function.name)
        case .volatile: alikeVolatile.contains(function.name)
        }
    }

    /// May assign settings, or run SQL that does.
    static let settingsChanging: Set<String> = [
        "set_config", "query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema", "cursor_to_xml",
        "cursor_to_xmlschema", "ts_stat", "ts_rewrite",
    ]

    /// Functions that sessions call before the catalog has been read, known not to change anything.
    static let harmlessWithoutCatalog: Set<String> = deterministicStable.union(harmlessVolatile).union([
        "array_agg", "avg", "coalesce", "count", "current_database", "current_schema", "current_schemas",
        "current_setting", "date", "lower", "max", "min", "now", "nullif", "obj_description", "pg_backend_pid",
        "pg_get_constraintdef",
        "pg_get_expr", "pg_get_indexdef", "pg_get_userbyid", "pg_get_viewdef", "pg_table_is_visible",
        "pg_encoding_to_char", "format_type", "sum", "upper", "version",
    ])

    /// VOLATILE, yet they leave nothing on the server that a later statement of the session would need.
    private static let volatileWithoutTrace: Set<String> = harmlessVolatile.union([
        "nextval", "setval", "pg_notify", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
        "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared", "pg_cancel_backend", "pg_terminate_backend",
        "txid_current", "pg_current_xact_id", "pg_logical_emit_message", "lo_create", "lo_creat", "lo_unlink",
        "lo_from_bytea", "lo_put", "lo_import", "lo_export", "pg_reload_conf", "pg_switch_wal", "uuidv4", "uuidv7",
    ])

    /// Whether a function of `pg_catalog`, whatever its volatility, leaves nothing behind that is the session's.
    static func bindsNothing(_ name: String) -> Bool {
        volatileWithoutTrace.contains(name) || harmlessWithoutCatalog.contains(name)
    }
}
