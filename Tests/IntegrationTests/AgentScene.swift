import Glibc
import Testing
import WaldenAgentClient
import WaldenRejoin
import WaldenTestKit

/// An old primary with an agent beside it, and the standby that was promoted in its stead.
final class AgentScene: Sendable {
    let cluster: Cluster
    let old: PostgresServer
    let new: PostgresServer
    let client: AgentClient
    private let programs: String

    private static let tree = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    var state: String { "\(cluster.scratch.path)/agent/state" }
    var socket: String { "\(cluster.scratch.path)/agent/socket" }
    var logPath: String { "\(cluster.scratch.path)/agent/log" }
    var log: String { (try? TextFile.read(logPath)) ?? "" }

    /// - Parameter canRewind: Whether the log holds what `pg_rewind` needs.
    static func with(canRewind: Bool = true, _ body: (AgentScene) async throws -> Void) async throws {
        let scene = try AgentScene(canRewind: canRewind)
        do {
            try await body(scene)
        } catch {
            await scene.end()
            throw TestKitError("\(error)\n\(scene.log.suffix(3000))")
        }
        await scene.end()
    }

    private init(canRewind: Bool) throws {
        let settings = ["full_page_writes": "on", "wal_log_hints": canRewind ? "on" : "off"]
        cluster = try Cluster.start(Cluster.Configuration(settings: settings))
        old = cluster.primary
        // As it is started by others than the test from here on.
        try old.configure(["port": "\(old.port)", "unix_socket_directories": old.socketDirectory])
        try old.connect().query("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
        try old.connect().query(TextFile.read("\(Self.tree)/sql/agent.sql"))
        new = try cluster.addStandby("standby1")
        _ = try cluster.scratch.directory("agent/state", isPrivate: true)
        programs = try cluster.scratch.directory("agent/bin")
        let binaries = try PostgresInstallation.current.get().binaries
        for name in ["pg_ctl", "pg_controldata", "pg_rewind", "pg_basebackup"] {
            guard symlink("\(binaries)/\(name)", "\(programs)/\(name)") == 0 else { throw TestKitError("symlink") }
        }
        client = try AgentClient(.socket(path: "\(cluster.scratch.path)/agent/socket"))
    }

    private func end() async {
        await client.shutDown()
        cluster.end()
    }

    /// A server with another system identifier; those of the test's clusters are copies of one.
    func startStranger() throws -> (process: ChildProcess, dsn: String) {
        let data = try cluster.scratch.directory("stranger", isPrivate: true)
        let binaries = try PostgresInstallation.current.get()
        var command = Command(
            [binaries.program("initdb"), "-D", data, "-N", "-A", "trust", "-U", "postgres"], in: cluster.scratch.path)
        command.asServerUser = true
        guard try ChildProcess(command).wait(timeout: .seconds(120)).isSuccess else { throw TestKitError("initdb") }
        let port = try Ports.free()
        command.arguments = [binaries.program("postgres"), "-D", data, "-p", "\(port)", "-k", data]
        let process = try ChildProcess(command)
        let dsn = "host=127.0.0.1 port=\(port) dbname=postgres user=postgres"
        try eventually("the stranger answers", timeout: .seconds(60)) {
            try SQLClient(dsn).scalar("SELECT 1") == "1"
        }
        return (process, dsn)
    }

    /// Puts a script in the place of one of PostgreSQL's programs; `REAL` is that one, `$PPID` the agent.
    func replace(_ program: String, by script: String) throws {
        let real = try PostgresInstallation.current.get().program(program)
        let path = "\(programs)/\(program)"
        unlink(path)
        try TextFile.write("#!/bin/sh\nREAL=\(real) DATA=\(old.dataDirectory) STATE=\(state)\n\(script)\n", to: path)
        chmod(path, 0o755)
    }

    /// Starts an agent and waits until it answers.
    func startAgent(_ listening: [String]? = nil) async throws -> ChildProcess {
        let process = try spawnAgent(listening)
        guard listening == nil else { return process }
        try await soon("the agent answers") { _ = try await self.client.status() }
        return process
    }

    func spawnAgent(_ listening: [String]? = nil) throws -> ChildProcess {
        var command = Command(
            [
                WaldenProcess.program, "agent", "--data-directory", old.dataDirectory, "--state-directory", state,
                "--bin-directory", programs,
            ] + (listening ?? ["--socket", socket]), in: cluster.scratch.path)
        command.asServerUser = true
        command.output = logPath
        return try ChildProcess(command)
    }

    /// The standby takes over while the old primary still writes what nobody will have; then that is killed.
    func failOver() throws {
        try new.connect().query("SELECT pg_promote()")
        try eventually("the standby writes") { try new.connect().scalar("SELECT pg_is_in_recovery()") == "f" }
        try new.connect().query("INSERT INTO kept VALUES (2)")
        try old.connect().query(
            "INSERT INTO kept VALUES (666); CREATE TABLE diverged AS SELECT generate_series(1, 5000)")
        try old.connect().query("SELECT pg_create_physical_replication_slot('left_over', true)")
        try old.kill()
    }

    /// Settings of the node's own, in all the places where they may be, and other ones at the new primary.
    func distinguish() throws {
        let directory = "\(old.dataDirectory)/conf.d"
        try ProcessRunner.check(["mkdir", directory])
        try TextFile.write("work_mem = '11MB'\n", to: "\(directory)/own.conf")
        try ProcessRunner.check(["chown", "-R", "--reference=\(old.dataDirectory)", directory])
        let main = "\(old.dataDirectory)/postgresql.conf"
        try TextFile.write(TextFile.read(main) + "include_dir = 'conf.d'\n", to: main)
        let hba = "\(old.dataDirectory)/pg_hba.conf"
        try TextFile.write(TextFile.read(hba) + "# the old primary's own\n", to: hba)
        try old.connect().query("ALTER SYSTEM SET maintenance_work_mem = '22MB'")
        try new.configure(["work_mem": "33MB", "cluster_name": "the new primary"])
        try TextFile.write("# not ours\n", to: "\(new.dataDirectory)/foreign.conf")
        try ProcessRunner.check(["chown", "--reference=\(new.dataDirectory)", "\(new.dataDirectory)/foreign.conf"])
    }

    func request(term: UInt64 = 2, slot: String? = nil) -> RejoinRequest {
        RejoinRequest(
            term: term, upstream: new.dsn(database: "replication", "password=hush1"),
            source: new.dsn(user: "walden_agent", "password=hush2"), applicationName: "old'primary", slot: slot,
            streamTimeoutSeconds: 60)
    }

    /// The old primary follows the new one, is as it was, and holds nothing that the new one does not.
    func judge() throws {
        let here = try old.connect()
        #expect(try here.scalar("SELECT pg_is_in_recovery()") == "t")
        #expect(try here.scalar("SHOW work_mem") == "11MB")
        #expect(try here.scalar("SHOW maintenance_work_mem") == "22MB")
        #expect(try here.scalar("SHOW cluster_name") == "")
        #expect(try TextFile.read("\(old.dataDirectory)/pg_hba.conf").contains("# the old primary's own"))
        #expect(!TextFile.names(in: old.dataDirectory).contains("foreign.conf"))
        let there = try new.connect()
        #expect(
            try there.scalar("SELECT string_agg(application_name || state, ',') FROM pg_stat_replication")
                == "old'primarystreaming")
        try there.query("INSERT INTO kept VALUES (3)")
        try eventually("the new row arrives") {
            try here.scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM kept") == "1,2,3"
        }
        #expect(try here.scalar("SELECT to_regclass('diverged') IS NULL") == "t")
        #expect(try here.scalar("SELECT count(*) FROM pg_replication_slots") == "0")
        let beside = TextFile.names(in: "\(cluster.scratch.path)/primary").filter { $0.hasPrefix("data") }
        #expect(beside == ["data"])
        let remembered = TextFile.names(in: state).filter { $0 != "server.log" }
        #expect(remembered == ["agent.json", "lock"])
        #expect(try !TextFile.read("\(state)/agent.json").contains("hush"))
        #expect(!log.contains("hush"))
    }
}
