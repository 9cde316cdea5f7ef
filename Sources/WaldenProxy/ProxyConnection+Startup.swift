import Logging
import NIOCore
import NIOPosix
import WaldenAuth
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
        if openFront(channel) { adjustReading() }
    }

    private func startupTimedOut() {
        guard state != .relaying || machine?.isStarting ?? true else { return }
        // In PostgreSQL's words where the client can still prove itself (`authentication_timeout`).
        if state == .authenticating {
            let error = ErrorResponse(
                severity: .fatal, sqlState: .queryCanceled, message: "canceling authentication due to timeout")
            return fail(error, cause: "startup_timeout")
        }
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: .connectionFailure,
                message: "no session was established within the startup timeout"),
            cause: "startup_timeout")
    }

    func begin(_ message: StartupMessage) {
        cancelSecretByteCount = message.cancelSecretByteCount
        if let reply = message.negotiation { clientOutput.writeBytes(reply.encoded()) }
        identity.user = message.user
        identity.database = message.database
        identity.applicationName = message["application_name"] ?? ""
        if beginConsole(message) { return }
        account = context.traffic.account(of: message.database)
        context.log.debug(
            "a client begins a session",
            metadata: ["client": "\(info.address)", "tls": "\(info.tls?.version ?? "none")"])
        guard let rules = context.authenticator.rules else { return beginRelayed(message) }
        authenticate(message, by: rules) { credentials in
            // A walsender takes commands, not statements, and keeps its connection.
            if message["replication"] == nil {
                self.beginPooled(message, credentials)
            } else {
                self.beginDedicated(message, credentials)
            }
        }
    }

    /// A session whose client the server authenticates.
    private func beginRelayed(_ message: StartupMessage) {
        openSession(message)
        var packet: [UInt8] = []
        StartupMessage(version: .earliest, parameters: message.parameters).encode(into: &packet)
        connect(sending: packet)
    }

    func openSession(_ message: StartupMessage, pooling: Pooling? = nil) {
        // The stream tells of one database's changes; and a walsender takes commands, not statements.
        let isCached =
            context.configuration.isCaching && message["replication"] == nil
            && message.database.utf8.elementsEqual(context.configuration.cachedDatabase.utf8)
        machine = SessionMachine(
            startup: message, isCaching: isCached, limits: context.configuration.session,
            policy: context.configuration.policy, pooling: pooling)
        state = .connecting
    }

    /// A session with a server connection of its own, on which Walden logs in.
    private func beginDedicated(_ message: StartupMessage, _ credentials: ServerCredentials) {
        openSession(message)
        let startup = StartupMessage(version: .earliest, parameters: message.parameters)
        login(sending: startup, credentials)
    }

    private func login(sending startup: StartupMessage, _ credentials: ServerCredentials) {
        whenServed { client, node in
            let login = LinkLogin(
                by: self.context.primary, node: node, on: client.eventLoop, startup: startup, credentials: credentials
            ) { result in
                switch result {
                case .success((let link, _)) where !self.isServed(by: node):
                    link.close()
                    self.login(sending: startup, credentials)
                case .success((let link, let greeting)): self.loggedIn(link, greeting)
                case .failure(let failure): self.loginFailed(failure, credentials)
                }
            }
            login.begin(timeout: self.context.configuration.startupTimeout)
        }
    }

    /// What the server has told Walden it tells the client now, through the session's machine.
    private func loggedIn(_ link: ServerLink, _ greeting: ServerGreeting) {
        guard state == .connecting else { return link.close() }
        link.listener = .client(self)
        self.link = link
        state = .relaying
        readClock()
        traffic.waitTime &+= now.nanosecondsSince(requestedAt)
        var input = ByteBuffer(bytes: greeting.encoded())
        input.writeBuffer(&link.input)
        link.input = input
        serverSent()
        serverReadEnded()
        processClient()
        clientReadEnded()
    }

    private func loginFailed(_ failure: LoginFailure, _ credentials: ServerCredentials) {
        guard state == .connecting else { return }
        if failure.wantsFreshProof { context.authenticator.forget(credentials.user) }
        context.log.info(
            "a server refused a client's login",
            metadata: ["user": "\(credentials.user)", "reason": "\(failure.error.detail ?? failure.error.message)"])
        fail(failure.error, cause: "server_login")
    }

    /// Makes a link for this client alone, and begins the session there by `packet`.
    func connect(sending packet: [UInt8], attempt: EncryptionPlan.Attempt? = nil) {
        whenServed { client, node in
            let connected = self.context.primary.connect(node: node, on: client.eventLoop, attempt: attempt)
            connected.assumeIsolated().whenComplete { result in
                switch result {
                case .success(let connection) where !self.isServed(by: node):
                    connection.channel.close(promise: nil)
                    self.connect(sending: packet)
                case .success(let connection): self.serverConnected(connection, packet)
                case .failure(let error): self.serverUnreachable(error)
                }
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
        link.listener = .client(self)
        link.tls = connection.tls
        link.alternative = connection.alternative.map { (attempt: $0, startup: packet) }
        self.link = link
        state = .relaying
        readClock()
        traffic.waitTime &+= now.nanosecondsSince(requestedAt)
        link.output.writeBytes(packet)
        link.flush()
        flushClient()
        processClient()
        link.flush()
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
        let primary = context.primary.endpoint
        context.log.warning(
            "a client was refused: the primary cannot be reached",
            metadata: ["primary": "\(primary)", "reason": "\(reason)"])
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: .sqlClientUnableToEstablishConnection,
                message: "Walden could not connect to the primary at \(primary)",
                detail: reason, hint: "Check that PostgreSQL is running there and accepting connections."),
            cause: "server_unreachable")
    }
}
