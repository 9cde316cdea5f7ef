import Testing
import WaldenCore
import WaldenWire

@testable import WaldenConsole

/// Every view's columns with their types, and how views are made of rows.
@Suite struct ViewTests {
    private struct Source: ConsoleSource {
        var version: String { "9.9" }
        var databases: [DatabaseRow] {
            var row = DatabaseRow()
            row.name = "shop"
            row.database = "shop"
            row.host = "db.example"
            row.port = 5432
            row.isCached = true
            return [row]
        }
        var clientLimit: Int { 10 }
        var averages = TrafficAverages()
        var config: [ConfigRow] { [ConfigRow()] }
        var memory: [MemoryRow] { [MemoryRow()] }
        var replicas: [ReplicaRow] {
            ["db.example", "10.0.0.1", "/run/postgresql", "::1"].enumerated().map { index, host in
                var row = ReplicaRow()
                row.name = index == 0 ? "primary" : "replica\(index)"
                row.host = host
                return row
            }
        }
        var lag: [LagRow] { [LagRow(name: "cache", bytes: 1, seconds: 0.5)] }
        var lagHistory: [LagHistoryRow] { lag.map { LagHistoryRow(at: WallTime(microseconds: 0), lag: $0) } }
        var cache: [FigureRow] { [FigureRow(name: "hits", value: "1")] }
        var shapes: [ShapeRow] { [ShapeRow()] }
        var peers: [PeerRow] { [PeerRow()] }
        var routes: [RouteRow] { [RouteRow(target: "cache", reason: "hit", count: 1)] }
    }

    private static func connection(
        _ kind: ConnectionRow.Kind, _ id: UInt64, _ state: ConnectionRow.State, user: String = "ann",
        database: String = "shop"
    ) -> ConnectionRow {
        var row = ConnectionRow()
        row.kind = kind
        row.id = id
        row.state = state
        row.user = user
        row.database = database
        row.poolMode = "session"
        return row
    }

    private static var connections: ConnectionSnapshot {
        var snapshot = ConnectionSnapshot()
        var bound = connection(.client, 1, .active)
        bound.link = 1
        bound.pins = ["login", "LISTEN"]
        var waiting = connection(.client, 2, .waiting)
        waiting.waitMicroseconds = 2_000_003
        snapshot.clients = [
            bound, waiting, connection(.client, 3, .active, user: "bob", database: "other"),
            connection(.client, 4, .login, user: "", database: ""),
        ]
        var server = connection(.server, 1, .active)
        server.node = "primary"
        server.address = "192.0.2.1"
        snapshot.servers = [server]
        var traffic = DatabaseTraffic(database: "shop")
        traffic.queries = 7
        snapshot.traffic = [traffic]
        return snapshot
    }

    private static func rows(_ view: ConsoleView) -> [String] {
        view.table(from: Source(), connections).rows.map { row in
            row.map { $0.text ?? "null" }.joined(separator: "|")
        }
    }

    private static func shape(_ view: ConsoleView) -> String {
        view.columns.map { "\($0.name) \($0.type.name)" }.joined(separator: ", ")
    }

    private static let connectionColumns =
        "type text, user text, database text, state text, addr text, port int4, local_addr text, local_port int4, "
        + "connect_time text, request_time text, wait int4, wait_us int4, close_needed int4, ptr text, link text, "
        + "remote_pid int4, tls text, application_name text, id int8, node text"
    private static let statsColumns =
        "database text, xact_count numeric, query_count numeric, bytes_received numeric, bytes_sent numeric, "
        + "xact_time numeric, query_time numeric, wait_time numeric"

