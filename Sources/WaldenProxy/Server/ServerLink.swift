import NIOCore
import WaldenCore
import WaldenSession
import WaldenWire

/// One connection to a server: its channel and the bytes on their way, on one event loop.
///
/// It serves at most one client at a time and hands what happens on the channel to that client's connection. A link
/// that was made for one client alone, and authenticated by it, ends with it; others are lent out by `LoopPools`.
final class ServerLink {
    let channel: any Channel
    let node: NodeID
    /// What the server wants to see in a CancelRequest for this connection; nil until it told.
    var key: BackendKeyData?
    /// What its handshake has settled; nil in the clear.
    var tls: TLSSession?
    /// Until the server's first message: how else it may be reached, and what begins the session there.
    var alternative: (attempt: EncryptionPlan.Attempt, startup: [UInt8])?
    /// Whom it serves now.
    private(set) var client: ProxyConnection?

    /// Read and not yet consumed: the beginning of a message that must be seen whole.
    var input = ByteBuffer()
    let output: SocketOutput
    /// Whether the channel's write queue is below its watermark, as it last told.
    private(set) var takes = true
    private var isReading = true

    init(channel: any Channel, node: NodeID) {
        self.channel = channel
        self.node = node
        output = SocketOutput(channel)
    }

    func serve(_ client: ProxyConnection) {
        self.client = client
    }

    // MARK: What the client's connection does

    /// Channels read by themselves until they are told not to: asking for each read would cost two system calls
    /// (epoll_ctl) more a request.
    func setReading(_ reads: Bool) {
        guard reads != isReading else { return }
        isReading = reads
        try? channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    /// Closes the channel after what has been written, and serves nobody any more.
    func close() {
        client = nil
        output.close()
        input = ByteBuffer()
    }

    // MARK: What happens on the channel

    func received(_ buffer: ByteBuffer) {
        var buffer = buffer
        if input.readableBytes == 0 { input = buffer } else { input.writeBuffer(&buffer) }
        client?.serverSent()
    }

    func readEnded() {
        client?.serverReadEnded()
    }

    func writabilityChanged(to isWritable: Bool) {
        takes = isWritable
        client?.serverWritabilityChanged()
    }

    func channelClosed() {
        output.channelClosed()
        client?.serverClosed()
    }
}

/// The server's end: hands bytes and events to the link and holds no state of its own.
final class ServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let link: ServerLink

    init(_ link: ServerLink) {
        self.link = link
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        link.readEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        link.writabilityChanged(to: context.channel.isWritable)
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.channelClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
