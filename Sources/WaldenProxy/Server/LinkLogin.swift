import NIOCore
import NIOPosix
import WaldenAuth
import WaldenCore
import WaldenSession
import WaldenWire

/// Connects to a server and logs in there, for a pool; on the loop of the pool.
///
/// Ends once, by `completion`: with the link and the server's greeting, or with the reason for the client that waits
/// for it. All of it, name resolution and encryption included, has one deadline.
final class LinkLogin {
    typealias Completion = (Result<(ServerLink, ServerGreeting), LoginFailure>) -> Void

    private let connector: ServerConnector
    private let node: NodeID
    private let loop: any EventLoop
    private let startup: StartupMessage
    private let credentials: ServerCredentials
    private var login: ServerLogin?
    private var completion: Completion?
    private var timeout: Scheduled<Void>?
    private var link: ServerLink?
    /// How else the server may be reached, until its first message has come.
    private var alternative: EncryptionPlan.Attempt?

    init(
        by connector: ServerConnector, node: NodeID, on loop: any EventLoop, startup: StartupMessage,
        credentials: ServerCredentials, completion: @escaping Completion
    ) {
        self.connector = connector
        self.node = node
        self.loop = loop
        self.startup = startup
        self.credentials = credentials
        self.completion = completion
    }

    func begin(timeout limit: TimeAmount) {
        timeout = loop.assumeIsolated().scheduleTask(in: limit) { self.timedOut(limit) }
        connect(attempt: nil)
    }

    private func connect(attempt: EncryptionPlan.Attempt?) {
        connector.connect(node: node, on: loop, attempt: attempt).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let connection): self.connected(connection)
            case .failure(let error): self.fail(self.unreachable(ConnectionFailure.words(for: error)))
            }
        }
    }

    private func connected(_ connection: ServerConnection) {
        guard completion != nil, connection.channel.isActive, let link = try? connection.link() else {
            connection.channel.close(promise: nil)
            return fail(unreachable("the connection was closed at once"))
        }
        self.link = link
        alternative = connection.alternative
        link.tls = connection.tls
        link.listener = .login(self)
        let random = (0..<18).map { _ in UInt8.random(in: .min ... .max) }
        let login = ServerLogin(
            startup: startup, credentials: credentials,
            channelBinding: ServerLogin.ChannelBinding(certificateHash: connection.tls?.serverEndPoint), random: random)
        send(login.begin())
        self.login = consume login
        serverSent()
    }

    private func send(_ bytes: [UInt8]) {
        link?.output.writeBytes(bytes)
        link?.flush()
    }

    func serverSent() {
        guard let link, completion != nil else { return }
        if let alternative {
            guard let isRefused = link.input.withUnsafeReadableBytes({ EncryptionPlan.isRefusal($0.bytes) }) else {
                return
            }
            self.alternative = nil
            if isRefused {
                link.close()
                self.link = nil
                return connect(attempt: alternative)
            }
        }
        while true {
            let received = link.input.withUnsafeReadableBytes { login?.receive($0.bytes) }
            guard let (consumed, step) = received else { return }
            link.input.moveReaderIndex(forwardBy: consumed)
            guard act(on: step, link) else { return }
        }
    }

    /// Returns whether there may be more to do with what has been read.
    private func act(on step: ServerLogin.Step, _ link: ServerLink) -> Bool {
        switch step {
        case .wait: return false
        case .send(let bytes): send(bytes)
        case .derive(let derivation):
            derive(derivation)
            return false
        case .ready(let greeting):
            link.key = greeting.key
            link.listener = .nobody
            finish(.success((link, greeting)))
            return false
        case .failed(let failure):
            fail(failure)
            return false
        }
        return true
    }

    /// Milliseconds of computation, on another thread.
    private func derive(_ derivation: KeyDerivation) {
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { derivation.keys() }
            .assumeIsolated().whenComplete { result in
                guard let link = self.link, self.completion != nil,
                    let step = self.login?.derived((try? result.get()) ?? nil)
                else { return }
                if self.act(on: step, link) { self.serverSent() }
            }
    }

    func serverClosed() {
        fail(unreachable("the server closed the connection during the login"))
    }

    private func timedOut(_ limit: TimeAmount) {
        fail(unreachable("no session was established within \(limit.nanoseconds / 1_000_000) ms (pool.login_timeout)"))
    }

    private func unreachable(_ reason: String) -> LoginFailure {
        let error = ErrorResponse(
            severity: .fatal, sqlState: .sqlClientUnableToEstablishConnection,
            message: "Walden could not connect to the server at \(connector.endpoint)", detail: reason,
            hint: "Check that PostgreSQL is running there and accepting connections.")
        return LoginFailure(error, origin: .peer)
    }

    private func fail(_ failure: LoginFailure) {
        finish(.failure(failure))
        link?.close()
    }

    private func finish(_ result: Result<(ServerLink, ServerGreeting), LoginFailure>) {
        guard let completion else { return }
        self.completion = nil
        timeout?.cancel()
        completion(result)
    }
}
