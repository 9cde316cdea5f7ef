/// The cases that protocol proxies have been found to get wrong, by the tests and bug trackers of PgBouncer, Odyssey,
/// PgCat, PgDog, pg_doorman, Pgpool-II and Multigres. Each has to be shown by a script or a scenario.
struct Case: Sendable {
    let number: Int
    let name: String

    static let all = names.enumerated().map { Case(number: $0 + 1, name: $1) }

    private static let names = [
        "SSLRequest without TLS", "SSLRequest with TLS; bytes queued before the handshake", "GSSENCRequest",
        "TLS without SSLRequest, ALPN", "protocol 3.2 and 3.3", "_pq_ options", "startup packet in pieces",
        "malformed startup packets", "unknown database or user", "options in the startup packet",
        "application_name as given", "SCRAM: wrong password, malformed message", "channel_binding=require",
        "SCRAM after reconnect and after a change of password", "expired password; hostile search_path at startup",
        "password message of 65,535 bytes", "empty query", "several statements in a query; error in the second",
        "Parse, Bind, Describe, Execute, Sync", "Flush instead of Sync", "error in a pipeline",
        "several Syncs in flight", "500 queries before one Sync", "pipeline whose client stops reading",
        "PortalSuspended", "Bind before Parse, Execute of a closed portal", "one statement name, two clients",
        "Bind where the server never saw Parse", "eviction of a statement in use", "failed Parse",
        "client gone after Parse", "Parse of an open name", "Close of an unknown statement",
        "DEALLOCATE ALL and DISCARD ALL", "Parse and Bind beyond the buffers", "schema change before Execute",
        "COPY FROM STDIN and its errors", "server gone during COPY", "COPY TO STDOUT cancelled",
        "CopyData after an error", "cancel of a running query", "cancel with a wrong key, or when idle",
        "cancel while queued for a server", "cancel as the server moves to another client",
        "cancel at another instance", "notices between rows", "ParameterStatus", "SET LOCAL, SET and ROLLBACK",
        "set_config", "LISTEN", "advisory lock, temporary table, WITH HOLD", "client gone inside a transaction",
        "client gone during a large result", "FATAL from the server", "ErrorResponse without SQLSTATE",
        "empty transactions", "misrouted write", "transactions and routing", "failed transaction", "PAUSE and RESUME",
        "primary gone", "link lost after COMMIT", "half-open server", "timeouts", "RELOAD", "random bytes, 2 GB length",
        "hit and miss byte by byte", "cached reads and session state", "FunctionCall", "replication=database",
    ]
}
