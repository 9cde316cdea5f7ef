import Glibc
import NIOCore
import NIOPosix
import WaldenCore
import WaldenSession

/// A connection to a server on which encryption is settled: the next bytes are the startup message's.
struct ServerConnection: Sendable {
    let channel: any Channel
    /// Nil in the clear.
    let tls: TLSSession?
    /// What is to be tried instead when the server refuses the session before it is established; nil: nothing.
    let alternative: EncryptionPlan.Attempt?

    /// To be called on the channel's event loop.
    func link() throws -> ServerLink {
        try channel.pipeline.syncOperations.handler(type: ServerHandler.self).link
    }
}

/// Makes connections to servers, encrypted as their settings ask for (`EncryptionPlan`).
struct ServerConnector: Sendable {
    let endpoint: Endpoint
    let tls: ServerTLS
    /// For each attempt, from its beginning until encryption is settled.
    var timeout: TimeAmount
    /// After how long a server that acknowledges nothing counts as gone. Zero: as the system is configured.
    var userTimeout = Duration.zero

    /// A connection whose link is known to its handler (`ServerConnection.link`) from the first event on.
    ///
    /// - Parameter attempt: An earlier connection's `alternative`; else it begins as the mode tells.
    func connect(
        node: NodeID, on loop: any EventLoop, attempt: EncryptionPlan.Attempt? = nil
    ) -> EventLoopFuture<ServerConnection> {
        connect(on: loop, attempt) { channel in
            let link = ServerLink(channel: channel, node: node)
            try channel.pipeline.syncOperations.addHandler(ServerHandler(link))
        }
    }

    /// A connection that nobody listens on, for a cancel request.
    func connectOnly(on loop: any EventLoop) -> EventLoopFuture<ServerConnection> {
        connect(on: loop, nil) { _ in }
    }

    private func connect(
        on loop: any EventLoop, _ attempt: EncryptionPlan.Attempt?,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<ServerConnection> {
        let plan = tls.plan(isLocal: endpoint.isLocal)
        let attempt = attempt ?? plan.first
        return open(attempt, plan, on: loop, prepare).flatMapError { error in
            guard let failure = error as? ServerTLSFailure, failure.isHandshake,
                case .reconnect(let other) = plan.next(after: .handshake, of: attempt)
            else { return loop.makeFailedFuture(error) }
            return open(other, plan, on: loop, prepare)
        }
    }

    private func open(
        _ attempt: EncryptionPlan.Attempt, _ plan: EncryptionPlan, on loop: any EventLoop,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<ServerConnection> {
        guard attempt != .clear else {
            let connected = connect(
                bootstrap(on: loop).channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try prepare(channel) }
                })
            return connected.map { ServerConnection(channel: $0, tls: nil, alternative: plan.alternative(to: .clear)) }
        }
        let (tls, timeout) = (tls, timeout)
        let connected = connect(
            bootstrap(on: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        TLSNegotiator(tls, plan, attempt, timeout: timeout, on: channel.eventLoop))
                    try prepare(channel)
                }
            })
        return connected.flatMap { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.handler(type: TLSNegotiator.self).settled
            }.flatMap { $0 }
        }.flatMap { connection in
            connection.channel.eventLoop.makeCompletedFuture {
                let operations = connection.channel.pipeline.syncOperations
                operations.removeHandler(try operations.handler(type: TLSNegotiator.self), promise: nil)
                return connection
            }
        }
    }

    private func bootstrap(on loop: any EventLoop) -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.writeBufferWaterMark, value: ProxyServer.waterMark)
            .channelOption(.recvAllocator, value: ProxyServer.receiveAllocator)
    }

    private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        switch endpoint {
        case .tcp(let host, let port):
            bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .noticesSilence(within: userTimeout)
                .connect(host: host, port: port)
        case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }
}

extension EncryptionPlan {
    /// What remains to be tried when a session that began in this way is refused.
    func alternative(to attempt: Attempt) -> Attempt? {
        if case .reconnect(let other) = next(after: .startup, of: attempt) { other } else { nil }
    }
}

extension Endpoint {
    fileprivate var isLocal: Bool {
        if case .unix = self { true } else { false }
    }
}

extension ClientBootstrap {
    /// Has the system end a connection whose peer does not acknowledge what was sent (RFC 5482), nor probes while nothing
    /// is sent: the first after half the time, the last of three at its end (tcp(7)).
    fileprivate func noticesSilence(within time: Duration) -> ClientBootstrap {
        let milliseconds = Int(min(time.wholeNanoseconds / 1_000_000, Int64(CInt.max)))
        guard milliseconds > 0 else { return self }
        let seconds = max(1, milliseconds / 1_000)
        return channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: milliseconds)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: max(1, seconds / 2))
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: max(1, seconds / 6))
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
    }
}
