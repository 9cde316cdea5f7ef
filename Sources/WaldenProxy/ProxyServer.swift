public import Logging
public import NIOCore
import NIOPosix
public import WaldenCache
public import WaldenConsole
public import WaldenCore
public import WaldenPool
import WaldenWire

/// Listens for clients and relays each to its server connection.
public final class ProxyServer: Sendable {
    /// Bytes waiting to be written to a peer above which the other side is not read.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)
    /// One read takes as much as the last ones suggest, within these bounds. The channel keeps the memory while it is idle,
    /// hence the small beginning.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 64 * 1024)

    let context: ProxyContext
    private let group: any EventLoopGroup

    /// - Parameters:
    ///   - routes: Where reads may go; nil: to the primary alone.
    ///   - secrets: Asked for users that the user file does not list.
    ///   - commits: Asked before a cancel request may reach what may be committing; nil: all reach it.
    /// - Throws: what is wrong with the certificates and keys of `configuration`.
    public init(
        configuration: ProxyConfiguration, group: any EventLoopGroup, cache: ResultCache,
        routes: RouteTable? = nil, delegate: any ProxyDelegate, secrets: (any SecretSource)? = nil,
        commits: (any CommitSource)? = nil, log: Logger
    ) throws {
        context = try ProxyContext(
            configuration: configuration, group: group, cache: cache,
            routes: routes ?? RouteTable(isOn: false, weights: [0]), delegate: delegate, secrets: secrets,
            commits: commits, log: log)
        self.group = group
    }

    public var figures: ProxyFigures { context.figures }

    /// Pools of server connections, as of a moment ago.
    public var pools: [PoolFigures] { context.pools.figures }
    /// A node cannot serve any more: its idle server connections are closed, and clients that wait for one are told why.
    public func nodeLost(_ node: NodeID, reason: String) {
        context.pools.nodeIsUnusable(node, PoolRefusal.nodeLost(node, reason))
    }

    /// Sessions that begin from now on have other defaults than those that began before (`ALTER ROLE … SET`).
    public func sessionDefaultsChanged() { context.pools.renew() }

    /// Databases of which the console has paused the pools.
    public var pausedDatabases: Set<String> { context.pools.pausedDatabases }
    public var poolCounts: PoolCounts { context.pools.counters.current }
    /// What clients have asked of each database.
    public var traffic: [DatabaseTraffic] { context.traffic.sums }

    /// Opens the console, or gives its sessions to come another one; nil: none are let in.
    public func serve(_ console: ConsoleServices?) {
        context.console = console
    }

    /// Takes over who may use the console from now on.
    public func adopt(_ access: ConsoleAccess) {
        context.console?.access = access
    }

    /// Binds every address. Throws what the system says when one cannot be bound; none is left bound then.
    public func listen() async throws -> [any Channel] {
        var bound: [any Channel] = []
        let readWrite = context.configuration.listen.map { (endpoint: $0, kind: ClientInfo.Listener.readWrite) }
        let readOnly = context.configuration.readOnlyListen.map { (endpoint: $0, kind: ClientInfo.Listener.readOnly) }
        do {
            for (endpoint, kind) in readWrite + readOnly {
                do {
                    bound.append(try await bind(endpoint, kind))
                } catch {
                    throw ListenError(address: "\(endpoint)", reason: ConnectionFailure.words(for: error))
                }
                let words = kind == .readOnly ? "listening for clients that only read" : "listening for clients"
                context.log.info("\(words)", metadata: ["address": "\(endpoint)"])
            }
        } catch {
            for channel in bound { try? await channel.close() }
            throw error
        }
        return bound
    }

    private func bind(_ endpoint: Endpoint, _ listener: ClientInfo.Listener) async throws -> any Channel {
        let context = context
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelOption(.recvAllocator, value: Self.receiveAllocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.accept(channel, listener, context) }
            }
        switch endpoint {
        case .tcp(let host, let port):
            return
                try await bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .bind(host: host, port: port).get()
        case .unix(let path):
            return try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
    }

    private static func accept(
        _ channel: any Channel, _ listener: ClientInfo.Listener, _ context: ProxyContext
    ) throws {
        guard context.admitClient() else {
            context.counters(for: channel.eventLoop).count { $0.closed["too_many_clients", default: 0] += 1 }
            let error = ErrorResponse(
                severity: .fatal, sqlState: .tooManyConnections, message: "sorry, too many clients already",
                detail: "Walden's limit of \(context.configuration.clients) clients is reached.",
                hint: "Raise proxy.max_clients, or close idle connections.")
            try channel.pipeline.syncOperations.addHandler(RefusalHandler(ByteBuffer(bytes: error.encoded())))
            return
        }
        context.connections.add(channel)
        let connection = ProxyConnection(
            channel: channel, context: context, counters: context.counters(for: channel.eventLoop), listener: listener)
        try channel.pipeline.syncOperations.addHandler(ClientHandler(connection))
    }

    /// Takes other certificates, keys and modes over for connections to come; those that are open are not touched.
    ///
    /// - Returns: what is wrong with the new ones; what has a fault stays as it was.
    public func adopt(clientTLS: ClientTLSSettings, serverTLS: [ServerTLSSettings]) -> [TLSFileProblem] {
        context.encryption.replace(client: clientTLS, servers: serverTLS)
    }

    /// Takes other limits and times of pools over, but `tcpUserTimeout`.
    public func adopt(_ pool: PoolConfiguration) {
        context.pools.adopt(pool)
    }

    /// Takes other rules and users over, for clients to come.
    public func adopt(authentication: AuthenticationSettings) {
        context.authenticator.adopt(authentication)
    }

    /// Clients whose password or secret is being worked at, or waits for that.
    public var authenticating: Int { context.authenticator.waiting }

    /// When certificates of ours expire, in seconds since 1970, by whom they are shown to: `client` or `server`.
    public var certificateExpiries: [String: Int] { context.encryption.certificateExpiries }

    /// Asks every session to end at its next quiet moment, and closes the rest when `deadline` has passed.
    public func drain(within deadline: Duration) async {
        let connections = context.connections
        for channel in connections.all { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
        let finished = Task { await connections.untilEmpty() }
        let timer = Task {
            try await Task.sleep(for: deadline)
            for channel in connections.all { channel.close(promise: nil) }
        }
        await finished.value
        timer.cancel()
        await context.authenticator.stop()
        await context.commits?.stop()
    }
}

/// Tells a client beyond the limit why, and closes.
private final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let message: ByteBuffer

    init(_ message: ByteBuffer) {
        self.message = message
    }

    func channelActive(context: ChannelHandlerContext) {
        context.channel.writeAndFlush(message, promise: nil)
        context.close(promise: nil)
    }
}
