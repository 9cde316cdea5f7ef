import WaldenCore

extension Setting {
    static let routing = [
        choice(
            "routing.reads", \.routedReads, ["auto", "off"],
            "auto: reads that any node answers alike run on a replica that is fresh enough, where Walden "
                + "authenticates clients itself; off: on the primary."),
        Setting(
            key: "routing.weights", form: "NODE=N", isList: true,
            help: "Shares of the reads: replica1=2 gives the first replica twice what another gets, 0 nothing. A "
                + "replica has 1, the primary 0: it then serves only what no replica can.",
            show: { $0.nodeWeights.map(\.description) },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var weights: [NodeWeight] = []
                for text in texts { weights.append(try NodeWeight(parsing: text)) }
                configuration.nodeWeights = weights
            }),
        duration(
            "routing.max_lag", \.maxLag, .milliseconds(100) ... .seconds(86_400),
            "How old the state may be that a replica shows, whatever a session's level allows. SET walden.max_lag "
                + "changes it for a session."),
        duration(
            "routing.wait_budget", \.routeWait, .zero ... .seconds(1),
            "How long a read may wait for a replica that is about to catch up; then it goes to the primary. 0: it "
                + "never waits."),
        duration(
            "routing.settle_budget", \.settleWait, .zero ... .seconds(60),
            "How long a read that goes to the primary may wait until that shows what a replica has shown to its "
                + "session: milliseconds, unless a commit hangs or the replica does. Then it is answered all the same. "
                + "0: it never waits."),
    ]
}

/// What `routing.weights` says of one node.
struct NodeWeight: Hashable, Sendable, CustomStringConvertible {
    static let range = 0...1_000
    /// The primary serves only what no replica can.
    static let primaryAside = NodeWeight(node: .configuredPrimary, weight: 0)

    let node: NodeID
    let weight: Int

    var description: String { "\(node)=\(weight)" }

    init(node: NodeID, weight: Int) {
        self.node = node
        self.weight = weight
    }

    init(parsing text: String) throws(Quantity.Malformed) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let node = Self.node(parts[0]) else {
            throw Quantity.Malformed(reason: "\"\(text)\" is not of the form replica1=2 or primary=1")
        }
        self.node = node
        weight = try Quantity.integer(String(parts[1]), in: Self.range)
    }

    /// As `NodeID` prints it.
    private static func node(_ name: Substring) -> NodeID? {
        if name == "primary" { return .configuredPrimary }
        guard name.hasPrefix("replica"), let index = Int(name.dropFirst("replica".count)), index > 0 else { return nil }
        return NodeID(index)
    }
}

extension Configuration {
    var isRouting: Bool { routedReads == "auto" }

    /// By `NodeID.index`.
    var routeWeights: [Int] {
        var weights = [0] + replicas.map { _ in 1 }
        for entry in nodeWeights where weights.indices.contains(entry.node.index) {
            weights[entry.node.index] = entry.weight
        }
        return weights
    }

    /// A node that `routing.weights` names and nobody knows.
    var unknownWeight: NodeWeight? { nodeWeights.first { $0.node.index > replicas.count } }
}
