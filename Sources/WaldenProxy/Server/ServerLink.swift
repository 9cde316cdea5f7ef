import NIOCore
import WaldenAuth
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// One connection to a server: its channel and the bytes on their way, on one event loop.
///
/// It serves at most one client at a time and hands what happens on the channel to that client's connection. A link
/// that was made for one client alone, and authenticated by it, ends with it (`pooled` is nil); others are lent out by
/// `LoopPools`, which also hears what the server says while nobody uses them.
final class ServerLink {
    /// Who hears what happens on the channel.
    enum Listener {
        case nobody
        /// The login, until it has succeeded.
        case login(LinkLogin)
        case pool(LoopPools)
        case client(ProxyConnection)
    }

    let channel: any Channel
    let node: NodeID
    /// What the server wants to see in a CancelRequest for this connection; nil until it told.
    var key: BackendKeyData?
    /// What its handshake has settled; nil in the clear.
    var tls: TLSSession?
    /// Until the server's first message: how else it may be reached, and what begins the session there. For a link of
    /// one client alone.
    var alternative: (attempt: EncryptionPlan.Attempt, startup: [UInt8])?
    var listener = Listener.nobody
    /// Its place in a pool; nil for a link of one client alone.
    var pooled: PooledLink?

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

    // MARK: What its user does

    func flush() {
        output.flush()
    }

    /// Channels read by themselves until they are told not to: asking for each read would cost two system calls
    /// (epoll_ctl) more a request.
    func setReading(_ reads: Bool) {
        guard reads != isReading else { return }
        isReading = reads
        try? channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    /// Closes the channel of a link of one client alone after what has been written, and tells nobody any more.
    func close() {
        listener = .nobody
        output.close()
        input = ByteBuffer()
    }

    // MARK: What happens on the channel

    func received(_ buffer: ByteBuffer) {
        var buffer = buffer
        if input.readableBytes == 0 { input = buffer } else { input.writeBuffer(&buffer) }
        switch listener {
        case .client(let client): client.serverSent()
        case .login(let login): login.serverSent()
        case .pool(let pools): pools.serverSent(on: self)
        case .nobody: input.clear()
        }
    }

    func readEnded() {
        if case .client(let client) = listener { client.serverReadEnded() }
    }

    func writabilityChanged(to isWritable: Bool) {
        takes = isWritable
        if case .client(let client) = listener { client.serverWritabilityChanged() }
    }

    func channelClosed() {
        output.channelClosed()
        let last = listener
        listener = .nobody
        if case .login(let login) = last { return login.serverClosed() }
        if case .client(let client) = last { client.serverClosed() }
        if let pooled { pooled.pools.channelClosed(of: self, pooled) }
    }
}

/// What a pool notes of a link.
final class PooledLink {
    enum State {
        case resting(since: Instant)
        case lent
        /// It is tested or cleaned.
        case asked
        /// Its client is gone; a cancel request to it may be on its way still.
        case awaitsCancels(LoopPools.Verdict)
        case closing
    }

    let id: LinkID
    let pool: LocalPool
    let pools: LoopPools
    /// What the server has told of the session where no client changed it.
    private(set) var greeting: ServerGreeting
    /// What its session has become under its clients.
    private(set) var session: ServerSession
    /// When it is to be renewed.
    let expires: Instant
    let bornAt: Instant
    /// Whose primary the node was when the link began to be opened; nil: it was none.
    let reign: Reign?
    var state = State.asked
    var upkeep = LinkUpkeep()
    /// Cancel requests to it that the server has not finished.
    var cancels = 0
    /// It is to be closed as soon as nobody uses it.
    var isRetired = false

    init(
        id: LinkID, pool: LocalPool, pools: LoopPools, greeting: ServerGreeting, reign: Reign?, bornAt: Instant,
        expires: Instant
    ) {
        self.id = id
        self.pool = pool
        self.pools = pools
        self.greeting = greeting
        self.bornAt = bornAt
        self.expires = expires
        self.reign = reign
        session = Self.freshSession(of: pool, pools, greeting, reign, bornAt)
    }

    private static func freshSession(
        of pool: LocalPool, _ pools: LoopPools, _ greeting: ServerGreeting, _ reign: Reign?, _ bornAt: Instant
    ) -> ServerSession {
        ServerSession(
            node: pool.key.node, isPrimary: pools.shared.isPrimary(pool.key.node), reign: reign, bornAt: bornAt,
            parameters: greeting.parameters, statementLimit: pools.settings.serverStatements)
    }

    /// All that sessions have left is being discarded; settings that change by it are reported.
    func sessionIsReset() {
        session = Self.freshSession(of: pool, pools, greeting, reign, bornAt)
    }

    /// The server reported a setting while nobody used the link, e.g. after a change of its configuration file.
    func parameterReported(_ status: ParameterStatus) {
        greeting.parameters.removeAll { $0.name == status.name }
        greeting.parameters.append(status)
        session.parameterReported(status)
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
