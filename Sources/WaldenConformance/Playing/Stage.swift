import WaldenTestKit

/// A PostgreSQL cluster with the scripts' tables, and Waldens before it, one for each mode.
final class Stage {
    let cluster: Cluster
    /// A session on the primary itself.
    let admin: SQLClient
    private var waldens: [String: WaldenProcess] = [:]

    init(schema: String) throws {
        // Plans, and the order of rows, are those of the last script but for autovacuum.
        cluster = try Cluster.start(.init(settings: ["autovacuum": "off"]))
        admin = try cluster.primary.connect()
        try admin.query(schema)
        try WaldenStack.install(on: cluster.primary)
    }

    /// The Walden of this mode, started when it is first asked for.
    func walden(_ mode: Mode) throws -> WaldenProcess {
        if let running = waldens[mode.name] { return running }
        var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        if !mode.file.isEmpty { configuration.file = mode.file }
        let walden = try WaldenProcess.start(configuration)
        try walden.waitUntilReady()
        if mode.hasCache { try WaldenStack(cluster: cluster, walden: walden).waitUntilCaching() }
        waldens[mode.name] = walden
        return walden
    }

    func end() {
        for walden in waldens.values { _ = try? walden.terminate() }
        waldens = [:]
        cluster.end()
    }
}
