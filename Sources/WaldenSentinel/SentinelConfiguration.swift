public import WaldenCore
public import WaldenFailover
public import WaldenPostgres

/// The cluster that a sentinel watches.
public struct SentinelConfiguration: Sendable {
    public struct Node: Sendable {
        public var id: NodeID
        /// Its `application_name` at the node it follows, by which `synchronous_standby_names` knows it.
        public var name: String
        /// How the sentinel reaches it, with the rights of `sql/sentinel.sql`.
        public var dsn: DSN
        /// How the other nodes reach it, for their `primary_conninfo`: `keyword=value` pairs without `application_name`.
        public var upstream: String

        public init(id: NodeID, name: String, dsn: DSN, upstream: String) {
            self.id = id
            self.name = name
            self.dsn = dsn
            self.upstream = upstream
        }
    }

    public var nodes: [Node]
    public var policy = FailoverPolicy()
    public var timings = FailoverTimings()
    /// A directory of the sentinel's own, for its journal; made when it is missing.
    public var directory: String
    /// Between two looks at each node while something is amiss. Default 50 ms.
    public var urgentInterval = Duration.milliseconds(50)
    /// The same while clients wait for what the looks will show. Default 10 ms.
    public var actingInterval = Duration.milliseconds(10)
    /// A node that does not answer in time is silent. Default 300 ms for a connection, 1 s for a question.
    public var connectTimeout = Duration.milliseconds(300)
    public var questionTimeout = Duration.seconds(1)
    /// For a statement that changes a node. Default 1.5 s, less than `FailoverTimings.stepTimeout`.
    public var orderTimeout = Duration.milliseconds(1_500)

    public init(nodes: [Node], directory: String) {
        self.nodes = nodes
        self.directory = directory
    }
}

/// Why a sentinel does not start, or not go on.
public struct SentinelError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
