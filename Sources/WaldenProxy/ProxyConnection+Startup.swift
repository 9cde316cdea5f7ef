import Logging
import NIOCore
import NIOPosix
import WaldenCore
import WaldenSession
import WaldenWire

extension ProxyConnection {
    func clientConnected() {
        counters.count { $0.accepted += 1 }
        startupTimeout = client.eventLoop.assumeIsolated().scheduleTask(in: context.configuration.startupTimeout) {
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
        clientOutput.write("N")
        clientOutput.flush()
    }

    private func begin(_ message: StartupMessage) {
        if message.minor > 0 || !message.protocolOptions.isEmpty {
            let reply = NegotiateProtocolVersion(
                version: .earliest, unrecognizedOptions: message.protocolOptions.map(\.name))
            clientOutput.write(reply.encoded())
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
        connect(sending: packet)
    }

    /// Makes a link for this client alone, and begins the session there by `packet`.
    private func connect(sending packet: [UInt8]) {
        let connected = ServerBootstrapping.connect(
            to: context.configuration.primary, node: .configuredPrimary, on: client.eventLoop,
            timeout: context.configuration.startupTimeout)
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.serverConnected(channel, packet)
            case .failure(let error): self.serverUnreachable(error)
            }
        }
    }

    private func serverConnected(_ channel: any Channel, _ packet: [UInt8]) {
        guard state == .connecting else {
            channel.close(promise: nil)
            return
        }
        let link: ServerLink
        do {
            link = try ServerBootstrapping.link(of: channel)
            // Closed between the connection and now: nobody would tell.
            guard channel.isActive else { throw ChannelError.alreadyClosed }
        } catch {
            channel.close(promise: nil)
            return serverUnreachable(error)
        }
        link.serve(self)
        self.link = link
        state = .relaying
        link.output.write(packet)
        link.output.flush()
        clientOutput.flush()
        processClient()
        link.output.flush()
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