    private static let shapes: [ConsoleView: String] = [
        .help: "command text, meaning text",
        .pools: "database text, user text, cl_active int4, cl_waiting int4, sv_active int4, sv_idle int4, "
            + "sv_used int4, sv_tested int4, sv_login int4, maxwait int4, maxwait_us int4, pool_mode text",
        .clients: connectionColumns,
        .servers: connectionColumns,
        .sockets: connectionColumns,
        .stats: "database text, total_xact_count numeric, total_query_count numeric, total_received numeric, "
            + "total_sent numeric, total_xact_time numeric, total_query_time numeric, total_wait_time numeric, "
            + "avg_xact_count numeric, avg_query_count numeric, avg_recv numeric, avg_sent numeric, "
            + "avg_xact_time numeric, avg_query_time numeric, avg_wait_time numeric",
        .statsTotals: statsColumns,
        .statsAverages: statsColumns,
        .totals: "name text, value numeric",
        .lists: "list text, items int4",
        .databases: "name text, host text, port int4, database text, force_user text, pool_size int4, "
            + "min_pool_size int4, pool_mode text, max_connections int4, current_connections int4, paused int4, "
            + "disabled int4, cached bool",
        .users: "name text, pool_mode text",
        .config: "key text, value text, default text, changeable text",
        .version: "version text",
        .memory: "name text, size int8, used int8, free int8, memtotal int8",
        .hosts: "hostname text, ttl int8, addrs text",
        .peers: "peer_id int4, host text, port int4, pool_size int4",
        .replicas: "name text, host text, port int4, role text, reachable bool, received_lsn text, "
            + "replayed_lsn text, lag_bytes int8, lag_seconds float8, timeline int8, problem text",
        .lag: "name text, lag_bytes int8, lag_seconds float8",
        .lagHistory: "time timestamptz, name text, lag_bytes int8, lag_seconds float8",
        .cache: "name text, label text, value text",
        .shapes: "shape text, hits int8, misses int8, fills_begun int8, fills_kept int8, fills_tainted int8, "
            + "fills_declined int8, invalidations int8, execution_seconds float8, result_bytes float8, "
            + "saved_seconds float8, benefit float8, standing text, text text",
        .pins: "client_id int8, user text, database text, application_name text, pin text, server_id int8, "
            + "server_pid int4, node text",
        .routes: "target text, reason text, count int8",
    ]

    @Test(arguments: ConsoleView.allCases)
    func hasItsColumns(view: ConsoleView) {
        #expect(Self.shape(view) == Self.shapes[view])
        #expect(view.table(from: Source(), Self.connections).columns == view.columns)
    }

    /// A value of another type than its column's would be read as something else in binary.
    @Test(arguments: ConsoleView.allCases)
    func valuesHaveTheirColumnsTypes(view: ConsoleView) {
        for row in view.table(from: Source(), Self.connections).rows {
            #expect(row.count == view.columns.count)
            for (value, column) in zip(row, view.columns) {
                if let size = value.encoded(.binary)?.count, column.type.size > 0 {
                    #expect(size == Int(column.type.size), "\(column.name)")
                }
                switch (value, column.type) {
                case (.null, _), (.text, .text), (.bool, .bool), (.int4, .int4), (.int8, .int8), (.float8, .float8),
                    (.numeric, .numeric), (.timestamptz, .timestamptz):
                    break
                default: Issue.record("\(column.name): \(value) is no \(column.type)")
                }
            }
        }
    }

    @Test func poolsAreMadeOfConnections() {
        #expect(Self.rows(.pools) == ["other|bob|1|0|0|0|0|0|0|0|0|session", "shop|ann|1|1|1|0|0|0|0|2|3|session"])
    }

    @Test func eachStateOfAServerIsCountedApart() {
        var snapshot = ConnectionSnapshot()
        let states: [ConnectionRow.State] = [.active, .active, .idle, .used, .used, .used, .tested, .login]
        snapshot.servers = states.enumerated().map { Self.connection(.server, UInt64($0), $1) }
        snapshot.paused = ["shop", "unused"]
        let pool = ConsoleView.pools.table(from: Source(), snapshot).rows.map { $0.map { $0.text ?? "null" } }
        #expect(pool.map { $0.joined(separator: "|") } == ["shop|ann|0|0|2|1|3|1|1|0|0|session"])
        let databases = ConsoleView.databases.table(from: Source(), snapshot).rows.map { $0.map { $0.text ?? "null" } }
        #expect(databases.map { [$0[0], $0[9], $0[10]] } == [["shop", "8", "1"], ["unused", "0", "1"]])
    }

