public import Logging
public import NIOCore
import NIOPosix
public import WaldenCache
import WaldenCore
import WaldenWire

/// Listens for clients and relays each to its server connection.
public final class ProxyServer: Sendable {
    /// Bytes waiting to be written to a peer above which the other side is not read.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)
    /// One read takes as much as the last ones suggest, within these bounds.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 64 * 1024)

    private let context: ProxyContext
    private let group: any EventLoopGroup
    private let connections = ConnectionSet()

    public init(
        configuration: ProxyConfiguration, group: any EventLoopGroup, cache: ResultCache,
        delegate: any ProxyDelegate, log: Logger
    ) {
        context = ProxyContext(configuration: configuration, cache: cache, delegate: delegate, log: log)
        self.group = group
    }

    public var figures: ProxyFigures { context.figures }

    /// Binds every address. Throws what the system says when one cannot be bound; none is left bound then.
    public func listen() async throws -> [any Channel] {
        var bound: [any Channel] = []
        do {
            for endpoint in context.configuration.listen {
                do {
                    bound.append(try await bind(endpoint))
                } catch {
                    throw ListenError(address: "\(endpoint)", reason: ConnectionFailure.words(for: error))
                }
                context.log.info("listening for clients", metadata: ["address": "\(endpoint)"])
            }
        } catch {
            for channel in bound { try? await channel.close() }
            throw error
        }
        return bound
    }

    private func bind(_ endpoint: Endpoint) async throws -> any Channel {
        let context = context
        let connections = connections
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelOption(.recvAllocator, value: Self.receiveAllocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.accept(channel, context, connections) }
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
        _ channel: any Channel, _ context: ProxyContext, _ connections: ConnectionSet
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
        connections.add(channel)
        let connection = ProxyConnection(
            client: channel, context: context, counters: context.counters(for: channel.eventLoop))
        try channel.pipeline.syncOperations.addHandler(ClientHandler(connection))
    }

    /// Asks every session to end at its next quiet moment, and closes the rest when `deadline` has passed.
    public func drain(within deadline: Duration) async {
        for channel in connections.all { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
        let finished = Task { await connections.untilEmpty() }
        let timer = Task {
            try await Task.sleep(for: deadline)
            for channel in connections.all { channel.close(promise: nil) }
        }
        await finished.value
        timer.cancel()
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
