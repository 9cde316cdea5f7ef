/// A primary with two standbys of which one must confirm each commit, and a Walden before them that replaces the primary
/// when it fails.
public final class FailoverStack: Sendable {
    public struct Configuration: Sendable {
        /// Run on the primary before Walden starts.
        public var schema = ""
        /// `failover.mode`.
        public var mode = "automatic"
        /// Further lines of the file's part `failover`, without indentation.
        public var failover: [String] = []
        /// Further lines of the file.
        public var settings = ["auth:", "  method: trust"]
        /// Whether an agent runs beside each server.
        public var hasAgents = false
        /// Where each server has a host of its own, named as in `FailoverStack.names`; nil: all are on loopback.
        public var network: NetworkLab?

        public init(schema: String = "") {
            self.schema = schema
        }
    }

    public let cluster: Cluster
    public let walden: WaldenProcess
    private let configuration: Configuration
    private let agents: [ChildProcess]

    public var servers: [PostgresServer] { [cluster.primary] + cluster.standbys }
    public static let names = ["primary", "standby1", "standby2"]

    public static func start(_ configuration: Configuration = Configuration()) throws -> FailoverStack {
        var servers = Cluster.Configuration()
        servers.network = configuration.network
        let cluster = try Cluster.start(servers)
        do {
            try prepare(cluster, configuration)
            let agents = configuration.hasAgents ? try startAgents(cluster) : []
            let walden = try startWalden(configuration, before: cluster)
            let stack = FailoverStack(cluster, walden, agents, configuration)
            try stack.awaitReadiness()
            try stack.awaitProof()
            return stack
        } catch {
            cluster.end()
            throw error
        }
    }

    private init(
        _ cluster: Cluster, _ walden: WaldenProcess, _ agents: [ChildProcess], _ configuration: Configuration
    ) {
        self.cluster = cluster
        self.walden = walden
        self.agents = agents
        self.configuration = configuration
    }

    private static func prepare(_ cluster: Cluster, _ configuration: Configuration) throws {
        let client = try cluster.primary.connect()
        try client.query(Files.text("\(tree)/sql/sentinel.sql"))
        if !configuration.schema.isEmpty { try client.query(configuration.schema) }
        for name in names.dropFirst() { try cluster.addStandby(name) }
        try client.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1, standby2)'")
        try client.query("SELECT pg_reload_conf()")
        try eventually("commits wait for a quorum") {
            try client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'quorum'").rows.count == 2
        }
        try WaldenStack.install(on: cluster.primary)
    }

    private static let tree = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    private static func startWalden(
        _ configuration: Configuration, before cluster: Cluster
    ) throws -> WaldenProcess {
        let servers = [cluster.primary] + cluster.standbys
        let lines =
            configuration.settings + ["failover:", "  mode: \(configuration.mode)"]
            + ["  directory: \(cluster.scratch.path)/sentinel", "  names: [\(names.joined(separator: ", "))]"]
            + ["  servers:"] + servers.map { "    - \"\($0.dsn(user: "walden_sentinel"))\"" }
            + ["  upstreams:"] + servers.map { "    - \"\($0.dsn())\"" }
            + (configuration.hasAgents
                ? ["  agents:"] + servers.map { "    - unix:\(agentDirectory(of: $0, cluster))/socket" } : [])
            + configuration.failover.map { "  \($0)" }
        var run = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        run.replicas = cluster.standbys.map { $0.dsn() }
        run.file = lines.joined(separator: "\n") + "\n"
        return try WaldenProcess.start(run)
    }

    private static func agentDirectory(of server: PostgresServer, _ cluster: Cluster) -> String {
        "\(cluster.scratch.path)/agent-\(server.name)"
    }

    /// From now on the servers are started by others than the test as well.
    private static func startAgents(_ cluster: Cluster) throws -> [ChildProcess] {
        let binaries = try PostgresInstallation.current.get().binaries
        return try ([cluster.primary] + cluster.standbys).map { server in
            try server.configure(["port": "\(server.port)", "unix_socket_directories": server.socketDirectory])
            let directory = try cluster.scratch.directory("agent-\(server.name)", isPrivate: true)
            var command = Command(
                [
                    WaldenProcess.program, "agent", "--data-directory", server.dataDirectory, "--state-directory",
                    "\(directory)/state", "--bin-directory", binaries, "--socket", "\(directory)/socket",
                ], in: cluster.scratch.path)
            command.asServerUser = true
            command.output = "\(directory)/log"
            return try ChildProcess(command)
        }
    }

    /// Another Walden with the same configuration and directory; the first one must have ended.
    public func restarted() throws -> FailoverStack {
        FailoverStack(cluster, try Self.startWalden(configuration, before: cluster), agents, configuration)
    }

    /// Runs a command of `walden` that speaks to the sentinel.
    public func order(_ arguments: [String]) throws -> ProcessOutput {
        try WaldenProcess.run(arguments + ["--directory", "\(cluster.scratch.path)/sentinel"])
    }

    /// Until so many members of the quorum stream from whoever is the primary.
    public func awaitStandbys(_ count: Int) throws {
        try eventually("\(count) standbys follow the primary", timeout: .seconds(60)) {
            let streaming = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
            return try walden.connect().scalar(streaming) == "\(count)"
        }
    }

    /// Until clients are served and results are kept.
    public func awaitReadiness() throws {
        try eventually("Walden serves and caches", timeout: .seconds(40)) {
            try walden.connect().query("SELECT 1")
            return try walden.figures().isCaching
        }
    }

    /// Until the standbys were seen to hold what was acknowledged before the rule was found: only then a failover is proven.
    private func awaitProof() throws {
        try eventually("the rule for commits is proven") {
            try walden.status()["failover"]["blocked_by"].string != "unproven"
        }
    }

    /// Ends Walden and the cluster.
    public func end() {
        walden.scratch.end()
        cluster.end()
    }
}
