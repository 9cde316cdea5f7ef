import Logging
import NIOCore
import NIOPosix
import WaldenCore
import WaldenSession
import WaldenWire

extension ProxyConnection {
    func clientConnected(_ channel: any Channel) {
        client = channel
        counters.count { $0.accepted += 1 }
        startupTimeout = channel.eventLoop.assumeIsolated().scheduleTask(in: context.configuration.startupTimeout) {
            self.startupTimedOut()
        }
        adjustReading()
    }

    private func startupTimedOut() {
        guard state != .relaying || machine?.isStarting ?? true else { return }
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: .connectionFailure,
                message: "no session was established within the startup timeout"),
            cause: "startup_timeout")
    }

    /// Takes packets until the startup message.
    func processStartup() {
        while state == .startup {
            let parsed: (packet: StartupPacket, byteCount: Int)?
            do throws(WireError) {
                parsed = try clientInput.parseStartupPacket()
            } catch {
                return fail(ErrorResponse(error), cause: "malformed_startup")
            }
            guard let parsed else { return }
            clientInput.moveReaderIndex(forwardBy: parsed.byteCount)
            act(on: parsed.packet)
        }
    }

    private func act(on packet: StartupPacket) {
        switch packet {
        case .sslRequest:
            // Each is refused once; a client that goes on asking is none of ours (as ProcessStartupPacket).
            guard !hasAnsweredSSLRequest else { return close(cause: "malformed_startup") }
            hasAnsweredSSLRequest = true
            refuseEncryption()
        case .gssEncRequest:
            guard !hasAnsweredGSSRequest else { return close(cause: "malformed_startup") }
            hasAnsweredGSSRequest = true
            refuseEncryption()
        case .cancelRequest(let processID, let secret):
            counters.count { $0.cancelRequests += 1 }
            if let key = context.cancels.server(processID: processID, secret: secret) { forwardCancel(key) }
            close(cause: "cancel_request")
        case .startup(let message):
            begin(message)
        }
    }

    private func refuseEncryption() {
        clientOutput.writeInteger(UInt8(ascii: "N"))
        flushClient()
    }

    private func begin(_ message: StartupMessage) {
        if message.minor > 0 || !message.protocolOptions.isEmpty {
            let reply = NegotiateProtocolVersion(
                version: .earliest, unrecognizedOptions: message.protocolOptions.map(\.name))
            clientOutput.writeBytes(reply.encoded())
        }
        // The stream tells of one database's changes; and a walsender takes commands, not statements.
        let isCached =
            context.configuration.isCaching && message["replication"] == nil
            && message.database.utf8.elementsEqual(context.configuration.cachedDatabase.utf8)
        machine = SessionMachine(
            startup: message, isCaching: isCached, limits: context.configuration.session,
            policy: context.configuration.policy)
        state = .connecting
        var packet: [UInt8] = []
        StartupMessage(version: .earliest, parameters: message.parameters).encode(into: &packet)
        serverOutput.writeBytes(packet)
        connect()
    }

    private func connect() {
        guard let client else { return }
        let connected = ServerBootstrapping.connect(
            to: context.configuration.primary, on: client.eventLoop,
            timeout: context.configuration.startupTimeout, connection: self)
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.serverConnected(channel)
            case .failure(let error): self.serverUnreachable(error)
            }
        }
    }

    private func serverConnected(_ channel: any Channel) {
        guard state == .connecting else {
            channel.close(promise: nil)
            return
        }
        server = channel
        state = .relaying
        flushServer()
        flushClient()
        processClient()
        flushServer()
        adjustReading()
    }

    private func serverUnreachable(_ error: any Error) {
        let reason = ConnectionFailure.words(for: error)
        context.log.warning(
            "a client was refused: the primary cannot be reached",
            metadata: ["primary": "\(context.configuration.primary)", "reason": "\(reason)"])
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: .sqlClientUnableToEstablishConnection,
                message: "Walden could not connect to the primary at \(context.configuration.primary)",
                detail: reason, hint: "Check that PostgreSQL is running there and accepting connections."),
            cause: "server_unreachable")
    }

    private func forwardCancel(_ key: BackendKeyData) {
        guard let client else { return }
        var packet: [UInt8] = []
        CancelRequest(processID: key.processID, secret: key.secret).encode(into: &packet)
        let bytes = ByteBuffer(bytes: packet)
        ServerBootstrapping.connectOnly(
            to: context.configuration.primary, on: client.eventLoop, timeout: context.configuration.startupTimeout
        ).whenSuccess { channel in
            // The server closes once it has read it; a half-closed or silent one is ended by the timeout.
            channel.writeAndFlush(bytes).whenComplete { _ in
                channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
            }
        }
    }
}

extension ByteBuffer {
    fileprivate func parseStartupPacket() throws(WireError) -> (packet: StartupPacket, byteCount: Int)? {
        try readableBytesSpan.parseStartupPacket()
    }
}

extension RawSpan {
    fileprivate func parseStartupPacket() throws(WireError) -> (packet: StartupPacket, byteCount: Int)? {
        try StartupPacket.parse(self, at: 0)
    }
}

/// Makes connections to servers.
enum ServerBootstrapping {
    /// A connection that belongs to `connection`, on the client's event loop.
    static func connect(
        to endpoint: Endpoint, on loop: any EventLoop, timeout: TimeAmount,
        connection: ProxyConnection
    ) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let bootstrap = bootstrap(on: loop, timeout: timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ServerHandler(bound.value))
                }
            }
        return connect(bootstrap, to: endpoint)
    }

    static func connectOnly(
        to endpoint: Endpoint, on loop: any EventLoop, timeout: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        connect(bootstrap(on: loop, timeout: timeout), to: endpoint)
    }

    private static func bootstrap(on loop: any EventLoop, timeout: TimeAmount) -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.writeBufferWaterMark, value: ProxyServer.waterMark)
            .channelOption(.recvAllocator, value: ProxyServer.receiveAllocator)
    }

    private static func connect(
        _ bootstrap: ClientBootstrap, to endpoint: Endpoint
    ) -> EventLoopFuture<any Channel> {
        switch endpoint {
        case .tcp(let host, let port):
            bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .connect(host: host, port: port)
        case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }
}
