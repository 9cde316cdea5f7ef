import WaldenCore
import WaldenPostgres

extension Setting {
    static let failover = failoverNodes + failoverTimes + failoverHands

    private static let failoverNodes = [
        choice(
            "failover.mode", \.failover.mode, ["off", "watch", "automatic"],
            "automatic: when the primary has failed, the standby that holds every acknowledged commit is promoted; "
                + "watch: only by order (walden switchover, walden failover); off: the nodes keep their roles."),
        Setting(
            key: "failover.directory", form: "PATH",
            help: "The sentinel's own directory on a disk that lasts: its journal, its history, its control socket.",
            show: { [$0.failover.directory] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard texts[0].hasPrefix("/"), texts[0].utf8.count <= 90 else {
                    throw Quantity.Malformed(reason: "is no absolute path of at most 90 bytes")
                }
                configuration.failover.directory = texts[0]
            }),
        list(
            "failover.names", "NAME", \.failover.names,
            "The application_name by which each node follows, as synchronous_standby_names knows it: the primary's "
                + "first, then those of the replicas in their order."
        ) { text throws(Quantity.Malformed) in
            guard (1...63).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw Quantity.Malformed(reason: "a name has 1 to 63 printable ASCII characters")
            }
        },
        list(
            "failover.servers", "DSN", \.failover.servers, isSecret: true,
            "How the sentinel reaches each node, as the role of sql/sentinel.sql, in the order of failover.names. "
                + "None: as primary and replicas say."
        ) { text throws(Quantity.Malformed) in
            do throws(PostgresError) { _ = try DSN(text) } catch {
                throw Quantity.Malformed(reason: "is no connection string: \(error)")
            }
        },
        list(
            "failover.upstreams", "CONNINFO", \.failover.upstreams, isSecret: true,
            "How the other nodes reach each node, in the order of failover.names: keyword=value pairs for "
                + "primary_conninfo, without application_name."
        ) { text throws(Quantity.Malformed) in
            guard !text.contains("://"), !text.contains("application_name"), (try? DSN(text)) != nil else {
                throw Quantity.Malformed(reason: "is no list of keyword=value pairs without application_name")
            }
        },
        Setting(
            key: "failover.priorities", form: "NAME=N", isList: true,
            help: "Of nodes that have received as much, the one with the highest is promoted; 0: never. A node has "
                + "100.",
            show: { $0.failover.priorities.map(\.description) },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var priorities: [NodePriority] = []
                for text in texts { priorities.append(try NodePriority(parsing: text)) }
                configuration.failover.priorities = priorities
            }),
        flag(
            "failover.may_lose", \.failover.mayLose,
            "Without synchronous replication: true, a crashed primary is replaced although its last commits may "
                + "be lost; false, only by order. With it nothing acknowledged is ever lost."),
        flag(
            "failover.resolve_commits", \.failover.resolvesCommits,
            "true: a client whose COMMIT is lost with the primary is told by the new one what has become of it; "
                + "costs a question in each transaction block that writes. false: it is told that nobody knows (08007)."
        ),
    ]

    private static let failoverTimes = [
        duration(
            "failover.heartbeat_interval", \.failover.heartbeat, .milliseconds(50) ... .seconds(10),
            "Between two heartbeats. A primary not heard of for three of them is suspected."),
        duration(
            "failover.restart_grace", \.failover.restartGrace, .zero ... .seconds(600),
            "How long a crashed primary may take to come back where nothing proves that no commit is lost."),
        duration(
            "failover.cooldown", \.failover.cooldown, .zero ... .seconds(86_400),
            "After a failover, no other one without an order, unless the new primary has crashed."),
        duration(
            "failover.hold_timeout", \.failover.hold, .seconds(1) ... .seconds(600),
            "How long statements for the primary wait while it is found out who it will be."),
        duration(
            "failover.switchover_timeout", \.failover.switchover, .seconds(1) ... .seconds(600),
            "How long a switchover waits for the transactions under way; then all stays as it was."),
        duration(
            "failover.hung_accept", \.failover.hungAccept, .zero ... .seconds(600),
            "Fail over when the primary works but accepts no new connection for so long. 0: never."),
    ]

    private static let failoverHands = [
        list(
            "failover.fence_command", "WORD", \.failover.fenceCommand,
            "A program, with its path, and its arguments, run before a promotion to cut the old primary off by other "
                + "means. Exit code 0: done; 75: a veto, nothing is promoted; all else is tried again."
        ) { _ throws(Quantity.Malformed) in },
        duration(
            "failover.fence_timeout", \.failover.fenceTimeout, .milliseconds(100) ... .seconds(600),
            "For one run of failover.fence_command."),
        list(
            "failover.event_command", "WORD", \.failover.eventCommand,
            "A program, with its path, and its arguments that is given each event of the sentinel as JSON."
        ) { _ throws(Quantity.Malformed) in },
        list(
            "failover.webhooks", "URL", \.failover.webhooks, isSecret: true,
            "Addresses that each event of the sentinel is POSTed to as JSON."
        ) { text throws(Quantity.Malformed) in
            guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
                throw Quantity.Malformed(reason: "is no http:// or https:// address")
            }
        },
        list(
            "failover.agents", "ADDRESS|none", \.failover.agents,
            "The agent on the host of each node, in the order of failover.names: host:port, or unix:PATH."
        ) { text throws(Quantity.Malformed) in
            if text != "none" { _ = try Quantity.address(text) }
        },
        file(
            "failover.agent_cert_file", \.failover.agentCertificateFile, isReloadable: false,
            "The certificate shown to agents (PEM)."),
        file(
            "failover.agent_key_file", \.failover.agentKeyFile, isReloadable: false,
            "The key of failover.agent_cert_file (PEM)."),
        file(
            "failover.agent_ca_file", \.failover.agentAuthorityFile, isReloadable: false,
            "Authorities of the agents' certificates (PEM)."),
    ]

    /// Texts that are each looked at by themselves.
    private static func list(
        _ key: String, _ form: String, _ property: any WritableKeyPath<Configuration, [String]> & Sendable,
        isSecret: Bool = false, _ help: String,
        check: @escaping @Sendable (String) throws(Quantity.Malformed) -> Void
    ) -> Setting {
        Setting(
            key: key, form: form, isList: true, isSecret: isSecret, help: help, show: { $0[keyPath: property] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                for text in texts { try check(text) }
                configuration[keyPath: property] = texts
            })
    }
}
