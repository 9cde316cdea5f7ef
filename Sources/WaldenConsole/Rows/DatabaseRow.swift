/// A database that clients may ask for.
public struct DatabaseRow: Hashable, Sendable {
    public var name = ""
    public var host = ""
    public var port = 0
    /// Its name at the server.
    public var database = ""
    /// Nil: whatever the client logs in as.
    public var forcedUser: String?
    /// Server connections of one pool; 0: no limit.
    public var poolSize = 0
    public var minimalPoolSize = 0
    public var mode = ""
    /// Server connections of the database; 0: no limit.
    public var maxConnections = 0
    public var connections = 0
    public var isPaused = false
    /// Results are kept.
    public var isCached = false

    public init() {}
}

extension DatabaseRow: ConsoleRow {
    public static let columns: [RowColumn<DatabaseRow>] = [
        .text("name", "as clients ask for it") { $0.name },
        .text("host", "of the primary; a path for a Unix socket") { $0.host },
        .int4("port", "") { $0.port },
        .text("database", "its name at the server") { $0.database },
        .text("force_user", "null: the client's own role") { $0.forcedUser },
        .int4("pool_size", "limit of a pool; 0: none") { $0.poolSize },
        .int4("min_pool_size", "") { $0.minimalPoolSize },
        .text("pool_mode", "as in `SHOW POOLS`") { $0.mode },
        .int4("max_connections", "limit of the database's server connections; 0: none") { $0.maxConnections },
        .int4("current_connections", "its server connections now") { $0.connections },
        .int4("paused", "1: after `PAUSE`") { $0.isPaused ? 1 : 0 },
        .int4("disabled", "always 0: there is no `DISABLE`") { _ in 0 },
        .bool("cached", "whether this is the database whose results may be kept") { $0.isCached },
    ]
}

/// A role with connections.
struct UserRow: Hashable, Sendable {
    let name: String

    static func users(of snapshot: ConnectionSnapshot) -> [UserRow] {
        Set(snapshot.namedClients.map(\.user) + snapshot.servers.map(\.user)).sorted().map(UserRow.init)
    }
}

extension UserRow: ConsoleRow {
    static let columns: [RowColumn<UserRow>] = [
        .text("name", "a role that is connected now") { $0.name },
        .text("pool_mode", "always null: the mode is one for all roles") { _ in nil },
    ]
}