    @Test func eachThingThatBindsHasARow() {
        #expect(Self.rows(.pins) == ["1|ann|shop||login|1|0|primary", "1|ann|shop||LISTEN|1|0|primary"])
    }

    @Test func databasesInUseJoinTheConfiguredOnes() {
        #expect(
            Self.rows(.databases) == [
                "shop|db.example|5432|shop|null|0|0||0|1|0|0|t",
                "other|db.example|5432|other|null|0|0||0|0|0|0|f",
            ])
    }

    @Test func listsCount() {
        #expect(Self.rows(.lists).contains("free_clients|6"))
        #expect(Self.rows(.lists).contains("used_clients|4"))
        #expect(Self.rows(.lists).contains("login_clients|1"))
        #expect(Self.rows(.lists).contains("used_servers|1"))
    }

    @Test func hostsAreNamesOnly() {
        #expect(Self.rows(.hosts) == ["db.example|0|192.0.2.1"])
    }

    @Test func totalsSumAllDatabases() {
        #expect(Self.rows(.totals).contains("total_query_count|7"))
        #expect(Self.rows(.stats) == ["shop|0|7|0|0|0|0|0|0|0|0|0|0|0|0"])
    }

    @Test func averagesAreThoseOfTheLastPeriod() {
        var averages = TrafficAverages()
        var traffic = DatabaseTraffic(database: "shop")
        traffic.queries = 100
        averages.record([traffic], at: Instant(nanoseconds: 1))
        #expect(averages.average(of: "shop").queries == 0)
        traffic.queries = 700
        traffic.queryMicroseconds = 1_200
        averages.record([traffic], at: Instant(nanoseconds: 1) + .seconds(60))
        #expect(averages.average(of: "shop").queries == 10)
        #expect(averages.average(of: "shop").queryTime == 2)
        #expect(averages.average(of: "other").queries == 0)
        #expect(averages.total.queries == 10)
    }
}

/// Who gets in, and as what.
@Suite struct AccessTests {
    private let access = ConsoleAccess(database: "walden", admins: ["ann"], readers: ["bob", "ann"])

    @Test func ownersAreAdminsByAnyName() {
        #expect(access.entry(of: "nobody", from: .local(isOwner: true)) == .granted(.admin))
    }

    @Test(arguments: [ConsolePeer.network, .local(isOwner: false)])
    func namesOnTheListsMustProveThemselves(peer: ConsolePeer) {
        #expect(access.entry(of: "ann", from: peer) == .authenticate(.admin))
        #expect(access.entry(of: "bob", from: peer) == .authenticate(.stats))
        guard case .refused(let refusal) = access.entry(of: "eve", from: peer) else {
            Issue.record("eve was let in")
            return
        }
        #expect(refusal.sqlState.code == "28000")
        #expect(refusal.fatal.severity == .fatal)
    }

    @Test func onlyItsDatabaseIsTheConsole() {
        #expect(access.isConsole(StartupMessage(user: "ann", database: "walden")))
        #expect(access.isConsole(StartupMessage(user: "walden")))
        #expect(!access.isConsole(StartupMessage(user: "ann", database: "Walden")))
        #expect(!access.isConsole(StartupMessage(user: "ann")))
        var replication = StartupMessage(user: "ann", database: "walden")
        replication.parameters.append(.init(name: "replication", value: "database"))
        #expect(!access.isConsole(replication))
        #expect(!ConsoleAccess(database: "").isConsole(StartupMessage(user: "ann", database: "")))
    }
}
