import Glibc
import WaldenCommands
import WaldenCore
import WaldenPostgres
import WaldenRejoin

/// The node's PostgreSQL server: started and stopped by its own programs, and by signals when those do not help.
struct Server: Sendable {
    let node: Node

    private static let immediateSeconds = 5
    private static let fastSeconds = 60
    /// For the kernel to end what was killed.
    private static let killTimeout = Duration.seconds(5)
    /// `pg_ctl` waits by itself; this is for one that does not come back.
    private static let slack = Duration.seconds(15)

    func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], timeout: Duration,
        isUnwanted: () -> Bool = { false }
    ) throws(AgentError) -> ProgramEnd {
        var call = ProgramCall(["\(node.bin)/\(program)"] + arguments, timeout: timeout)
        call.environment = environment.merging(["LC_ALL": "C", "PGCONNECT_TIMEOUT": "10"]) { given, _ in given }
        let end: ProgramEnd
        do throws(ProgramError) {
            end = try ProgramRunner.run(call, isUnwanted: isUnwanted)
        } catch {
            throw .failed("\(error)")
        }
        if end.status == .interrupted { throw .interrupted }
        return end
    }

    /// Nil when there is no control file, or one that cannot be read.
    func controlData() throws(AgentError) -> ControlData? {
        let end = try run("pg_controldata", ["-D", node.data], timeout: .seconds(30))
        return end.isSuccess ? ControlData(printed: end.output) : nil
    }

    /// Sessions are ended, a checkpoint is made; at once when that takes too long.
    func stop(isUnwanted: () -> Bool) throws(AgentError) {
        let seconds = Self.fastSeconds
        _ = try run(
            "pg_ctl", ["stop", "-D", node.data, "-m", "fast", "-w", "-t", "\(seconds)"],
            timeout: .seconds(seconds) + Self.slack, isUnwanted: isUnwanted)
        if node.isRunning { try stopAtOnce() }
    }

    /// When it returns, no process of the server is left.
    func stopAtOnce() throws(AgentError) {
        let seconds = Self.immediateSeconds
        _ = try run(
            "pg_ctl", ["stop", "-D", node.data, "-m", "immediate", "-w", "-t", "\(seconds)"],
            timeout: .seconds(seconds) + Self.slack)
        let deadline = MonotonicClock.now() + Self.killTimeout
        while true {
            let left = node.processes
            if left.isEmpty { return }
            guard MonotonicClock.now() < deadline else {
                throw .failed("processes of the server do not end: \(left.map(String.init).joined(separator: ", "))")
            }
            // Also those that the postmaster left behind, and also again: it may have started another meanwhile.
            for pid in left { kill(pid, SIGKILL) }
            usleep(10_000)
        }
    }

    /// Returns when it takes connections.
    func start(isUnwanted: () -> Bool) throws(AgentError) {
        let written = Self.size(node.serverLog)
        let timeout = node.options.startTimeout
        var arguments = [
            "start", "-D", node.data, "-s", "-w", "-t", "\(timeout.components.seconds)", "-l", node.serverLog,
        ]
        if let file = node.options.configurationFile {
            arguments += ["-o", "-c config_file=\(Self.shellQuoted(file))"]
        }
        let end = try run("pg_ctl", arguments, timeout: timeout + Self.slack, isUnwanted: isUnwanted)
        guard end.isSuccess else {
            throw .failed("the server does not start (\(end.status)): \(end.lastLines(2)); \(logTail(from: written))")
        }
    }

    /// The last lines of the log that `pg_ctl` was given.
    func logTail(from offset: Int = 0) -> String {
        let file = open(node.serverLog, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "no log at \(node.serverLog)" }
        defer { close(file) }
        let limit = 8_192
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(file, &bytes, limit, off_t(max(offset, Self.size(node.serverLog) - limit)))
        let lines = String(decoding: bytes[..<max(count, 0)], as: UTF8.self).split(separator: "\n").suffix(6)
        return lines.isEmpty ? "nothing in \(node.serverLog)" : "its log: " + lines.joined(separator: "; ")
    }

    private static func size(_ path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    /// `pg_ctl` hands the options to a shell.
    private static func shellQuoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
