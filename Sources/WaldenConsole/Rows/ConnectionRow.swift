/// A client's or a server's connection.
public struct ConnectionRow: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case client = "C"
        case server = "S"
    }

    public enum State: String, Hashable, Sendable, CaseIterable {
        /// A client that has a server or asks nothing; a server that serves a client.
        case active
        /// A client that has asked and has no server yet.
        case waiting
        /// A server that no client has.
        case idle
        /// The same, for so long that it is tested before a client gets it.
        case used
        /// A server that is tested, or cleaned after its client.
        case tested
        /// A client that has not said yet who it is; a server that has not let Walden in yet.
        case login
    }

    public var kind = Kind.client
    /// Unique among all connections of the process.
    public var id: UInt64 = 0
    public var user = ""
    public var database = ""
    public var state = State.active
    /// The peer's address; `unix` for a socket in the file system.
    public var address = ""
    public var port = 0
    public var localAddress = ""
    public var localPort = 0
    public var connectedAt = WallTime(microseconds: 0)
    /// Of the client's latest request.
    public var requestedAt = WallTime(microseconds: 0)
    /// How long the request at the front has been waiting for a server, in microseconds.
    public var waitMicroseconds: Int64 = 0
    /// It ends as soon as nothing is under way.
    public var closesSoon = false
    /// The connection at the other side of Walden.
    public var link: UInt64?
    /// Of the peer: the backend's, or that of a client on a Unix socket. 0: unknown.
    public var processID = 0
    /// Version and cipher; empty without TLS.
    public var tls = ""
    public var applicationName = ""
    /// The server's node; empty for a client.
    public var node = ""
    /// How server connections are shared: `session` or `transaction`.
    public var poolMode = ""
    /// What binds client and server to each other beyond the present transaction.
    public var pins: [String] = []

    public init() {}

    /// Unique, and as PgBouncer's `ptr` of no further meaning.
    var handle: String { Self.handle(kind, id) }

    private static func handle(_ kind: Kind, _ id: UInt64) -> String { kind.rawValue.lowercased() + "\(id)" }

    private var linkHandle: String { link.map { Self.handle(kind == .client ? .server : .client, $0) } ?? "" }
}

extension ConnectionRow: ConsoleRow {
    public static let columns: [RowColumn<ConnectionRow>] = [
        .text("type", "`C`: a client; `S`: a server") { $0.kind.rawValue },
        .text("user", "the role it logged in as") { $0.user },
        .text("database", "") { $0.database },
        .text(
            "state",
            "client: `login` (has not said yet who it is), `active` (has a server, or asks nothing), `waiting` (has none "
                + "yet); server: `active` (a client has it), `idle`, `used` (idle for longer than `pool.check_delay`), "
                + "`tested` (is tested or cleaned), `login`"
        ) { $0.state.rawValue },
        .text("addr", "the peer's address; `unix` for a socket in the file system") { $0.address },
        .int4("port", "the peer's port") { $0.port },
        .text("local_addr", "Walden's end") { $0.localAddress },
        .int4("local_port", "") { $0.localPort },
        .text("connect_time", "since when it exists") { $0.connectedAt.withSeconds },
        .text("request_time", "when the client asked last") { $0.requestedAt.withSeconds },
        .int4("wait", "how long the client has been waiting for a server: whole seconds") {
            Int($0.waitMicroseconds / 1_000_000)
        },
        .int4("wait_us", "… and microseconds") { Int($0.waitMicroseconds % 1_000_000) },
        .int4("close_needed", "1: it ends as soon as nothing is under way") { $0.closesSoon ? 1 : 0 },
        .text("ptr", "its name in `link`") { $0.handle },
        .text("link", "the connection at the other side of Walden; empty: none") { $0.linkHandle },
        .int4("remote_pid", "process of the backend, or of a client on a Unix socket; 0: unknown") { $0.processID },
        .text("tls", "version and cipher; empty without TLS") { $0.tls },
        .text("application_name", "as the client gave it when it connected") { $0.applicationName },
        .int8("id", "for `KILL_CLIENT`") { $0.id },
        .text("node", "the server's node; empty for a client") { $0.node },
    ]
}

/// All connections, taken from the event loops one after another: not one moment, but each loop at one.
public struct ConnectionSnapshot: Hashable, Sendable {
    public var clients: [ConnectionRow] = []
    public var servers: [ConnectionRow] = []
    /// Connections that were counted but are not among the rows, because there were too many.
    public var omitted = 0
    public var traffic: [DatabaseTraffic] = []
    /// Databases that are paused.
    public var paused: Set<String> = []

    public init() {}

    /// The clients that have said who they are.
    var namedClients: [ConnectionRow] { clients.filter { $0.state != .login } }
}
