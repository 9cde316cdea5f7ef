import Synchronization

/// A temporary PostgreSQL cluster: one primary and any number of streaming standbys. It ends, and its files with it,
/// when the last reference goes, when `end()` is called, and also when the test process is killed.
public final class Cluster: Sendable {
    public struct Configuration: Sendable {
        /// Added to those that Walden needs; the later wins.
        public var settings: [String: String] = [:]
        /// Whether commits wait for the disk. Off: tests kill servers, not machines.
        public var fsync = false
        /// Asynchronous standbys, named `standby1`, `standby2`, …
        public var standbys = 0
        /// Where each server has a host of its own; nil: all are on loopback.
        public var network: NetworkLab?
        /// Whether it has a system identifier of its own. Others are copies of one database, which takes a fifth of the time.
        public var isStranger = false
        /// Of the primary's log; nil: a directory like any other.
        public var logVolume: Volume.Kind?

        public init(settings: [String: String] = [:], fsync: Bool = false, standbys: Int = 0) {
            self.settings = settings
            self.fsync = fsync
            self.standbys = standbys
        }
    }

    public let primary: PostgresServer
    public let scratch: Scratch
    /// Holds the primary's log.
    public let logVolume: Volume?
    private let network: NetworkLab?
    private let members = Mutex<[PostgresServer]>([])

    public var standbys: [PostgresServer] { members.withLock { $0 } }

    public static func start(_ configuration: Configuration = Configuration()) throws -> Cluster {
        let cluster = try Cluster(configuration)
        for number in 0..<configuration.standbys {
            try cluster.addStandby("standby\(number + 1)")
        }
        return cluster
    }

    private init(_ configuration: Configuration) throws {
        scratch = try Scratch()
        network = configuration.network
        primary = try Self.server("primary", in: scratch, network)
        if configuration.isStranger {
            try InitialDatabase.make(in: primary.dataDirectory, scratch)
        } else {
            try InitialDatabase.copy(to: primary.dataDirectory)
        }
        let logs = "\(primary.dataDirectory)/pg_wal"
        logVolume = if let kind = configuration.logVolume { try Volume(kind, over: logs, in: scratch) } else { nil }
        let fsync = configuration.fsync ? "on" : "off"
        var settings = Self.settings
        settings["fsync"] = fsync
        settings["full_page_writes"] = fsync
        if network != nil { settings["listen_addresses"] = "*" }
        settings.merge(configuration.settings) { $1 }
        try primary.configure(settings)
        let lab = network.map { [$0.subnet] } ?? []
        try primary.setAuthentication(Self.authentication(from: ["127.0.0.1/32"] + lab))
        try primary.start(mayMove: true)
    }

    deinit {
        end()
    }

    public func end() {
        scratch.end()
    }

    /// Takes a base backup of the primary and starts a standby that streams from it.
    ///
    /// - Parameter settings: added to the primary's, which the backup brings along.
    @discardableResult
    public func addStandby(_ name: String, settings: [String: String] = [:]) throws -> PostgresServer {
        let standby = try Self.server(name, in: scratch, network)
        try clone(standby, from: primary, settings: settings)
        members.withLock { $0.append(standby) }
        return standby
    }

    /// Makes the server, which does not run, a standby of `source` by a base backup, whatever it was before.
    public func clone(_ standby: PostgresServer, from origin: PostgresServer, settings: [String: String] = [:]) throws {
        if standby.hasStarted { try ProcessRunner.check(["find", standby.dataDirectory, "-mindepth", "1", "-delete"]) }
        let source = origin.dsn(database: "replication", "application_name=\(standby.name)")
        var command = Command(
            [
                try PostgresInstallation.current.get().program("pg_basebackup"), "-D", standby.dataDirectory,
                "-d", source, "-R", "-X", "stream", "-c", "fast",
            ], in: scratch.path)
        command.asServerUser = true
        command.output = standby.logPath
        let status = try ChildProcess(command).wait(timeout: .seconds(120))
        guard status.isSuccess else { throw TestKitError("pg_basebackup: \(status)\n\(standby.log)") }
        try standby.configure(settings.merging(["primary_conninfo": source]) { $1 })
        try standby.start(mayMove: !standby.hasStarted)
        let client = try standby.connect()
        try eventually("standby \(standby.name) streams", timeout: .seconds(30)) {
            try client.query("SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'").rows.count == 1
        }
    }

    /// Makes commits wait for these standbys (all of them, in the mode of `synchronous_commit`); none: for nobody.
    public func setSynchronous(_ names: [String]) throws {
        let value = names.isEmpty ? "" : "\(names.count) (\(names.joined(separator: ", ")))"
        try primary.configure(["synchronous_standby_names": value])
        primary.reload()
        let client = try primary.connect()
        try eventually("synchronous_standby_names is in force") {
            let known = try client.query("SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")
            return Set(known.rows.compactMap { $0[0]?.text }) == Set(names)
        }
    }

    /// Waits until the standby has replayed all that the primary has written by now.
    public func waitForReplay(on standby: PostgresServer, timeout: Duration = .seconds(30)) throws {
        let position = try primary.connect().scalar("SELECT pg_current_wal_insert_lsn()") ?? ""
        let client = try standby.connect()
        try eventually("standby \(standby.name) reaches \(position)", timeout: timeout) {
            try client.scalar("SELECT pg_last_wal_replay_lsn() >= '\(position)'") == "t"
        }
    }

    private static func server(
        _ name: String, in scratch: Scratch, _ network: NetworkLab?
    ) throws -> PostgresServer {
        try PostgresServer(
            name: name, dataDirectory: scratch.directory("\(name)/data", isPrivate: true),
            socketDirectory: scratch.directory("\(name)/socket"),
            logPath: "\(scratch.directory(name))/server.log", in: network)
    }

    private static func authentication(from networks: [String]) -> [String] {
        ["local all all trust", "local replication all trust"]
            + networks.flatMap { ["host all all \($0) trust", "host replication all \($0) trust"] }
    }

    private static let settings = [
        "listen_addresses": "127.0.0.1",
        "wal_level": "logical",
        "max_wal_senders": "20",
        "max_replication_slots": "20",
        "max_connections": "200",
        "max_prepared_transactions": "20",
        "shared_buffers": "32MB",
        "wal_keep_size": "128MB",
        // In files of the data directory, so that a killed server leaves nothing in /dev/shm.
        "dynamic_shared_memory_type": "mmap",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "lc_messages": "C",
        "timezone": "UTC",
        "log_timezone": "UTC",
    ]
}
