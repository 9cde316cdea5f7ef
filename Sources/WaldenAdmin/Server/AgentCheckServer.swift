// The port of HAProxy's agent check: whoever connects gets one line, and the connection ends. What is sent (`agent-send`) is
// read and passed over, for a connection that is closed with bytes unread is reset, and the line may be lost with it.

public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

public struct AgentCheckServer: Service, CustomStringConvertible {
    /// Connections open at one time; more are closed without a word.
    static let connectionsMaximum = 64
    private let host: String
    private let port: Int
    private let group: any EventLoopGroup
    private let state: @Sendable () -> AgentState
    private let log: Logger
    private let listening: @Sendable (Int) async -> Void
    /// A peer that does not close within this time is closed.
    var patience = TimeAmount.seconds(2)

    /// - Parameters:
    ///   - port: 0 to have the system choose one.
    ///   - state: Called once for each connection, on an event loop: it must not wait.
    ///   - listening: Called with the port.
    public init(
        host: String, port: Int, log: Logger, listening: @escaping @Sendable (Int) async -> Void = { _ in },
        state: @escaping @Sendable () -> AgentState
    ) {
        self.host = host
        self.port = port
        self.state = state
        self.log = log
        self.listening = listening
        group = MultiThreadedEventLoopGroup.singleton
    }

    public var description: String { "agent check on \(host):\(port)" }

    /// - Throws: `AdminServerError` when the address cannot be listened on.
    public func run() async throws {
        try await Perseverance.run("agent check", log: log, retryDelay: .seconds(1)) { begun in
            let channel = try await bind()
            begun()
            let actual = channel.localAddress?.port ?? port
            log.info("listening for agent checks", metadata: ["address": "\(host):\(actual)"])
            await listening(actual)
            try await withTaskCancellationOrGracefulShutdownHandler {
                try await channel.closeFuture.get()
            } onCancelOrGracefulShutdown: {
                channel.close(promise: nil)
            }
        } failure: {
            AdminServerError(address: "\(host):\(port)", underlying: $0)
        }
    }

    private func bind() async throws -> any Channel {
        let open = OpenConnections()
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [state, patience] channel in
                guard open.admit() else { return channel.close() }
                channel.closeFuture.whenComplete { _ in open.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AgentCheckHandler(state: state, patience: patience))
                }
            }
            .bind(host: host, port: port).get()
    }
}

/// How many there are.
private final class OpenConnections: Sendable {
    private let count = Atomic(0)

    /// Whether there was room for one more.
    func admit() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= AgentCheckServer.connectionsMaximum else {
            leave()
            return false
        }
        return true
    }

    func leave() {
        count.subtract(1, ordering: .relaxed)
    }
}

private final class AgentCheckHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let state: @Sendable () -> AgentState
    private let patience: TimeAmount

    init(state: @escaping @Sendable () -> AgentState, patience: TimeAmount) {
        self.state = state
        self.patience = patience
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: state().line)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
