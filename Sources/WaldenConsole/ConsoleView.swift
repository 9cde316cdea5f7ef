/// What `SHOW` shows.
public enum ConsoleView: String, Hashable, Sendable, CaseIterable {
    case help = "HELP"
    case pools = "POOLS"
    case clients = "CLIENTS"
    case servers = "SERVERS"
    case sockets = "SOCKETS"
    case stats = "STATS"
    case statsTotals = "STATS_TOTALS"
    case statsAverages = "STATS_AVERAGES"
    case totals = "TOTALS"
    case lists = "LISTS"
    case databases = "DATABASES"
    case users = "USERS"
    case config = "CONFIG"
    case version = "VERSION"
    case memory = "MEM"
    case hosts = "DNS_HOSTS"
    case peers = "PEERS"
    case replicas = "REPLICAS"
    case lag = "LAG"
    case lagHistory = "LAG HISTORY"
    case cache = "CACHE"
    case shapes = "SHAPES"
    case pins = "PINS"
    case routes = "ROUTES"

    public var columns: [ConsoleColumn] { row.shape }

    /// The kind of its rows.
    var row: any ConsoleRow.Type {
        switch self {
        case .help: HelpRow.self
        case .pools: PoolRow.self
        case .clients, .servers, .sockets: ConnectionRow.self
        case .stats: StatsRow.self
        case .statsTotals: StatsTotalsRow.self
        case .statsAverages: StatsAveragesRow.self
        case .totals: TotalsRow.self
        case .lists: ListRow.self
        case .databases: DatabaseRow.self
        case .users: UserRow.self
        case .config: ConfigRow.self
        case .version: VersionRow.self
        case .memory: MemoryRow.self
        case .hosts: HostRow.self
        case .peers: PeerRow.self
        case .replicas: ReplicaRow.self
        case .lag: LagRow.self
        case .lagHistory: LagHistoryRow.self
        case .cache: FigureRow.self
        case .shapes: ShapeRow.self
        case .pins: PinRow.self
        case .routes: RouteRow.self
        }
    }

    /// The meanings of its columns, for docs/operating.md.
    var meanings: [(column: ConsoleColumn, meaning: String)] { row.meanings }

    /// Whether every connection is to be looked at for it.
    public var needsConnections: Bool {
        switch self {
        case .pools, .clients, .servers, .sockets, .stats, .statsTotals, .statsAverages, .totals, .lists, .databases,
            .users, .hosts, .pins:
            true
        default: false
        }
    }

    var summary: String {
        switch self {
        case .help: "this list"
        case .pools: "connections by database and user"
        case .clients: "every client's connection"
        case .servers: "every connection to a server"
        case .sockets: "clients and servers"
        case .stats: "traffic by database, in total and on average"
        case .statsTotals: "traffic by database, in total"
        case .statsAverages: "traffic by database, on average"
        case .totals: "traffic of all databases"
        case .lists: "how many there are of each"
        case .databases: "databases that are configured or in use"
        case .users: "roles that are connected"
        case .config: "settings in force"
        case .version: "Walden's version"
        case .memory: "memory held"
        case .hosts: "host names and their addresses"
        case .peers: "other Waldens, to which cancel requests are passed on"
        case .replicas: "the cluster's nodes as they were seen last"
        case .lag: "how far replicas and cache are behind the primary"
        case .lagHistory: "the same over the last ten minutes"
        case .cache: "figures of the result cache"
        case .shapes: "statements that the cache has saved most by"
        case .pins: "which client is bound to which server, and by what"
        case .routes: "where reads were answered, and why there"
        }
    }
}

extension ConsoleRow {
    static var meanings: [(column: ConsoleColumn, meaning: String)] {
        columns.map { (ConsoleColumn($0.name, $0.type), $0.meaning) }
    }
}

