public import WaldenCore
import WaldenDependency

/// Everything that can be set, with its default. `Setting.all` names each property for file, environment and flags.
public struct Configuration: Hashable, Sendable {
    /// The primary's connection string, as libpq reads it. Its database is the one whose results are cached.
    public internal(set) var primary = ""
    public internal(set) var replicas: [String] = []
    public internal(set) var listen = [Endpoint.tcp(host: "127.0.0.1", port: 6432)]
    public internal(set) var admin = Endpoint.tcp(host: "127.0.0.1", port: 6433)
    /// HAProxy's agent check; nil: no port.
    public internal(set) var agentCheck: Endpoint?
    /// Event loops; 0: one for each processor.
    public internal(set) var workers = 0

    public internal(set) var maxClients = 10_000
    public internal(set) var startupTimeout = Duration.seconds(60)
    public internal(set) var drainTimeout = Duration.seconds(30)
    /// Bytes of a message that is held until it is complete.
    public internal(set) var heldBytes = 1 << 20
    /// Whether BEGIN is answered at once and sent with the first statement that needs the server.
    public internal(set) var defersBegin = true

    /// Listeners for clients that only read.
    public internal(set) var readOnlyListen: [Endpoint] = []
    /// `off`, `accept` or `require`.
    public internal(set) var proxyProtocol = "off"
    /// Load balancers that may send PROXY headers.
    public internal(set) var proxyProtocolFrom: [AddressRange] = []
    /// Which of several Waldens behind one address this is; 0: it is the only one.
    public internal(set) var peerID = 0
    /// They, by their numbers.
    public internal(set) var peers: [Int: Endpoint] = [:]
    var tls = TLSChoices()
    var auth = AuthChoices()
    /// `auto` or `off`.
    public internal(set) var routedReads = "auto"
    var nodeWeights = [NodeWeight.primaryAside]
    public internal(set) var maxLag = Duration.seconds(10)
    public internal(set) var routeWait = Duration.milliseconds(5)
    public internal(set) var settleWait = Duration.seconds(1)
    var pool = PoolChoices()
    var failover = FailoverChoices()

    public internal(set) var isCaching = true
    public internal(set) var cacheBytes = 256 << 20
    public internal(set) var resultBytes = 4 << 20
    public internal(set) var maxStaleness = Duration.seconds(1)
    public internal(set) var outageStaleness = Duration.zero
    /// The name of the level that sessions have which ask for none.
    public internal(set) var consistency = ConsistencyLevel.session.name
    public internal(set) var waitBudget = Duration.milliseconds(5)
    public internal(set) var maxPendingFills = 4_096
    public internal(set) var coalesceWait = Duration.milliseconds(100)
    public internal(set) var compressBytes = 64 << 10
    /// `benefit` or `always`.
    public internal(set) var admission = "benefit"
    /// `refuse` or `poll`.
    public internal(set) var withoutEventTriggers = "refuse"
    var pollsSchema: Bool { withoutEventTriggers == "poll" }
    /// The part of hits that is read anew and compared.
    public internal(set) var auditRate = 0.001
    /// Only in the file: the first that matches a statement holds.
    var rules: [CacheRule] = []
    /// Only in the file: what users' functions read.
    var functions: [DeclaredFunction] = []

    /// The name of the virtual database; empty: there is no console.
    public internal(set) var consoleDatabase = "walden"
    public internal(set) var consoleAdmins: [String] = []
    public internal(set) var consoleReaders: [String] = []

    /// Whether explanations show values of rows that others changed.
    public internal(set) var explainsValues = false

    public internal(set) var publication = "walden"
    public internal(set) var heartbeatInterval = Duration.milliseconds(250)
    public internal(set) var maxSilence = Duration.seconds(10)

    public internal(set) var logLevel = "info"
    public internal(set) var logFormat = "text"

    init() {}
}

/// One thing wrong with the configuration: where it stands, which key, why. Never holds a value that may be secret.
public struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// `walden.yaml:12`, `environment WALDEN_LISTEN`, `flag --listen`; nil when the key is given nowhere.
    public let origin: String?
    public let key: String
    public let reason: String

    public var description: String {
        [origin, key.isEmpty ? nil : key, reason].compactMap { $0 }.joined(separator: ": ")
    }
}

/// All that is wrong with it, so that it can be put right in one go. The process exits with code 78 (`EX_CONFIG`).
public struct InvalidConfiguration: Error, Hashable, Sendable, CustomStringConvertible {
    public let problems: [ConfigurationProblem]

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
