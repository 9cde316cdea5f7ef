import CBenchmark
import WaldenTestKit

/// Something that answers PostgreSQL clients.
final class System {
    let name: String
    let port: Int
    /// The root of its process tree.
    let pid: Int32
    /// The root of PostgreSQL's, when that stands behind it.
    let server: Int32?
    /// The first of the keys that nobody has asked it for yet.
    var freshKey = 1
    /// Ends the processes when it goes.
    private let process: ChildProcess?
    /// Present for Walden.
    let walden: WaldenProcess?

    init(_ name: String, port: Int, started: Workbench.Started, server: Int32?) throws {
        self.name = name
        self.port = port
        pid = started.process.pid
        self.server = server
        process = started.process
        walden = nil
        do {
            try waitUntilItAnswers()
        } catch {
            let log = try ProcessRunner.run(["tail", "-n", "20", started.log]).output
            throw TestKitError("\(error)\n\(log)")
        }
    }

    init(_ name: String, walden: WaldenProcess, server: Int32) throws {
        self.name = name
        port = walden.port
        pid = walden.pid
        self.server = server
        process = nil
        self.walden = walden
        try waitUntilItAnswers()
    }

    /// PostgreSQL itself.
    init(_ bench: Workbench) throws {
        name = "postgresql"
        port = bench.cluster.primary.port
        pid = try bench.postmaster()
        server = nil
        process = nil
        walden = nil
    }

    /// Whose processor time to take.
    var watched: [(name: String, pid: Int32)] {
        [("own", pid)] + (server.map { [("server", $0)] } ?? [])
    }

    var processorTime: UInt64 { bench_processor_time(pid) }

    private func waitUntilItAnswers() throws {
        try eventually("\(name) answers", timeout: .seconds(20)) {
            let client = try SQLClient("host=127.0.0.1 port=\(port) dbname=postgres user=postgres")
            return try client.query("SELECT 1").rows.count == 1
        }
    }
}
