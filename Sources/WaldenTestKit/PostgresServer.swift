import Glibc
import Synchronization

/// One PostgreSQL server on loopback or in a `NetworkLab`, primary or standby, with its data in a scratch directory.
public final class PostgresServer: Sendable {
    /// Also the standby's `application_name` and so its name in `synchronous_standby_names`.
    public let name: String
    public let dataDirectory: String
    /// Holds the Unix socket.
    public let socketDirectory: String
    public let logPath: String
    /// Its address.
    public let host: String
    private let launcher: [String]
    private let state: Mutex<State>

    private struct State {
        var port: Int
        var process: ChildProcess?
        var hasStarted = false
    }

    /// Modes of `pg_ctl stop`, as the signals that they are.
    public enum StopMode: Int32, Sendable {
        /// Waits for all clients to leave.
        case smart = 15
        /// Ends the clients' sessions.
        case fast = 2
        /// Ends at once, without a checkpoint.
        case immediate = 3
    }

    init(
        name: String, dataDirectory: String, socketDirectory: String, logPath: String, in network: NetworkLab?
    ) throws {
        self.name = name
        host = try network?.address(of: name) ?? "127.0.0.1"
        launcher = try network?.launcher(of: name) ?? []
        self.dataDirectory = dataDirectory
        self.socketDirectory = socketDirectory
        self.logPath = logPath
        state = Mutex(State(port: try Ports.free()))
    }

    public var port: Int { state.withLock { $0.port } }

    public var isRunning: Bool { state.withLock { $0.process?.isRunning ?? false } }

    /// Whether it ever ran: its port may not change any more.
    public var hasStarted: Bool { state.withLock { $0.hasStarted } }

    public var log: String { (try? Files.text(logPath)) ?? "" }

    // MARK: Connecting

    /// A connection string over TCP, with further `key=value` words as given.
    public func dsn(database: String = "postgres", user: String = "postgres", _ more: String = "") -> String {
        let words = "host=\(host) port=\(port) dbname=\(database) user=\(user)"
        return more.isEmpty ? words : "\(words) \(more)"
    }

    /// A connection string over the Unix socket.
    public func socketDSN(database: String = "postgres", user: String = "postgres") -> String {
        "host=\(socketDirectory) port=\(port) dbname=\(database) user=\(user)"
    }

    public func connect(
        database: String = "postgres", user: String = "postgres", _ more: String = ""
    ) throws -> SQLClient {
        try SQLClient(dsn(database: database, user: user, more))
    }

    // MARK: Starting

    /// Starts the server and waits until it answers queries. When its port was taken meanwhile, tries another one:
    /// only before its first start may the port still change.
    public func start(timeout: Duration = .seconds(60), mayMove: Bool = false) throws {
        for _ in 0..<5 {
            if try startOnce(timeout: timeout) { return }
            guard mayMove else { break }
            let port = try Ports.free()
            state.withLock { $0.port = port }
        }
        throw TestKitError("server \(name) did not start:\n\(log.suffix(3000))")
    }

    private func startOnce(timeout: Duration) throws -> Bool {
        var command = Command(
            [
                try PostgresInstallation.current.get().program("postgres"), "-D", dataDirectory, "-p", String(port),
                "-k", socketDirectory,
            ], in: dataDirectory)
        command.asServerUser = true
        command.launcher = launcher
        command.output = logPath
        let process = try ChildProcess(command)
        state.withLock { $0.process = process }
        let isUp = try? awaitValue("server \(name) answers", timeout: timeout) { () -> Bool? in
            guard process.isRunning else { return false }
            let client = try connect(database: "template1")
            return try client.query("SELECT 1").rows.count == 1
        }
        if isUp != true, process.isRunning {
            throw TestKitError("server \(name) does not answer within \(timeout):\n\(log.suffix(3000))")
        }
        if isUp == true { state.withLock { $0.hasStarted = true } }
        return isUp == true
    }

    // MARK: Stopping

    public func stop(_ mode: StopMode = .fast, timeout: Duration = .seconds(60)) throws {
        guard let process = state.withLock({ $0.process }) else { return }
        process.signal(mode.rawValue)
        _ = try process.wait(timeout: timeout)
        state.withLock { $0.process = nil }
    }

    /// Ends the server and all its processes at once, as a power cut would.
    public func kill() throws {
        guard let process = state.withLock({ $0.process }) else { return }
        let children = processes().map(\.pid)
        process.signal(SIGKILL)
        for pid in children { Glibc.kill(pid, SIGKILL) }
        _ = try process.wait(timeout: .seconds(10))
        try eventually("the end of all processes of server \(name)") {
            !children.contains { isPostgresProcess($0) }
        }
        state.withLock { $0.process = nil }
    }

    /// Ends the postmaster alone; its children find out by themselves.
    public func killPostmaster() throws {
        guard let process = state.withLock({ $0.process }) else { return }
        process.signal(SIGKILL)
        _ = try process.wait(timeout: .seconds(10))
        state.withLock { $0.process = nil }
    }

    public func restart(_ mode: StopMode = .fast) throws {
        try stop(mode)
        try start()
    }

    /// Has the server read its configuration again.
    public func reload() {
        state.withLock { $0.process }?.signal(SIGHUP)
    }

    // MARK: Faults

    /// A process of this server and the title by which `ps` shows it.
    public struct ServerProcess: Sendable {
        public let pid: Int32
        public let title: String
    }

    /// The server's child processes, e.g. `postgres: walreceiver streaming 0/3000060`.
    public func processes(titled part: String = "") -> [ServerProcess] {
        guard let parent = state.withLock({ $0.process?.pid }) else { return [] }
        return ProcessTable.children(of: parent).compactMap { pid in
            let title = ProcessTable.title(of: pid)
            return part.isEmpty || title.contains(part) ? ServerProcess(pid: pid, title: title) : nil
        }
    }

    /// Stops all processes of the server (SIGSTOP): it holds its connections and answers nothing.
    public func freeze() {
        signalAll(SIGSTOP)
    }

    public func thaw() {
        signalAll(SIGCONT)
    }

    /// Sends the signal to the postmaster alone: stopped, it takes no new connections.
    public func signalPostmaster(_ number: Int32) {
        state.withLock { $0.process }?.signal(number)
    }

    /// Sends the signal to the server's processes whose title has `part`; their number.
    @discardableResult
    public func signal(_ number: Int32, toProcessesTitled part: String) -> Int {
        let targets = processes(titled: part)
        for target in targets { Glibc.kill(target.pid, number) }
        return targets.count
    }

    private func signalAll(_ number: Int32) {
        signalPostmaster(number)
        signal(number, toProcessesTitled: "")
    }

    private func isPostgresProcess(_ pid: Int32) -> Bool {
        ProcessTable.name(of: pid) == "postgres"
    }

    // MARK: Configuration

    /// Appends settings to postgresql.conf; the later line wins. They take effect at the next reload or restart.
    public func configure(_ settings: [String: String]) throws {
        let lines = settings.sorted { $0.key < $1.key }.map { name, value in
            "\(name) = '\(value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'\n"
        }
        try Files.write(lines.joined().utf8, to: "\(dataDirectory)/postgresql.conf", appending: true)
    }

    /// Replaces pg_hba.conf. It takes effect at the next reload.
    public func setAuthentication(_ lines: [String]) throws {
        try Files.write((lines.joined(separator: "\n") + "\n").utf8, to: "\(dataDirectory)/pg_hba.conf")
    }
}
