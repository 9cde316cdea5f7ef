import Logging
import NIOCore
import NIOPosix
import WaldenCache
import WaldenConsole
import WaldenCore
import WaldenSession
import WaldenWire

/// One client, its session machine and its server connection, on one event loop.
///
/// It moves bytes and runs what the machine says; it holds no protocol knowledge. Reading from either side stops while
/// the other side cannot be written to, so what a slow peer makes us hold is bounded by the two write watermarks and
/// one read. States:
///
///     startup ──StartupMessage──► [authenticating] ──► connecting ──connected──► relaying ──► closed
///
/// What comes before the startup message is in `ProxyConnection+Front`, the session's beginning in `+Startup`, the client's side in `+Client`, the server's in `+Server`.
final class ProxyConnection {
    enum State {
        case startup
        /// Walden finds out who the client is.
        case authenticating
        /// The server connection is being made; the client's further bytes wait.
        case connecting
        case relaying
        case closed
    }

    /// Why the client's input is not being processed although there is some.
    enum Pause {
        /// Units under way must be answered first.
        case draining
        /// Another client's fill will answer.
        case waiting(Wait)
        /// The server is told of the transaction first that the unit at the front belongs to; then the unit, which was
        /// not found in the cache, is kept if `fills`.
        case opening(fills: Bool)
        /// The cache is about to become fresh enough for the unit at the front.
        case freshening(FreshnessWait)
        /// A link from a pool is awaited.
        case acquiring
        /// The client has said Terminate; the server still has to answer what came before, and closes then.
        case leaving
    }

    /// What a client that waited for a server was about to do.
    enum Continuation {
        case goOn
        /// The unit at the front was not found in the cache.
        case fill
        /// It is to be forwarded, for `heldFill` if there is one.
        case forward
    }

    /// A place in the queue of another client's fill.
    struct Wait {
        let fill: FillID
        let waiter: UInt64
        let timeout: Scheduled<Void>
    }

    let context: ProxyContext
    let counters: LoopCounters
    var state = State.startup
    var machine: SessionMachine?
    var pause: Pause?
    var isDrainRequested = false
    /// The beginning of the connection, and who is at its other end as far as is known.
    var front = ConnectionFront(FrontPolicy())
    var info = ClientInfo(address: .local)
    /// What `beginTLS` offered, whose certificate the client has seen.
    var offeredTLS: ClientTLS?
    /// The length of the cancel key's secret that the client's protocol version has.
    var cancelSecretByteCount = 4
    /// Who it is to the console, and what it has asked since it last told the account of its database.
    var identity: ClientIdentity
    var consoleRole: ConsoleRole?
    var account: TrafficAccount?
    var traffic = TrafficPart()
    var serverUse = ServerUse()
    let connectedAt: Instant
    var requestedAt: Instant
    var startupTimeout: Scheduled<Void>?
    /// While authenticating.
    var login: ClientLogin?
    var cancelKey: BackendKeyData?

    var client: (any Channel)?
    /// The server connection that serves this client now.
    var link: ServerLink?
    /// For a client that Walden has authenticated itself: where its links come from.
    var pooled: PooledClient?
    /// Read from the client and not yet consumed.
    var clientInput = ByteBuffer()
    let clientOutput: SocketOutput
    /// Whether the channel's write queue is below its watermark, as it last told.
    var clientTakes = true
    private var isReadingClient = true
    /// What is done as soon as there is a server.
    var afterAcquiring = Continuation.goOn
    /// The fill of the unit at the front, which waits for a server.
    var heldFill: UInt64?
    /// The audit under way, of which at most one is, and the fill that runs for it.
    var auditBegan: Instant?
    var auditFill: FillID?
    /// The result being captured.
    var capture = ByteBuffer()
    /// Bytes moved and not yet counted; the counters are told once a read.
    var forwardedBytes = 0
    var relayedBytes = 0
    /// The clock as of the last read; one look serves all units of a batch.
    var now = Instant.distantPast
    /// When the unit at the front was first looked up; nil before.
    var arrivedAt: Instant?
    /// Numbers the waits for freshness, so that one that ended is not ended again.
    var waitNumber: UInt64 = 0

