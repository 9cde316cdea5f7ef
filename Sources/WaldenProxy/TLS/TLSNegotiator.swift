import NIOCore
import NIOSSL
import NIOTLS
import WaldenCore
import WaldenSession
import WaldenWire

/// Settles encryption on a new connection to a server, and is taken out of the pipeline then. What stands behind it sees
/// no byte before.
///
///     asking ──S──► handshaking ──done──► settled
///        └────N────► settled in the clear, where the mode allows it
final class TLSNegotiator: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        case asking
        case handshaking
        case settled
        case failed
    }

    private let tls: ServerTLS
    private let plan: EncryptionPlan
    private let attempt: EncryptionPlan.Attempt
    private let timeout: TimeAmount
    private let promise: EventLoopPromise<ServerConnection>
    /// Fails when the connection comes to nothing.
    var settled: EventLoopFuture<ServerConnection> { promise.futureResult }
    private var deadline: Scheduled<Void>?
    private var state = State.asking
    private var received = ByteBuffer()

    init(
        _ tls: ServerTLS, _ plan: EncryptionPlan, _ attempt: EncryptionPlan.Attempt, timeout: TimeAmount,
        on loop: any EventLoop
    ) {
        self.tls = tls
        self.plan = plan
        self.attempt = attempt
        self.timeout = timeout
        promise = loop.makePromise()
    }

    func channelActive(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.fail(ChannelError.connectTimeout(self.timeout), context)
        }
        switch attempt {
        case .clear: settle(context, tls: nil)
        case .direct: shakeHands(context)
        case .requested:
            var request: [UInt8] = []
            StartupPacket.sslRequest.encode(into: &request)
            context.writeAndFlush(NIOAny(ByteBuffer(bytes: request)), promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .asking = state else {
            if case .settled = state { context.fireChannelRead(data) }
            return
        }
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        switch received.withUnsafeReadableBytes({ EncryptionAnswer($0.bytes) }) {
        case nil: return
        case .accepted: shakeHands(context)
        case .unavailable:
            if plan.next(after: .unavailable, of: attempt) == .goOn {
                settle(context, tls: nil)
            } else {
                fail(ServerTLSFailure.unavailable, context)
            }
        case .error: fail(ServerTLSFailure.serverError, context)
        case .malformed: fail(ServerTLSFailure.malformedAnswer, context)
        }
    }

    private func shakeHands(_ context: ChannelHandlerContext) {
        state = .handshaking
        do {
            try context.pipeline.syncOperations.addHandler(tls.handler(), position: .before(self))
        } catch {
            fail(error, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshaking = state, case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            settle(context, tls: TLSSession(peerOf: context.channel, isServer: false))
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func settle(_ context: ChannelHandlerContext, tls: TLSSession?) {
        state = .settled
        deadline?.cancel()
        let reached: EncryptionPlan.Attempt = tls == nil ? .clear : attempt
        promise.succeed(
            ServerConnection(channel: context.channel, tls: tls, alternative: plan.alternative(to: reached)))
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        guard state != .settled, state != .failed else { return }
        state = .failed
        deadline?.cancel()
        promise.fail(error)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshaking = state {
            fail(ServerTLSFailure.handshake(error), context)
        } else {
            fail(error, context)
        }
    }

    /// Also of a connection that was never made: of several addresses of a host, one wins.
    func handlerRemoved(context: ChannelHandlerContext) {
        fail(ServerTLSFailure.closed, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ServerTLSFailure.closed, context)
        context.fireChannelInactive()
    }
}

extension TLSSession {
    /// What the handshake on `channel` has brought. To be called on its event loop.
    ///
    /// - Parameter isServer: Whether the peer is a client, so that its certificate is a client's.
    init(peerOf channel: any Channel, isServer: Bool, serverEndPoint: [UInt8]? = nil) {
        let operations = channel.pipeline.syncOperations
        let version = (try? operations.nioSSL_tlsVersion()) ?? nil
        let certificate = ((try? operations.nioSSL_peerCertificate()) ?? nil)?.content
        self.init(
            version: version?.name ?? "TLS", serverEndPoint: isServer ? serverEndPoint : certificate?.endPointHash,
            clientCertificate: isServer ? certificate?.name : nil)
    }
}
