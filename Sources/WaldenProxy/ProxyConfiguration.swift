public import NIOCore
public import WaldenCore
public import WaldenSession

/// What the proxy listens on, where it relays to, and what it may hold.
public struct ProxyConfiguration: Sendable {
    public var listen: [Endpoint]
    /// Where clients connect that ask for reads only.
    public var readOnlyListen: [Endpoint] = []
    public var primary: Endpoint
    public var clientTLS = ClientTLSSettings()
    /// How connections to each node are encrypted, by `NodeID.index`.
    public var serverTLS = [ServerTLSSettings()]
    public var proxyHeader = ProxyHeaderPolicy()
    /// False: a plain relay that parses no statement.
    public var isCaching: Bool
    /// The one whose changes the stream follows; sessions of others are relayed.
    public var cachedDatabase: String
    /// Client connections at the same time. One more is refused with 53300.
    public var clients: Int
    /// From accept until the first ReadyForQuery; also bounds connecting to the server.
    public var startupTimeout: TimeAmount
    /// How long a miss waits for another client's identical fill before it asks the server itself.
    public var coalesceWait: TimeAmount
    /// Results above this are not kept.
    public var resultBytes: Int
    /// Results from this size on are compressed while the cache is more than half full.
    public var compressBytes: Int
    /// Hits per audit; 0: none.
    public var auditPeriod: UInt64
    /// Whether and how Walden authenticates clients itself.
    public var authentication = AuthenticationSettings()
    public var session: SessionLimits
    public var policy: SessionPolicy
    /// How long a request may wait for the cache to become as fresh as it must be.
    public var waitBudget: TimeAmount
    public var pool = PoolConfiguration()
    /// Which of several Waldens behind one address this is; nil: it is the only one.
    public var peerID: Int?
    /// Where the others are, by their numbers.
    public var peers: [Int: Endpoint] = [:]
    /// How old the state may be that a replica shows (`routing.max_lag`).
    public var maxLag = Duration.seconds(10)
    /// How long a read may wait for a replica (`routing.wait_budget`).
    public var routeWait = Duration.milliseconds(5)
    /// How long a read may wait until the primary shows what a replica has shown to its session
    /// (`routing.settle_budget`).
    public var settleWait = Duration.seconds(1)
    /// In the order of the configuration.
    public var replicas: [Endpoint] = []

    /// By `NodeID.index`.
    var nodes: [Endpoint] { [primary] + replicas }

    public init(
        listen: [Endpoint], primary: Endpoint, isCaching: Bool, cachedDatabase: String, clients: Int,
        startupTimeout: TimeAmount,
        coalesceWait: TimeAmount, resultBytes: Int, compressBytes: Int, auditPeriod: UInt64 = 0,
        session: SessionLimits = SessionLimits(), policy: SessionPolicy = SessionPolicy(),
        waitBudget: TimeAmount = .milliseconds(5)
    ) {
        self.listen = listen
        self.primary = primary
        self.isCaching = isCaching
        self.cachedDatabase = cachedDatabase
        self.clients = clients
        self.startupTimeout = startupTimeout
        self.coalesceWait = coalesceWait
        self.resultBytes = resultBytes
        self.compressBytes = compressBytes
        self.auditPeriod = auditPeriod
        self.session = session
        self.policy = policy
        self.waitBudget = waitBudget
    }
}
