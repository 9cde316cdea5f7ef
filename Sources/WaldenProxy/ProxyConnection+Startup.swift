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
        if openFront(client) { adjustReading() }
    }

    private func startupTimedOut() {
        guard state != .relaying || machine?.isStarting ?? true else { return }
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: .connectionFailure,
                message: "no session was established within the startup timeout"),
            cause: "startup_timeout")
    }

    func begin(_ message: StartupMessage) {
        cancelSecretByteCount = message.cancelSecretByteCount
        if let reply = message.negotiation { clientOutput.write(reply.encoded()) }
        context.log.debug(
            "a client begins a session",
            metadata: ["client": "\(info.address)", "tls": "\(info.tls?.version ?? "none")"])
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
    private func connect(sending packet: [UInt8], attempt: EncryptionPlan.Attempt? = nil) {
        let connected = context.primary.connect(node: .configuredPrimary, on: client.eventLoop, attempt: attempt)
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let connection): self.serverConnected(connection, packet)
            case .failure(let error): self.serverUnreachable(error)
            }
        }
    }

    private func serverConnected(_ connection: ServerConnection, _ packet: [UInt8]) {
        let channel = connection.channel
        guard state == .connecting else {
            channel.close(promise: nil)
            return
        }
        let link: ServerLink
        do {
            link = try connection.link()
            // Closed between the connection and now: nobody would tell.
            guard channel.isActive else { throw ChannelError.alreadyClosed }
        } catch {
            channel.close(promise: nil)
            return serverUnreachable(error)
        }
        link.serve(self)
        link.tls = connection.tls
        link.alternative = connection.alternative.map { (attempt: $0, startup: packet) }
        self.link = link
        state = .relaying
        link.output.write(packet)
        link.output.flush()
        clientOutput.flush()
        processClient()
        link.output.flush()
        adjustReading()
    }

    /// Whether what `link` has sent is to be taken: not when the server refuses the session by its first message, and
    /// libpq would try again with or without encryption. What follows a first message that is no refusal is the client's
    /// to judge, which takes part in the authentication.
    func isAnswered(_ link: ServerLink) -> Bool {
        guard let alternative = link.alternative else { return true }
        guard let isRefused = link.input.withUnsafeReadableBytes({ EncryptionPlan.isRefusal($0.bytes) }) else {
            return false
        }
        link.alternative = nil
        guard isRefused else { return true }
        link.close()
        self.link = nil
        state = .connecting
        connect(sending: alternative.startup, attempt: alternative.attempt)
        return false
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

    func forwardCancel(_ key: BackendKeyData) {
        var packet: [UInt8] = []
        CancelRequest(processID: key.processID, secret: key.secret).encode(into: &packet)
        let bytes = ByteBuffer(bytes: packet)
        context.primary.connectOnly(on: client.eventLoop).whenSuccess { connection in
            let channel = connection.channel
            // The server closes once it has read it; a half-closed or silent one is ended by the timeout.
            channel.writeAndFlush(bytes).whenComplete { _ in
                channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
            }
        }
    }
}
