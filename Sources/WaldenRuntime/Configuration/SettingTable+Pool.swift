import WaldenPool
import WaldenSession

extension Setting {
    /// A change reaches clients who connect and server connections that are opened from then on; limits and times hold at
    /// once. Server connections are made by connectors that are there from the start, hence the one exception.
    static let pool = (sharing + poolLimits + poolTimes + clientTimes).map { setting in
        var setting = setting
        setting.isReloadable = setting.key != "pool.tcp_user_timeout"
        return setting
    }

    private static let sharing = [
        choice(
            "pool.mode", \.pool.mode, PoolChoices.modes,
            "When a client whom Walden has authenticated gives its server connection back. auto, transaction: after each "
                + "transaction, unless something binds the session to it; session: when it leaves."),
        choice(
            "pool.census", \.pool.census, Pooling.Census.allCases.map(\.rawValue),
            "When a server is asked what a session has left there. suspect: after statements that may leave something by "
                + "what is known of them; always: after all that are not plainly reads."),
        choice(
            "pool.reset", \.pool.reset, ["auto", "always"],
            "always: DISCARD ALL after every client, on top of what is known to need it."),
        count(
            "pool.server_statements", \.pool.serverStatements, 1...100_000,
            "Statements that stay prepared on a server connection; those used longest ago are closed."),
    ]

    private static let poolLimits = [
        count(
            "pool.size", \.pool.limits.pool, 1...10_000,
            "Server connections for each node, database, user and set of startup parameters."),
        count("pool.min_size", \.pool.limits.minimum, 0...10_000, "Of them, how many stay open once the pool is used."),
        count(
            "pool.max_database_connections", \.pool.limits.database, 0...100_000,
            "Server connections to one database, on all nodes together. 0: no limit."),
        count(
            "pool.max_user_connections", \.pool.limits.user, 0...100_000,
            "Server connections of one user, on all nodes together. 0: no limit."),
        count(
            "pool.max_node_connections", \.pool.limits.node, 0...100_000,
            "Server connections to one node. 0: no limit."),
        count(
            "pool.max_server_connections", \.pool.limits.total, 0...100_000,
            "Server connections of all pools. 0: no limit."),
    ]

    private static let poolTimes = [
        duration(
            "pool.query_wait_timeout", \.pool.queryWait, .zero ... .seconds(86_400),
            "How long a client waits for a server connection before it is refused with 53300. 0: for ever."),
        duration(
            "pool.outage_wait", \.pool.outageWait, .zero ... .seconds(3_600),
            "How long the request of a connected client waits for a primary that cannot be reached, before the client is "
                + "told; nothing of the request has been sent by then. 0: it is told at once."),
        duration(
            "pool.idle_timeout", \.pool.idle, .zero ... .seconds(86_400),
            "After how long without a client a server connection is closed. 0: never."),
        duration(
            "pool.lifetime", \.pool.lifetime, .zero ... .seconds(604_800),
            "The age at which a server connection is renewed, give or take a tenth. 0: never."),
        duration(
            "pool.check_delay", \.pool.checkDelay, .zero ... .seconds(86_400),
            "A server connection that was idle for longer is tested before a client gets it. 0: always."),
        duration(
            "pool.login_timeout", \.pool.login, .milliseconds(100) ... .seconds(3_600),
            "From connecting to a server to its first ReadyForQuery."),
        duration(
            "pool.cancel_timeout", \.pool.cancel, .milliseconds(100) ... .seconds(600),
            "How long a server may take over a cancel request; its connection is closed then, for no other client is "
                + "to be hit."),
        duration(
            "pool.tcp_user_timeout", \.pool.tcpUser, .zero ... .seconds(3_600),
            "After how long without acknowledgement of what was sent a server counts as gone (TCP_USER_TIMEOUT); a "
                + "connection that is silent is probed (keepalive) so that it is noticed within the same time. 0: as "
                + "the system is configured."),
    ]

    private static let clientTimes = [
        duration(
            "pool.query_timeout", \.pool.query, .zero ... .seconds(604_800),
            "After how long a statement is cancelled (57014). 0: never. This and the next three are looked at once a "
                + "second, or four times within the least of them, and hold for clients whom Walden authenticates."),
        duration(
            "pool.transaction_timeout", \.pool.transaction, .zero ... .seconds(604_800),
            "After how long a transaction ends, and its session with it (25P04). 0: never."),
        duration(
            "pool.idle_transaction_timeout", \.pool.idleTransaction, .zero ... .seconds(604_800),
            "For how long a client may leave a transaction open without a statement (25P03). 0: for ever."),
        duration(
            "pool.client_idle_timeout", \.pool.clientIdle, .zero ... .seconds(604_800),
            "For how long a client may be idle (57P05). 0: for ever."),
    ]
}
