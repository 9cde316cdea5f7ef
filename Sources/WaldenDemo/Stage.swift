import WaldenTestKit

/// The servers of the demo: a primary, two standbys, pgbench's tables, and Walden.
struct Stage: Sendable {
    static let scale = 10
    /// The accounts that the load of the throughput scene works on; the other scenes use others.
    static let loadRows = 2000
    static let maxStalenessMilliseconds = 1000
    static let maxStaleness = Duration.milliseconds(maxStalenessMilliseconds)

    let cluster: Cluster
    let walden: WaldenProcess

    /// Raises everything, saying how long each step took.
    static func raise(port: Int? = nil, adminPort: Int? = nil) throws -> Stage {
        let cluster = try timed {
            try Cluster.start(.init(settings: ["shared_buffers": "256MB"], standbys: 2))
        } report: {
            "primary :\($0.primary.port), standbys " + $0.standbys.map { ":\($0.port)" }.joined(separator: " ")
        }
        _ = try timed {
            try loadData(cluster.primary)
        } report: { _ in
            "pgbench, \(Show.number(Double(scale) * 100_000, places: 0)) accounts"
        }
        let walden = try timed {
            try startWalden(cluster, port, adminPort)
        } report: {
            "walden init, walden run on :\($0.port), admin :\($0.adminPort)"
        }
        return Stage(cluster: cluster, walden: walden)
    }

    func strike() {
        _ = try? walden.terminate(timeout: .seconds(10))
        cluster.end()
    }

    private static func loadData(_ primary: PostgresServer) throws {
        let pgbench = try PostgresInstallation.current.get().program("pgbench")
        let address = ["-h", "127.0.0.1", "-p", "\(primary.port)", "-U", "postgres"]
        try ProcessRunner.check(
            [pgbench] + address + ["-i", "-q", "-s", "\(scale)", "postgres"], timeout: .seconds(120))
        // The demo's clients write through other means than pgbench, which logs every transaction in a table.
        try primary.connect().query("VACUUM ANALYZE")
    }

    private static func startWalden(_ cluster: Cluster, _ port: Int?, _ adminPort: Int?) throws -> WaldenProcess {
        try WaldenStack.install(on: cluster.primary)
        var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        configuration.replicas = cluster.standbys.map { $0.dsn() }
        configuration.flags = ["--cache-max-staleness", "\(maxStalenessMilliseconds)ms"]
        configuration.port = port
        configuration.adminPort = adminPort
        let walden = try WaldenProcess.start(configuration)
        try walden.waitUntilReady()
        try WaldenStack(cluster: cluster, walden: walden).waitUntilCaching()
        return walden
    }

    private static func timed<Value>(_ work: () throws -> Value, report: (Value) -> String) throws -> Value {
        let started = ContinuousClock.now
        let value = try work()
        let seconds = (ContinuousClock.now - started).inSeconds
        Show.out("   \(Show.number(seconds, places: 1)) s  \(report(value))")
        return value
    }
}
