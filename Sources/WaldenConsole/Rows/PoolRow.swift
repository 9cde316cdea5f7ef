/// The connections of one database and user.
public struct PoolRow: Hashable, Sendable {
    public var database = ""
    public var user = ""
    public var activeClients = 0
    public var waitingClients = 0
    public var activeServers = 0
    public var idleServers = 0
    public var usedServers = 0
    public var testedServers = 0
    public var loginServers = 0
    /// The longest present wait for a server, in microseconds.
    public var waitMicroseconds: Int64 = 0
    public var mode = ""

    public init() {}

    /// The pools that the connections make, by database and user.
    static func pools(of snapshot: ConnectionSnapshot) -> [PoolRow] {
        var pools: [Key: PoolRow] = [:]
        for client in snapshot.namedClients {
            pools[Key(client), default: PoolRow(client)].add(client)
        }
        for server in snapshot.servers {
            pools[Key(server), default: PoolRow(server)].add(server)
        }
        return pools.values.sorted { ($0.database, $0.user) < ($1.database, $1.user) }
    }

    private struct Key: Hashable {
        let database: String
        let user: String

        init(_ connection: ConnectionRow) {
            database = connection.database
            user = connection.user
        }
    }

    private init(_ connection: ConnectionRow) {
        database = connection.database
        user = connection.user
        mode = connection.poolMode
    }

    private mutating func add(_ connection: ConnectionRow) {
        switch (connection.kind, connection.state) {
        case (.client, .waiting):
            waitingClients += 1
            waitMicroseconds = max(waitMicroseconds, connection.waitMicroseconds)
        case (.client, _): activeClients += 1
        case (.server, .idle): idleServers += 1
        case (.server, .used): usedServers += 1
        case (.server, .tested): testedServers += 1
        case (.server, .login): loginServers += 1
        case (.server, _): activeServers += 1
        }
    }
}

extension PoolRow: ConsoleRow {
    public static let columns: [RowColumn<PoolRow>] = [
        .text("database", "") { $0.database },
        .text("user", "") { $0.user },
        .int4("cl_active", "clients that have a server or ask nothing") { $0.activeClients },
        .int4("cl_waiting", "clients that have asked and have no server yet") { $0.waitingClients },
        .int4("sv_active", "servers that a client has") { $0.activeServers },
        .int4("sv_idle", "servers ready for a client") { $0.idleServers },
        .int4("sv_used", "… that are tested before a client gets them") { $0.usedServers },
        .int4("sv_tested", "servers that are tested, or cleaned after a client") { $0.testedServers },
        .int4("sv_login", "servers being connected or logged in to") { $0.loginServers },
        .int4("maxwait", "the longest present wait: whole seconds") { Int($0.waitMicroseconds / 1_000_000) },
        .int4("maxwait_us", "… and microseconds") { Int($0.waitMicroseconds % 1_000_000) },
        .text("pool_mode", "`session`: a server belongs to its client; `transaction`: for a transaction") { $0.mode },
    ]
}
