import Glibc
import Logging
import Synchronization
import Testing
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel
import WaldenTestKit

/// A primary with two standbys, their sentinel, and a writer whose connections the test's own proxy decides about.
final class SentinelScene: Sendable {
    struct Options: Sendable {
        /// `synchronous_standby_names` of the primary.
        var rule = "ANY 1 (standby1, standby2)"
        var settings: [String: String] = [:]
        var logVolume: Volume.Kind?
        /// Each server on a host of its own, with a network that can be cut.
        var hasNetwork = false
        /// What differs from the sentinel's defaults.
        var configure: @Sendable (inout SentinelConfiguration) -> Void = { _ in }
    }

    static let names = ["primary", "standby1", "standby2"]

    let cluster: Cluster
    let proxy = WriterProxy(primary: .configuredPrimary)
    let writes = WriteLedger()
    /// Only where `Options.hasNetwork`.
    let network: NetworkLab?
    private let writer: BackgroundThread<Void>
    private let options: Options

    init(_ options: Options = Options()) throws {
        self.options = options
        network = options.hasNetwork ? try NetworkLab(hosts: Self.names) : nil
        var configuration = Cluster.Configuration(settings: options.settings)
        configuration.network = network
        configuration.logVolume = options.logVolume
        cluster = try Cluster.start(configuration)
        let client = try cluster.primary.connect()
        try client.query(Files.text("\(Self.tree)/sql/sentinel.sql"))
        try client.query("CREATE TABLE writes (id bigint NOT NULL)")
        try cluster.addStandby("standby1")
        try cluster.addStandby("standby2")
        try client.query("ALTER SYSTEM SET synchronous_standby_names = '\(options.rule)'")
        try client.query("SELECT pg_reload_conf()")
        try eventually("the rule is in force") {
            try client.query("SELECT FROM pg_stat_replication WHERE sync_state <> 'async'").rows.count > 0
        }
        let (servers, proxy, writes) = ([cluster.primary] + cluster.standbys, proxy, writes)
        writer = try BackgroundThread {
            var writer = Writer(servers, proxy, writes)
            writer.run()
        }
    }

    func end() {
        proxy.end()
        cluster.end()
    }

    static let tree = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    var servers: [PostgresServer] { [cluster.primary] + cluster.standbys }

    func node(of server: PostgresServer) -> NodeID { NodeID(servers.firstIndex { $0.name == server.name } ?? -1) }

    // MARK: The sentinel

    var journalPath: String { "\(cluster.scratch.path)/sentinel/journal" }

    func makeSentinel(_ change: (inout SentinelConfiguration) -> Void = { _ in }) throws -> Sentinel {
        let nodes = try zip(Self.names, servers).enumerated().map { index, pair in
            SentinelConfiguration.Node(
                id: NodeID(index), name: pair.0, dsn: try DSN(pair.1.dsn(user: "walden_sentinel")),
                upstream: pair.1.dsn(database: "replication"))
        }
        var configuration = SentinelConfiguration(nodes: nodes, directory: "\(cluster.scratch.path)/sentinel")
        configuration.timings.cooldown = .seconds(1)
        options.configure(&configuration)
        change(&configuration)
        var logger = Logger(label: "sentinel")
        logger.logLevel = getenv("WALDEN_SENTINEL_LOG") == nil ? .error : .info
        return try Sentinel.make(configuration, logger: logger)
    }

    /// Started, and content with what it sees: a commit has been acknowledged by the rule that was found.
    func startSentinel() throws -> Sentinel {
        let sentinel = try makeSentinel()
        try sentinel.start(proxy)
        try awaitState(.steady)
        try eventually("nothing older than the rule counts") { try record()["rules"]["outgoing"].array.isEmpty }
        return sentinel
    }

    func awaitState(_ state: FailoverState) throws {
        try eventually("the sentinel is in \(state.rawValue)", timeout: .seconds(40)) { proxy.notes.last?.to == state }
    }

    /// From `mark` on, which is a number of findings.
    func awaitFinding(_ finding: WaldenFailover.Finding, since mark: Int = 0) throws {
        try eventually("the primary is found \(finding.rawValue)", timeout: .seconds(30)) {
            proxy.findings.dropFirst(mark).contains(finding)
        }
    }

    /// The note that leads to that state, from `mark` on, which is a number of notes.
    func awaitNote(to state: FailoverState, since mark: Int = 0) throws -> FailoverNote {
        try awaitValue("the sentinel comes to \(state.rawValue)", timeout: .seconds(40)) {
            proxy.notes.dropFirst(mark).first { $0.to == state }
        }
    }

