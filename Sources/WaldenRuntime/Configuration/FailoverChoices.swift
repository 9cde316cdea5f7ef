import WaldenAgentClient
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel

/// Whether and how Walden replaces a primary that has failed.
struct FailoverChoices: Hashable, Sendable {
    /// `off`, `watch` or `automatic`.
    var mode = "off"
    static let defaultDirectory = "/var/lib/walden/sentinel"
    var directory = defaultDirectory
    /// By `NodeID.index`, as all lists here.
    var names: [String] = []
    /// Empty: as the proxy reaches them.
    var servers: [String] = []
    var upstreams: [String] = []
    var priorities: [NodePriority] = []
    var mayLose = true
    /// Whether clients are told what has become of a COMMIT that was lost with the primary.
    var resolvesCommits = false
    /// The program and its arguments; empty: none.
    var fenceCommand: [String] = []
    var fenceTimeout = FailoverTimings().fence
    var eventCommand: [String] = []
    var webhooks: [String] = []
    /// By node; `none` for one without.
    var agents: [String] = []
    var agentCertificateFile = ""
    var agentKeyFile = ""
    var agentAuthorityFile = ""
    var heartbeat = FailoverTimings().heartbeat
    var restartGrace = FailoverTimings().restartGrace
    var cooldown = FailoverTimings().cooldown
    var hold = FailoverTimings().hold
    var switchover = FailoverTimings().switchover
    /// Zero: never.
    var hungAccept = Duration.zero

    var isOn: Bool { mode != "off" }
}

/// What `failover.priorities` says of one node.
struct NodePriority: Hashable, Sendable, CustomStringConvertible {
    static let range = 0...1_000

    let name: String
    let priority: Int

    var description: String { "\(name)=\(priority)" }

    init(parsing text: String) throws(Quantity.Malformed) {
        guard let separator = text.lastIndex(of: "="), separator > text.startIndex else {
            throw Quantity.Malformed(reason: "\"\(text)\" is not of the form NAME=N")
        }
        name = String(text[..<separator])
        priority = try Quantity.integer(String(text[text.index(after: separator)...]), in: Self.range)
    }
}

// MARK: What is made of them

extension FailoverChoices {
    /// - Parameter nodes: As the proxy reaches them, by `NodeID.index`.
    func sentinel(_ nodes: [DSN], needsSlot: Bool) throws(PostgresError) -> SentinelConfiguration {
        var configured: [SentinelConfiguration.Node] = []
        let reached = try reach(nodes)
        for (index, name) in names.enumerated() {
            configured.append(
                SentinelConfiguration.Node(
                    id: NodeID(index), name: name, dsn: reached[index], upstream: upstreams[index]))
        }
        var configuration = SentinelConfiguration(nodes: configured, directory: directory)
        configuration.policy = policy(needsSlot: needsSlot)
        configuration.timings = timings
        return configuration
    }

    /// How the sentinel reaches the nodes.
    func reach(_ nodes: [DSN]) throws(PostgresError) -> [DSN] {
        servers.isEmpty ? nodes : try servers.map { text throws(PostgresError) in try DSN(text) }
    }

    private func policy(needsSlot: Bool) -> FailoverPolicy {
        var policy = FailoverPolicy()
        policy.isAutomatic = mode == "automatic"
        policy.mayLoseUnacknowledged = mayLose
        policy.needsSlot = needsSlot
        policy.hasFenceHook = !fenceCommand.isEmpty
        policy.hasAgent = agents.contains { agentAddress($0) != nil }
        for entry in priorities {
            if let index = names.firstIndex(of: entry.name) { policy.priorities[NodeID(index)] = entry.priority }
        }
        return policy
    }

    private var timings: FailoverTimings {
        var timings = FailoverTimings()
        timings.heartbeat = heartbeat
        timings.silence = heartbeat * 3
        timings.freshness = max(timings.freshness, heartbeat * 4)
        timings.restartGrace = restartGrace
        timings.cooldown = cooldown
        timings.hold = hold
        timings.switchover = switchover
        timings.fence = fenceTimeout + .seconds(1)
        timings.hungAccept = hungAccept > .zero ? hungAccept : nil
        return timings
    }

    func name(of node: NodeID) -> String {
        names.indices.contains(node.index) ? names[node.index] : node.description
    }

    /// `host:port` by TLS, or `unix:PATH`; nil: none.
    func agentAddress(_ text: String) -> AgentAddress? {
        if text == "none" { return nil }
        guard let address = try? Quantity.address(text) else { return nil }
        return switch address {
        case .unix(let path): .socket(path: path)
        case .tcp(let host, let port):
            .tls(
                host: host, port: port,
                AgentAddress.TLSFiles(
                    certificate: agentCertificateFile, key: agentKeyFile, authority: agentAuthorityFile))
        }
    }

    /// What is wrong with them: the key and the reason.
    func contradictions(nodeCount: Int) -> [(key: String, reason: String)] {
        guard isOn else { return [] }
        var found: [(key: String, reason: String)] = []
        if nodeCount < 2 { found.append(("failover.mode", "without replicas there is nothing to fail over to")) }
        let lists = [
            ("failover.names", names), ("failover.upstreams", upstreams), ("failover.servers", servers),
            ("failover.agents", agents),
        ]
        let optional: Set = ["failover.servers", "failover.agents"]
        for (key, list) in lists where list.count != nodeCount && !(list.isEmpty && optional.contains(key)) {
            found.append(
                (
                    key,
                    "has \(list.count) entries for \(nodeCount) nodes: one for the primary, then one for each replica"
                ))
        }
        let isRemote = agents.contains { if case .tls? = agentAddress($0) { true } else { false } }
        if isRemote, [agentCertificateFile, agentKeyFile, agentAuthorityFile].contains("") {
            found.append(
                (
                    "failover.agents",
                    "agents on other hosts need failover.agent_cert_file, agent_key_file and agent_ca_file"
                ))
        }
        if Set(names).count != names.count { found.append(("failover.names", "names a node twice")) }
        for entry in priorities where !names.contains(entry.name) {
            found.append(("failover.priorities", "there is no node \(entry.name) in failover.names"))
        }
        return found
    }
}