    init(channel: any Channel, context: ProxyContext, counters: LoopCounters, listener: ClientInfo.Listener) {
        self.context = context
        self.counters = counters
        clientOutput = SocketOutput(channel)
        identity = ClientIdentity(id: context.nextClientID())
        connectedAt = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
        requestedAt = connectedAt
        info.listener = listener
    }

    func readClock() {
        now = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    func flushClient() {
        clientOutput.flush()
    }

    func countTraffic() {
        traffic.sent += clientOutput.takeCount()
        if !traffic.isEmpty, let account {
            account.add(traffic)
            traffic = TrafficPart()
        }
        guard forwardedBytes + relayedBytes > 0 else { return }
        counters.count { figures in
            figures.bytesFromClients += UInt64(forwardedBytes)
            figures.bytesFromServers += UInt64(relayedBytes)
        }
        forwardedBytes = 0
        relayedBytes = 0
    }

    /// Reads each side as long as the other can take it.
    func adjustReading() {
        guard state != .closed, let client else { return }
        let serverTakes = link?.takes ?? true
        let readsClient =
            state == .startup || (state == .authenticating && login?.isBusy == false)
            || (state == .relaying && clientTakes && serverTakes && mayTakeInput)
        if readsClient != isReadingClient {
            isReadingClient = readsClient
            try? client.syncOptions?.setOption(.autoRead, value: readsClient)
        }
        link?.setReading(clientTakes)
    }

    /// What comes while something is waited for is kept, for most clients send no more before they are answered, and to stop
    /// reading and begin again takes two system calls. More than this stops them.
    private var mayTakeInput: Bool { pause == nil || clientInput.readableBytes < Self.awaitingBytes }
    private static let awaitingBytes = 16 * 1024

    // MARK: End

    /// Tells the client why and closes both ends. The message has reached the channel before it closes.
    func fail(_ error: ErrorResponse, cause: String) {
        guard state != .closed else { return }
        if machine?.isInDoubt ?? false { count(.unknown) }
        clientOutput.writeBytes((machine?.lastWord(error) ?? error).encoded())
        close(cause: cause)
    }

    /// Closes both ends after what has been written.
    func close(cause: String) {
        guard state != .closed else { return }
        state = .closed
        counters.count { $0.closed[cause, default: 0] += 1 }
        startupTimeout?.cancel()
        login?.abandon()
        login = nil
        endWait()
        abandonFills()
        countTraffic()
        if let cancelKey { context.cancels.remove(cancelKey) }
        flushClient()
        giveUpLink()
        clientOutput.close()
        machine = nil
        clientInput = ByteBuffer()
        capture = ByteBuffer()
    }

    private func abandonFills() {
        if let fill = takeHeldFill() { abandon(FillID(rawValue: fill), .connectionLost) }
        for fill in machine?.unfinishedFills() ?? [] { abandon(FillID(rawValue: fill), .connectionLost) }
    }

    func takeHeldFill() -> UInt64? {
        defer { heldFill = nil }
        return heldFill
    }

    func abandon(_ fill: FillID, _ reason: FillAbandonment) {
        if fill == auditFill { endAudit() }
        if fill == pooled?.replicaFill { pooled?.replicaFill = nil }
        context.waiters.wake(context.cache.abandonFill(fill, reason: reason), with: nil)
    }

    /// Stops waiting for another client's fill, or for the cache.
    func endWait() {
        if case .freshening(let wait) = pause { endWait(wait) }
        guard case .waiting(let wait) = pause else { return }
        pause = nil
        wait.timeout.cancel()
        if context.waiters.remove(wait.waiter) { context.cache.removeWaiter(wait.waiter, from: wait.fill) }
    }

    func drainRequested() {
        isDrainRequested = true
        closeIfDrained()
    }

    /// While draining, a session is ended at the first moment at which nothing is lost by it.
    func closeIfDrained() {
        guard isDrainRequested, state != .closed else { return }
        if let quiescent = machine?.isQuiescent, !quiescent || clientInput.readableBytes > 0 { return }
        fail(.drained, cause: "drained")
    }
}

extension ProxyConnection.State: Equatable {}