    /// The newest in the sentinel's journal that is whole: it may be writing the next one.
    func record() throws -> JSONValue {
        let text = try Files.text(journalPath)
        let lines = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n")
        let newest = lines.last.map(String.init) ?? "{}"
        return try JSONValue(parsing: newest)["record"]
    }

    /// Whom the sentinel chose, by its journal.
    func candidate() throws -> PostgresServer? {
        try record()["incident"]["candidate"].int.map { servers[$0] }
    }

    /// Sets `synchronous_standby_names` on a server that may be cut off.
    func setRule(_ rule: String, on server: PostgresServer) throws {
        let client = try SQLClient(server.socketDSN())
        try client.query("ALTER SYSTEM SET synchronous_standby_names = '\(rule)'")
        try client.query("SELECT pg_reload_conf()")
    }

    // MARK: What clients see

    /// Some more writes are acknowledged.
    func writeSome(_ count: Int = 200) throws {
        let before = writes.count
        try eventually("\(count) more writes are acknowledged", timeout: .seconds(60)) {
            writes.count >= before + count
        }
    }

    /// On a server that is up, or will be: how often the write past the proxy is there.
    func countPastTheProxy(on server: PostgresServer) throws -> String? {
        try server.connect().scalar("SELECT count(*) FROM writes WHERE id = 0")
    }

    /// The node that clients are let to in the place of `old`.
    func awaitFailover(from old: NodeID = .configuredPrimary) throws -> PostgresServer {
        let node = try awaitValue("another node is opened", timeout: .seconds(60)) { () -> NodeID? in
            let (primary, isHeld) = proxy.serving
            return primary != old && !isHeld ? primary : nil
        }
        return servers[node.index]
    }

    func awaitFollower(of promoted: PostgresServer) throws {
        let other = cluster.standbys.first { $0.name != promoted.name }
        let client = try promoted.connect()
        try eventually("the other standby follows the new primary") {
            try client.scalar("SELECT string_agg(application_name, ',') FROM pg_stat_replication") == other?.name
        }
        #expect(try client.scalar("SELECT pg_is_in_recovery()") == "f")
        let rule = try client.scalar("SHOW synchronous_standby_names") ?? ""
        #expect(rule.hasPrefix("ANY 1 (\"primary\", \"standby"), "\(rule)")
    }

    /// A client past the proxy. Over the socket, since the network may be cut.
    func connectPastTheProxy(to server: PostgresServer) throws -> SQLClient {
        let client = try SQLClient(server.socketDSN())
        try client.query("SET application_name = 'past the proxy'")
        return client
    }

    static let writePastTheProxy = "INSERT INTO writes VALUES (0)"

    /// The server runs, has written `writePastTheProxy`, and waits for a quorum that it has no more.
    func expectWaitsInVain(_ client: SQLClient, at server: PostgresServer) throws {
        let witness = try SQLClient(server.socketDSN())
        try eventually("the old primary waits for a quorum in vain") {
            let waits =
                "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'past the proxy'"
            return try witness.query(waits).rows.count == 1
        }
        #expect(client.isBusy, "the old primary acknowledged a commit after the promotion")
    }

    // MARK: Judging

    /// Ends the writer, compares its ledger with the table, and prints the row's figures.
    ///
    /// - Returns: The longest time between two acknowledgements.
    @discardableResult
    func judge(_ row: String, on primary: PostgresServer, errors allowed: Int = .max) throws -> Duration {
        proxy.end()
        try writer.join()
        let audit = try WriteAudit(
            acknowledged: Array(writes.acknowledged), on: SQLClient(primary.socketDSN()), where: "id > 0")
        #expect(audit.lost.isEmpty, "acknowledged and lost: \(audit.lost)")
        #expect(audit.twice.isEmpty, "executed twice: \(audit.twice)")
        #expect(writes.acknowledged.count > 300)
        let errors = writes.errors
        #expect(errors.count <= allowed, "\(errors)")
        let outage = writes.longestGap
        print(
            "failover row: \(row): outage=\(outage.inSeconds) s acknowledged=\(writes.count) lost=\(audit.lost.count) "
                + "twice=\(audit.twice.count) errors=\(errors.count)")
        return outage
    }

    func expectNoFailover() {
        let begun = proxy.notes.filter { $0.to == .hold }
        #expect(begun.isEmpty, "\(begun)")
    }
}

/// Which rows run: the quick ones with all tests, every one by `make failover-rows`.
enum FailoverRows {
    static let all = getenv("WALDEN_FAILOVER_ROWS").map { String(cString: $0) } == "all"

    /// `quick` of them in `make test`.
    static func of<Row>(_ rows: [Row], quick: Int) -> [Row] { all ? rows : Array(rows.prefix(quick)) }
}
