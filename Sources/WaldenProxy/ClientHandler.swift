import NIOCore
import NIOTLS
import WaldenWire

/// The client's end of a connection: hands bytes and events to the `ProxyConnection` and holds no state of its own.
final class ClientHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    let connection: ProxyConnection

    init(_ connection: ProxyConnection) {
        self.connection = connection
    }

    func channelActive(context: ChannelHandlerContext) {
        connection.clientConnected(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.clientSent(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection.clientReadEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.clientWritabilityChanged(to: context.channel.isWritable)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.clientClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.clientFailed(error)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is DrainEvent { connection.drainRequested() }
        if event is PrimaryHeld { connection.primaryHeld() }
        if let severed = event as? PrimarySevered { connection.primarySevered(severed.node) }
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent {
            connection.tlsEstablished(applicationProtocol: name)
        }
    }
}

/// Asks a connection to end as soon as nothing is under way.
struct DrainEvent: Sendable {}
