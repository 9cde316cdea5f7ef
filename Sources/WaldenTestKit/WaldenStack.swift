import Glibc

/// What most integration tests need: a cluster, Walden's objects installed in its database `postgres`, and a running
/// Walden before it.
public final class WaldenStack: Sendable {
    public struct Configuration: Sendable {
        public var cluster = Cluster.Configuration()
        /// Run on the primary before Walden starts.
        public var schema = ""
        public var flags: [String] = []
        public var environment: [String: String] = [:]
        public var file: String?
        /// Whether Walden is told of the cluster's standbys.
        public var usesStandbys = false

        public init(schema: String = "") {
            self.schema = schema
        }
    }

    public let cluster: Cluster
    public let walden: WaldenProcess

    public static func start(_ configuration: Configuration = Configuration()) throws -> WaldenStack {
        let cluster = try Cluster.start(configuration.cluster)
        if !configuration.schema.isEmpty { try cluster.primary.connect().query(configuration.schema) }
        try install(on: cluster.primary)
        let walden = try startWalden(configuration, before: cluster)
        let stack = WaldenStack(cluster: cluster, walden: walden)
        try stack.waitUntilCaching()
        return stack
    }

    public init(cluster: Cluster, walden: WaldenProcess) {
        self.cluster = cluster
        self.walden = walden
    }

    /// Runs `walden init` on the server's database `postgres`.
    public static func install(on server: PostgresServer) throws {
        let result = try WaldenProcess.run(["init", server.dsn()])
        guard result.status.isSuccess else { throw TestKitError("walden init: \(result.status)\n\(result.transcript)") }
    }

    public static func startWalden(
        _ configuration: Configuration, before cluster: Cluster
    ) throws -> WaldenProcess {
        var run = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        if configuration.usesStandbys { run.replicas = cluster.standbys.map { $0.dsn() } }
        run.flags = configuration.flags
        run.environment = configuration.environment
        run.file = configuration.file
        return try WaldenProcess.start(run)
    }

    // MARK: Clients

    /// A client past Walden, straight to the primary.
    public func direct(user: String = "postgres") throws -> SQLClient {
        try cluster.primary.connect(user: user)
    }

    public func proxied(user: String = "postgres") throws -> SQLClient {
        try walden.connect(user: user)
    }

    public func directProtocol(_ more: [(String, String)] = []) throws -> ProtocolClient {
        try ProtocolClient(port: cluster.primary.port, more)
    }

    public func proxiedProtocol(_ more: [(String, String)] = []) throws -> ProtocolClient {
        try ProtocolClient(port: walden.port, more)
    }

    // MARK: Looking

    public func figures() throws -> WaldenFigures {
        try walden.figures()
    }

    /// How many of the reads that `body` does were answered from memory. Only where nobody else reads meanwhile.
    public func hits(during body: () throws -> Void) throws -> Int {
        let before = try figures().hits
        try body()
        return try figures().hits - before
    }

    public func waitUntilCaching(timeout: Duration = .seconds(30)) throws {
        do {
            try eventually("walden caches", timeout: timeout) { try figures().isCaching }
        } catch {
            throw TestKitError("\(error)\n\(try walden.get("/v1/status").body)\n\(walden.log.suffix(3000))")
        }
    }

    /// Waits until all that the primary has written by now has been applied to the cache.
    public func waitUntilApplied(timeout: Duration = .seconds(20)) throws {
        let client = try direct()
        let position = try client.scalar("SELECT pg_current_wal_insert_lsn()") ?? ""
        try eventually("the stream reaches \(position)", timeout: timeout) {
            try client.scalar("SELECT '\(figures().watermark)'::pg_lsn >= '\(position)'") == "t"
        }
    }

    /// Repeats a read until a run of it was answered from memory, and gives what that run returned.
    @discardableResult
    public func warm<Value>(_ read: () throws -> Value) throws -> Value {
        try awaitValue("a read is answered from memory") {
            let before = try figures().hits
            let value = try read()
            return try figures().hits > before ? value : nil
        }
    }

    /// Repeats a simple query until a run of it was answered from memory; its rows as text.
    @discardableResult
    public func warm(_ client: SQLClient, _ sql: String) throws -> [[String?]] {
        try warm { try client.query(sql).texts }
    }
}
