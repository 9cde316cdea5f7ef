import Logging
import NIOCore
import Synchronization
import WaldenCache
import WaldenConsole
import WaldenCore
public import WaldenDependency
import WaldenSession

/// What the proxy asks of the rest of the process. All calls come from event loops and must not block.
public protocol ProxyDelegate: Sendable {
    /// The analysis of a statement text under the current catalog.
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis
    /// The generation of that catalog.
    var catalogGeneration: UInt64 { get }
    /// A finished fill, or a session whose hits need a fresher cache, waits for the next look at the primary.
    func probeWanted()
}

/// What all connections of one proxy share.
final class ProxyContext: Sendable {
    let configuration: ProxyConfiguration
    let cache: ResultCache
    let delegate: any ProxyDelegate
    let log: Logger
    let cancels: CancelRegistry
    /// Nil: no commit is kept from being cancelled.
    let commits: CommitGuard?
    /// Other Waldens behind the same address, by their numbers.
    let peers: [Int: ServerConnector]
    let statementNames = StatementNames()
    let encryption: Encryption
    let authenticator: Authenticator
    /// For connections of one client alone, by `NodeID.index`.
    private let connectors: [ServerConnector]
    /// The pools of server connections.
    let pools: ServerPools
    let routes: RouteTable
    let fingerprints = FingerprintTable()
    let waiters = FillWaiters()
    let waits = WaitEstimate()
    let clients = Mutex(0)
    let traffic = TrafficLedger()
    private let numbers: ConnectionNumbers
    private let attachedConsole = Mutex<ConsoleServices?>(nil)
    /// All client channels, the console's among them.
    let connections = ConnectionSet()
    private let counters = Mutex<[ObjectIdentifier: LoopCounters]>([:])

    init(
        configuration: ProxyConfiguration, group: any EventLoopGroup, cache: ResultCache,
        routes: RouteTable, delegate: any ProxyDelegate, secrets: (any SecretSource)?,
        commits: (any CommitSource)?, log: Logger
    ) throws {
        self.configuration = configuration
        let encryption = try Encryption(configuration)
        self.encryption = encryption
        connectors = configuration.nodes.enumerated().map { index, endpoint in
            ServerConnector(
                endpoint: endpoint, tls: encryption.server(NodeID(index)), timeout: configuration.startupTimeout)
        }
        let pooled = configuration.nodes.enumerated().map { index, endpoint in
            ServerConnector(
                endpoint: endpoint, tls: encryption.server(NodeID(index)), timeout: configuration.pool.loginTimeout,
                userTimeout: configuration.pool.tcpUserTimeout)
        }
        cancels = CancelRegistry(CancelAddressing(instance: configuration.peerID))
        peers = configuration.peers.mapValues {
            ServerConnector(endpoint: $0, tls: encryption.peer, timeout: configuration.pool.cancelTimeout)
        }
        self.commits = commits.map { CommitGuard($0) }
        let authenticator = Authenticator(configuration.authentication, source: secrets, log: log)
        self.authenticator = authenticator
        let numbers = ConnectionNumbers()
        self.numbers = numbers
        pools = ServerPools(
            settings: configuration.pool, connectors: pooled, group: group, numbers: numbers, log: log,
            isPrimary: { $0 == routes.primary }, reign: { routes.reign(of: $0) },
            proofWasRefused: { authenticator.forget($0) })
        self.cache = cache
        self.routes = routes
        self.delegate = delegate
        self.log = log
    }

    /// Makes connections to the primary of this moment.
    var primary: ServerConnector { connectors[routes.primary.index] }

    /// The console's, once there is one.
    var console: ConsoleServices? {
        get { attachedConsole.withLock { $0 } }
        set { attachedConsole.withLock { $0 = newValue } }
    }

    func nextClientID() -> UInt64 {
        numbers.next()
    }

    func counters(for loop: any EventLoop) -> LoopCounters {
        counters.withLock { counters in
            let id = ObjectIdentifier(loop)
            if let known = counters[id] { return known }
            let sampler = AuditSampler(period: configuration.auditPeriod, seed: .random(in: .min ... .max))
            let new = LoopCounters(sampler: sampler)
            counters[id] = new
            return new
        }
    }

    var figures: ProxyFigures {
        let parts = counters.withLock { Array($0.values) }
        var sum = parts.map(\.current).reduce(ProxyFigures(), +)
        sum.clients = clients.withLock { $0 }
        return sum
    }

    /// Takes a place for a client; false when all are taken.
    func admitClient() -> Bool {
        clients.withLock { count in
            guard count < configuration.clients else { return false }
            count += 1
            return true
        }
    }

    func clientLeft() {
        clients.withLock { $0 -= 1 }
    }
}

extension ProxyContext: SessionEnvironment {
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        delegate.analysis(of: text, context: context)
    }

    var catalogGeneration: UInt64 { delegate.catalogGeneration }

    func fingerprintID(_ fingerprint: [UInt8]) -> UInt64? {
        fingerprints.number(for: fingerprint)
    }
}

/// A result that others wait for, and what it shows.
struct SharedReply: Sendable {
    let reply: CachedReply
    /// Where it was read; nil: at the primary.
    let replica: NodeID?
    /// When it was complete.
    let readAt: Instant
}

/// Clients that wait for another client's identical fill, across event loops.
final class FillWaiters: Sendable {
    typealias Wake = @Sendable (SharedReply?) -> Void

    private struct State {
        var next: UInt64 = 0
        var waiting: [UInt64: Wake] = [:]
    }

    private let state = Mutex(State())

    /// - Parameter wake: Called once, from any thread, with the reply, or nil when the fill came to nothing.
    func add(_ wake: @escaping Wake) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.waiting[state.next] = wake
            return state.next
        }
    }

    /// False when it has been woken already.
    @discardableResult
    func remove(_ id: UInt64) -> Bool {
        state.withLock { $0.waiting.removeValue(forKey: id) != nil }
    }

    func wake(_ ids: [UInt64], with reply: SharedReply?) {
        if ids.isEmpty { return }
        let wakes = state.withLock { state in ids.compactMap { state.waiting.removeValue(forKey: $0) } }
        for wake in wakes { wake(reply) }
    }
}
