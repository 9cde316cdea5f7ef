import Glibc
import WaldenTestKit

/// Three servers under Patroni with one etcd, on loopback, with the tightest settings that Patroni accepts; docs/benchmarks.md
/// says which, and why. Clients name all three servers and ask libpq for the one that takes writes.
final class PatroniSubject: FailoverSubject {
    static let name = "patroni"

    private let scratch: Scratch
    private let store: ChildProcess
    private let nodes: [PatroniNode]

    static func obstacle(_ fault: FailoverCase) -> String? {
        if fault == .partition { return "its servers share one host here" }
        for program in ["patroni", "patronictl", "etcd"] {
            guard let result = try? ProcessRunner.run([program, program == "patronictl" ? "version" : "--version"]),
                result.status.isSuccess
            else { return "\(program) is not installed" }
        }
        return nil
    }

    static var version: String? {
        (try? ProcessRunner.run(["patroni", "--version"]))?.output.split(separator: "\n").first.map(String.init)
    }

    static func start(for fault: FailoverCase) throws -> PatroniSubject {
        try PatroniSubject()
    }

    private init() throws {
        let scratch = try Scratch()
        let storePort = try Ports.free()
        self.scratch = scratch
        store = try Self.startStore(in: scratch, port: storePort)
        nodes = try (1...3).map { try PatroniNode("node\($0)", in: scratch, storePort: storePort) }
        do {
            try form(storePort)
        } catch {
            throw TestKitError("\(error)\n\((try? story()) ?? "")")
        }
    }

    private func form(_ storePort: Int) throws {
        try eventually("etcd answers", timeout: .seconds(20)) {
            try HTTP.get("/health", port: storePort).status == 200
        }
        // The first one makes the cluster, the others copy it.
        try nodes[0].start()
        try eventually("Patroni has a primary", timeout: .seconds(90)) {
            try SQLClient(address.dsn).query("SELECT 1").rows.count == 1
        }
        for node in nodes.dropFirst() { try node.start() }
        let client = try SQLClient(address.dsn)
        try eventually("a standby confirms commits, and another one follows", timeout: .seconds(90)) {
            let states = try client.query("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'").texts
            return states.count == 2 && states.contains { $0[0] != "async" }
        }
        // Before it has written down who that is, it would promote nobody.
        try eventually("Patroni counts on the synchronous standby", timeout: .seconds(30)) {
            try HTTP.get("/cluster", port: nodes[0].apiPort).body.contains("sync_standby")
        }
        try client.query(FailoverLoad.schema)
    }

    private static func startStore(in scratch: Scratch, port: Int) throws -> ChildProcess {
        let peer = "http://127.0.0.1:\(try Ports.free())"
        let client = "http://127.0.0.1:\(port)"
        var command = Command(
            [
                "etcd", "--name", "store", "--data-dir", "\(try scratch.directory("etcd"))/data",
                "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", "store=\(peer)",
            ], in: scratch.path)
        command.asServerUser = true
        command.output = "\(scratch.path)/etcd/log"
        return try ChildProcess(command)
    }

    /// A client of a frozen server waits for ever: nothing tells it. So it has to give up by itself, as applications do.
    var address: FailoverLoad.Address {
        let hosts = nodes.map { _ in "127.0.0.1" }.joined(separator: ",")
        let ports = nodes.map { "\($0.port)" }.joined(separator: ",")
        return FailoverLoad.Address(
            dsn: "host=\(hosts) port=\(ports) dbname=postgres user=postgres target_session_attrs=read-write "
                + "connect_timeout=2", patience: .seconds(2))
    }

    /// The leader's key lives for 20 s.
    let patience = Duration.seconds(90)

    func inject(_ fault: FailoverCase) throws {
        let port = try SQLClient(address.dsn).scalar("SELECT inet_server_port()")
        guard let leader = nodes.first(where: { "\($0.port)" == port }) else {
            throw TestKitError("no node has the port \(port ?? "")")
        }
        switch fault {
        case .kill9: try leader.signalServer(SIGKILL)
        case .node:
            leader.signalManager(SIGKILL)
            try leader.signalServer(SIGKILL)
        case .sigstop:
            leader.signalManager(SIGSTOP)
            try leader.signalServer(SIGSTOP)
        case .postmaster: kill(try leader.postmaster(), SIGKILL)
        case .switchover: try switchOver(from: leader)
        case .partition: throw TestKitError("servers on one host cannot be parted")
        }
    }

    /// To the standby that confirms commits: Patroni takes no other.
    private func switchOver(from leader: PatroniNode) throws {
        let name = try SQLClient(address.dsn).scalar(
            "SELECT application_name FROM pg_stat_replication WHERE sync_state <> 'async'")
        try ProcessRunner.check([
            "patronictl", "-c", leader.configuration, "switchover", PatroniNode.scope, "--leader", leader.name,
            "--candidate", name ?? "", "--force",
        ])
    }

    func connect(port: Int) throws -> SQLClient {
        try SQLClient("host=127.0.0.1 port=\(port) dbname=postgres user=postgres")
    }

    func story() throws -> String {
        nodes.map { "\($0.name)\n\(((try? TextFile.read($0.log)) ?? "").suffix(3000))" }.joined(separator: "\n")
    }

    func end() {
        scratch.end()
    }
}
