import WaldenCore
import WaldenPostgres

extension Setting {
    static let all: [Setting] =
        connections + proxy + front + tls + auth + pool + routing + failover + cache + audit + explain + console
        + stream
        + log

    private static let connections = [
        Setting(
            key: "primary", form: "DSN", isSecret: true,
            help: "The primary: a libpq URI or key=value string. Results of its database are cached. Required.",
            show: { $0.primary.isEmpty ? [] : [$0.primary] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration.primary = try connectionString(texts[0])
            }),
        Setting(
            key: "replicas", form: "DSN", isList: true, isSecret: true,
            help: "A streaming standby, which reads may go to. May be given several times.",
            show: { $0.replicas },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var strings: [String] = []
                for text in texts { strings.append(try connectionString(text)) }
                configuration.replicas = strings
            }),
        Setting(
            key: "listen", form: "ADDRESS", isList: true,
            help: "Where clients connect: host:port, or unix:/path. May be given several times.",
            show: { $0.listen.map(\.spelled) },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard !texts.isEmpty else { throw Quantity.Malformed(reason: "needs at least one address") }
                var addresses: [Endpoint] = []
                for text in texts { addresses.append(try Quantity.address(text)) }
                configuration.listen = addresses
            }),
        Setting(
            key: "admin", form: "ADDRESS", help: "Where metrics, health and status are served over HTTP.",
            show: { [$0.admin.spelled] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                let address = try Quantity.address(texts[0])
                guard case .tcp = address else { throw Quantity.Malformed(reason: "it must be host:port") }
                configuration.admin = address
            }),
        Setting(
            key: "agent_check", form: "ADDRESS|off",
            help: "Where HAProxy's agent check is answered: up while this instance serves writes.",
            show: { [$0.agentCheck?.spelled ?? "off"] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration.agentCheck = nil
                guard texts[0] != "off" else { return }
                let address = try Quantity.address(texts[0])
                guard case .tcp = address else { throw Quantity.Malformed(reason: "it must be host:port, or off") }
                configuration.agentCheck = address
            }),
    ]

    private static let proxy = [
        count(
            "proxy.workers", \.workers, 0...1_024,
            "Event loops, each a thread that serves many clients. 0: one for each processor."),
        count("proxy.max_clients", \.maxClients, 1...1_000_000, "Client connections at the same time."),
        duration(
            "proxy.startup_timeout", \.startupTimeout, .milliseconds(100) ... .seconds(3_600),
            "From a client's connection to its first ReadyForQuery; bounds connecting to the server, too."),
        duration(
            "proxy.drain_timeout", \.drainTimeout, .zero ... .seconds(86_400),
            "After SIGTERM, how long sessions may take to come to a quiet moment."),
        bytes(
            "proxy.max_held_bytes", \.heldBytes, 1_024...(1 << 30),
            "A longer message is streamed through unseen; its session may bypass the cache from then on."),
        flag(
            "proxy.deferred_begin", \.defersBegin,
            "Answer BEGIN at once and send it with the first statement that needs the server, so that "
                + "transactions that only hit cost it nothing."),
    ]

    private static let cache = [
        flag(
            "cache.enabled", \.isCaching,
            "false: relay only, nothing is parsed or kept."),
        bytes("cache.max_bytes", \.cacheBytes, (1 << 20)...(1 << 44), "Keys, results and index together."),
        bytes("cache.max_result_bytes", \.resultBytes, 1_024...(1 << 30), "A larger result is not kept."),
        duration(
            "cache.max_staleness", \.maxStaleness, .milliseconds(10) ... .seconds(3_600),
            "How far behind the primary the state may be that hits show."),
        duration(
            "cache.outage_staleness", \.outageStaleness, .zero ... .seconds(3_600),
            "While the primary is being replaced (failover.mode), how old the state may be that hits show then, each with a "
                + "notice of its age. 0: what the stream of changes does not vouch for is not served."),
        choice(
            "cache.consistency", \.consistency, ConsistencyLevel.allCases.map(\.name),
            "What hits promise where a session or a statement does not say otherwise: bounded, no older than "
                + "cache.max_staleness and the session's own writes; session, also than anything it has seen; strict, "
                + "also than the request."),
        duration(
            "cache.wait_budget", \.waitBudget, .zero ... .seconds(1),
            "How long a request may wait for the cache to become as fresh as its level asks for, when its entry "
                + "is worth it; then it goes to the primary. 0: it never waits."),
        count("cache.max_pending_fills", \.maxPendingFills, 1...1_000_000, "Results on their way into the cache."),
        duration(
            "cache.coalesce_wait", \.coalesceWait, .zero ... .seconds(60),
            "How long a miss waits for another client's identical one before it asks the server itself."),
        bytes(
            "cache.compress_min_bytes", \.compressBytes, 1_024...(1 << 30),
            "Results from this size on are compressed (LZ4) while the cache is more than half full."),
        choice(
            "cache.admission", \.admission, ["benefit", "always"],
            "benefit: results of statements for which keeping them costs more than it saves are not kept."),
        choice(
            "cache.without_event_triggers", \.withoutEventTriggers, ["refuse", "poll"],
            "Where the event triggers of walden init cannot be had. refuse: nothing is cached; poll: each probe looks "
                + "for schema changes, and materialized views are not cached."),
    ]

    private static let audit = [
        Setting(
            key: "cache.audit_rate", form: "RATE", range: "0 … 1",
            help: "The part of hits that is read anew at the server and compared; a difference takes the statement "
                + "out of the cache. 0: none.",
            show: { ["\($0.auditRate)"] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard let rate = Double(texts[0]), (0...1).contains(rate) else {
                    throw Quantity.Malformed(reason: "'\(texts[0])' is no number from 0 to 1")
                }
                configuration.auditRate = rate
            })
    ]

    private static let explain = [
        flag(
            "explain.values", \.explainsValues,
            "true: explanations show the keys of rows whose change dropped a result. They are data.")
    ]

    private static let console = [
        Setting(
            key: "console.database", form: "NAME",
            help: "The name of the virtual database that is the console. Empty: there is none.",
            show: { [$0.consoleDatabase] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard texts[0].utf8.count <= 63 else { throw Quantity.Malformed(reason: "a name has at most 63 bytes") }
                configuration.consoleDatabase = texts[0]
            }),
        roles("console.admin_users", \.consoleAdmins, "Roles that may use every command of the console."),
        roles("console.stats_users", \.consoleReaders, "Roles that may use SHOW in the console."),
    ]

    private static func roles(
        _ key: String, _ property: any WritableKeyPath<Configuration, [String]> & Sendable, _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "ROLE", isList: true, isReloadable: true, help: help, show: { $0[keyPath: property] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard texts.allSatisfy({ (1...63).contains($0.utf8.count) }) else {
                    throw Quantity.Malformed(reason: "a role's name has 1 to 63 bytes")
                }
                configuration[keyPath: property] = texts
            })
    }

    private static let stream = [
        Setting(
            key: "stream.publication", form: "NAME", help: "The publication that tells of changes.",
            show: { [$0.publication] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard (1...63).contains(texts[0].utf8.count) else {
                    throw Quantity.Malformed(reason: "a name has 1 to 63 bytes")
                }
                configuration.publication = texts[0]
            }),
        duration(
            "stream.heartbeat_interval", \.heartbeatInterval, .milliseconds(1) ... .seconds(600),
            "How often the primary is looked at when nothing else asks for it. At most a quarter of "
                + "cache.max_staleness is used."),
        duration(
            "stream.max_silence", \.maxSilence, .milliseconds(100) ... .seconds(600),
            "Without a word from the walsender for this long nothing is served and the stream is started anew."),
    ]

    private static let log = [
        choice(
            "log.level", \.logLevel, ["trace", "debug", "info", "notice", "warning", "error", "critical"],
            isReloadable: true, "The least level that is logged."),
        choice("log.format", \.logFormat, ["text", "json"], "One line for people, or one JSON object, an event."),
    ]
}

/// A connection string that libpq can read. libpq's own words are left out where they may quote a password.
private func connectionString(_ text: String) throws(Quantity.Malformed) -> String {
    guard !text.isEmpty else { throw Quantity.Malformed(reason: "is empty") }
    do throws(PostgresError) {
        _ = try DSN(text)
        return text
    } catch {
        throw Quantity.Malformed(reason: "is no connection string: \(error)")
    }
}