extension ConsoleView {
    /// The answer to `SHOW`.
    ///
    /// - Parameter connections: Nothing where `needsConnections` is false.
    public func table(from source: some ConsoleSource, _ connections: ConnectionSnapshot) -> ConsoleTable {
        let omitted = connections.omitted
        switch self {
        case .help: return ConsoleTable(HelpRow.all)
        case .pools: return ConsoleTable(PoolRow.pools(of: connections), omitted: omitted)
        case .clients: return ConsoleTable(connections.clients, omitted: omitted)
        case .servers: return ConsoleTable(connections.servers, omitted: omitted)
        case .sockets: return ConsoleTable(connections.clients + connections.servers, omitted: omitted)
        case .stats, .statsTotals, .statsAverages, .totals: return traffic(connections.traffic, source.averages)
        case .lists: return ConsoleTable(ListRow.lists(of: connections, source), omitted: omitted)
        case .databases: return ConsoleTable(DatabaseRow.databases(source.databases, connections), omitted: omitted)
        case .users: return ConsoleTable(UserRow.users(of: connections), omitted: omitted)
        case .config: return ConsoleTable(source.config)
        case .version: return ConsoleTable([VersionRow(version: "Walden \(source.version)")])
        case .memory: return ConsoleTable(source.memory)
        case .hosts: return ConsoleTable(HostRow.hosts(source.replicas, connections))
        case .peers: return ConsoleTable(source.peers)
        case .replicas: return ConsoleTable(source.replicas)
        case .lag: return ConsoleTable(source.lag)
        case .lagHistory: return ConsoleTable(source.lagHistory)
        case .cache: return ConsoleTable(source.cache)
        case .shapes: return ConsoleTable(source.shapes)
        case .pins: return ConsoleTable(PinRow.pins(of: connections), omitted: omitted)
        case .routes: return ConsoleTable(source.routes)
        }
    }

    private func traffic(_ traffic: [DatabaseTraffic], _ averages: TrafficAverages) -> ConsoleTable {
        switch self {
        case .statsTotals: ConsoleTable(traffic.map(StatsTotalsRow.init))
        case .statsAverages:
            ConsoleTable(
                traffic.map {
                    StatsAveragesRow(database: $0.database, average: averages.average(of: $0.database))
                })
        case .totals: ConsoleTable(TotalsRow.rows(DatabaseTraffic.sum(traffic), averages.total))
        default:
            ConsoleTable(traffic.map { StatsRow(total: $0, average: averages.average(of: $0.database)) })
        }
    }
}

extension ListRow {
    /// Under PgBouncer's names. What Walden has none of is not there.
    fileprivate static func lists(of connections: ConnectionSnapshot, _ source: some ConsoleSource) -> [ListRow] {
        let servers = Dictionary(grouping: connections.servers, by: \.state).mapValues(\.count)
        let clients = connections.clients.count + connections.omitted
        return [
            ListRow(list: "databases", items: DatabaseRow.databases(source.databases, connections).count),
            ListRow(list: "users", items: UserRow.users(of: connections).count),
            ListRow(list: "pools", items: PoolRow.pools(of: connections).count),
            ListRow(list: "free_clients", items: max(0, source.clientLimit - clients)),
            ListRow(list: "used_clients", items: clients),
            ListRow(list: "login_clients", items: connections.clients.count { $0.state == .login }),
            ListRow(list: "free_servers", items: (servers[.idle] ?? 0) + (servers[.used] ?? 0)),
            ListRow(list: "used_servers", items: (servers[.active] ?? 0) + (servers[.tested] ?? 0)),
        ]
    }
}

extension DatabaseRow {
    /// Those configured with the connections they have, and those that are in use besides, which go to the same server.
    fileprivate static func databases(
        _ configured: [DatabaseRow], _ connections: ConnectionSnapshot
    ) -> [DatabaseRow] {
        var counts: [String: Int] = [:]
        for server in connections.servers { counts[server.database, default: 0] += 1 }
        var rows = configured
        let used = Set(connections.namedClients.map(\.database) + counts.keys).union(connections.paused)
            .subtracting(configured.map(\.name))
        if let first = configured.first {
            rows += used.sorted().map { name in
                var row = first
                row.name = name
                row.database = name
                row.isCached = false
                return row
            }
        }
        for index in rows.indices {
            rows[index].connections = counts[rows[index].database] ?? 0
            rows[index].isPaused = connections.paused.contains(rows[index].database)
        }
        return rows
    }
}

extension HostRow {
    /// The names among the configured hosts: what is neither an address nor a path.
    fileprivate static func hosts(_ nodes: [ReplicaRow], _ connections: ConnectionSnapshot) -> [HostRow] {
        let named = nodes.filter { node in
            !node.host.hasPrefix("/") && !node.host.contains(":") && node.host.contains { !"0123456789.".contains($0) }
        }
        return Dictionary(grouping: named, by: \.host).sorted { $0.key < $1.key }.map { host, nodes in
            let names = Set(nodes.map(\.name))
            let addresses = connections.servers.filter { names.contains($0.node) }.map(\.address)
            return HostRow(host: host, addresses: Set(addresses).sorted())
        }
    }
}
