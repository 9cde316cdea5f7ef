import Glibc
import Logging
import NIOCore
import WaldenConsole
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// The way into the console.
///
/// Where Walden authenticates clients, it does so here, by the same rules. Where it relays, the primary tells whether a
/// user of the console is who it claims to be: the login is relayed to the cached database, and its connection closed as
/// soon as it has succeeded. The owner of the process, known by its Unix socket, is let in without, also while the primary
/// cannot be reached.
extension ProxyConnection {
    /// False when the session is not the console's.
    func beginConsole(_ message: StartupMessage) -> Bool {
        guard let console = context.console, console.access.isConsole(message) else { return false }
        state = .connecting
        identity.isConsole = true
        askPeer { peer in
            guard self.state == .connecting else { return }
            switch console.access.entry(of: message.user, from: peer) {
            case .granted(let role): self.enterConsole(role, .unasked)
            case .authenticate(let role): self.authenticate(message, as: role)
            case .refused(let refusal): self.fail(refusal.fatal, cause: "console_refused")
            }
        }
        return true
    }

    private func authenticate(_ message: StartupMessage, as role: ConsoleRole) {
        if let rules = context.authenticator.rules {
            return authenticate(message, by: rules) { _ in self.enterConsole(role, .authenticated) }
        }
        consoleRole = role
        machine = SessionMachine(
            startup: message, isCaching: false, limits: context.configuration.session,
            policy: context.configuration.policy)
        var login = StartupMessage(user: message.user, database: context.configuration.cachedDatabase)
        // The console speaks UTF-8, and what the server reports of it reaches the client.
        login.parameters.append(.init(name: "client_encoding", value: "UTF8"))
        login.parameters.append(.init(name: "application_name", value: "walden console"))
        var packet: [UInt8] = []
        login.encode(into: &packet)
        connect(sending: packet)
    }

    /// Hands the client over to the console's own handler, and ends the connection that it had to a server.
    func enterConsole(_ role: ConsoleRole, _ admission: ConsoleAdmission) {
        guard let client, let console = context.console else { return close(cause: "console_refused") }
        let census = ConnectionCensus(connections: context.connections, context: context)
        flushClient()
        startupTimeout?.cancel()
        if let cancelKey { context.cancels.remove(cancelKey) }
        link?.close()
        link = nil
        state = .closed
        machine = nil
        self.client = nil
        context.log.info(
            "a console session begins", metadata: ["client": "\(info.address)", "role": "\(role)"])
        let handler = ConsoleHandler(
            desk: ConsoleDesk(
                services: console, census: census, pools: context.authenticator.rules == nil ? nil : context.pools),
            role: role, client: self, unread: clientInput, admission: admission)
        clientInput = ByteBuffer()
        do {
            try client.syncOptions?.setOption(.autoRead, value: true)
            let pipeline = client.pipeline.syncOperations
            let own = try pipeline.handler(type: ClientHandler.self)
            try pipeline.addHandler(handler, position: .after(own))
            pipeline.removeHandler(own, promise: nil)
        } catch {
            client.close(promise: nil)
        }
    }

    /// Tells whose process is at the other end. A load balancer's says nothing of the client's.
    private func askPeer(_ then: @escaping (ConsolePeer) -> Void) {
        guard let client, info.address == .local, info.proxy == nil, let options = client as? any SocketOptionProvider
        else { return then(.network) }
        let credentials: EventLoopFuture<PeerCredentials> = options.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED))
        credentials.assumeIsolated().whenComplete { result in
            guard case .success(let peer) = result else { return then(.local(isOwner: false)) }
            then(.local(isOwner: peer.user == 0 || peer.user == geteuid()))
        }
    }
}

/// What a client of the console has been told before it enters.
enum ConsoleAdmission {
    /// Nothing: it was not asked who it is.
    case unasked
    /// AuthenticationOk.
    case authenticated
    /// All that a server tells at the end of a login.
    case greeted
}

/// `struct ucred` (socket(7), SO_PEERCRED).
private struct PeerCredentials {
    let process: Int32
    let user: UInt32
    let group: UInt32
}

extension ProxyConnection: ClientEnd {
    /// What does not change while it lives; times are not among it.
    var origin: ConnectionRow {
        var row = ConnectionRow()
        row.id = identity.id
        row.user = identity.user
        row.database = identity.database
        row.applicationName = identity.applicationName
        (row.address, row.port) = info.address.parts
        (row.localAddress, row.localPort) = client?.localAddress.parts ?? ("", 0)
        row.tls = info.tls?.version ?? ""
        row.poolMode = (pooled?.mode ?? .session).rawValue
        return row
    }

    func rows(_ clock: WallClock) -> (client: ConnectionRow, server: ConnectionRow?) {
        var row = origin
        row.connectedAt = clock.time(of: connectedAt)
        row.requestedAt = clock.time(of: requestedAt)
        row.closesSoon = isDrainRequested
        switch state {
        case .startup, .authenticating: row.state = .login
        case .connecting:
            row.state = .waiting
            row.waitMicroseconds = clock.age(of: requestedAt)
        case .relaying where pooled?.isWaiting ?? false:
            row.state = .waiting
            row.waitMicroseconds = clock.age(of: requestedAt)
        case .relaying, .closed: row.state = .active
        }
        guard let link else { return (row, nil) }
        if let served = link.pooled {
            row.link = served.id.rawValue
            row.pins = machine?.pins.map(\.rawValue) ?? []
            if pooled?.mode == .session { row.pins.append("session_mode") }
            return (row, nil)
        }
        row.link = row.id
        row.pins = ["login"]
        return (row, serverRow(link, row))
    }

    /// A server of one client alone has its client's id.
    private func serverRow(_ link: ServerLink, _ client: ConnectionRow) -> ConnectionRow {
        var row = client
        row.kind = .server
        row.state = machine?.isStarting ?? true ? .login : .active
        row.describe(link)
        row.pins = []
        return row
    }

    func kill(where condition: (ClientIdentity) -> Bool) -> Bool {
        guard state != .closed, condition(identity) else { return false }
        fail(.killed, cause: "killed")
        return true
    }
}

extension ConnectionRow {
    mutating func describe(_ link: ServerLink) {
        (address, port) = link.channel.remoteAddress.parts
        (localAddress, localPort) = link.channel.localAddress.parts
        processID = Int(link.key?.processID ?? 0)
        tls = link.tls?.version ?? ""
        node = link.node.description
    }
}

extension ClientAddress {
    fileprivate var parts: (String, Int) {
        switch self {
        case .local: ("unix", 0)
        case .ip(let address, let port): ("\(address)", port)
        }
    }
}

extension SocketAddress? {
    fileprivate var parts: (String, Int) {
        switch self {
        case .v4, .v6: (self?.ipAddress ?? "", self?.port ?? 0)
        case .unixDomainSocket: ("unix", 0)
        case nil: ("", 0)
        }
    }
}
