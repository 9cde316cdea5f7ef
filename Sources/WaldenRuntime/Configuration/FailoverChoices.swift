import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel

/// Whether and how Walden replaces a primary that has failed.
struct FailoverChoices: Hashable, Sendable {
    /// `off`, `watch` or `automatic`.
    var mode = "off"
    var directory = "/var/lib/walden/sentinel"
    /// By `NodeID.index`, as all lists here.
    var names: [String] = []
    /// Empty: as the proxy reaches them.
    var servers: [String] = []
    var upstreams: [String] = []
    var priorities: [NodePriority] = []
    var mayLose = true
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
        for (index, name) in names.enumerated() {
            let dsn = servers.isEmpty ? nodes[index] : try DSN(servers[index])
            configured.append(
                SentinelConfiguration.Node(id: NodeID(index), name: name, dsn: dsn, upstream: upstreams[index]))
        }
        var configuration = SentinelConfiguration(nodes: configured, directory: directory)
        configuration.policy = policy(needsSlot: needsSlot)
        configuration.timings = timings
        return configuration
    }

    private func policy(needsSlot: Bool) -> FailoverPolicy {
        var policy = FailoverPolicy()
        policy.isAutomatic = mode == "automatic"
        policy.mayLoseUnacknowledged = mayLose
        policy.needsSlot = needsSlot
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
        timings.hungAccept = hungAccept > .zero ? hungAccept : nil
        return timings
    }

    /// What is wrong with them: the key and the reason.
    func contradictions(nodeCount: Int) -> [(key: String, reason: String)] {
        guard isOn else { return [] }
        var found: [(key: String, reason: String)] = []
        if nodeCount < 2 { found.append(("failover.mode", "without replicas there is nothing to fail over to")) }
        let lists = [("failover.names", names), ("failover.upstreams", upstreams), ("failover.servers", servers)]
        for (key, list) in lists where list.count != nodeCount && !(list.isEmpty && key == "failover.servers") {
            found.append(
                (
                    key,
                    "has \(list.count) entries for \(nodeCount) nodes: one for the primary, then one for each replica"
                ))
        }
        if Set(names).count != names.count { found.append(("failover.names", "names a node twice")) }
        for entry in priorities where !names.contains(entry.name) {
            found.append(("failover.priorities", "there is no node \(entry.name) in failover.names"))
        }
        return found
    }
}
