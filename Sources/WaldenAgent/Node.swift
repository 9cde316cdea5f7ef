import Glibc
import WaldenCore
import WaldenPostgres
import WaldenRejoin

/// The node's paths, programs and processes, as checked once at the start.
struct Node: Sendable {
    /// Links resolved: the working directory of the server's processes, by which they are known.
    let data: String
    let bin: String
    let state: String
    let serverLog: String
    let options: AgentOptions

    var copy: String { data + ".walden-new" }
    var old: String { data + ".walden-old" }
    var saved: String { state + "/saved" }
    var parent: String { FileSystem.directory(of: data) }

    private static let programs = ["pg_ctl", "pg_controldata", "pg_rewind", "pg_basebackup"]

    /// - Throws: everything that keeps an agent from working here.
    init(_ options: AgentOptions) throws(AgentError) {
        guard getuid() != 0 else {
            throw .refused("the agent does not run as root; run it as the user that owns the data directory")
        }
        self.options = options
        data = try Self.absolute(options.dataDirectory, "the data directory")
        state = try Self.absolute(options.stateDirectory, "the state directory")
        guard state != data, !state.hasPrefix(data + "/") else {
            throw .refused("the state directory must not lie in the data directory, which a rejoin replaces")
        }
        var info = stat()
        if lstat(data, &info) == 0, info.st_uid != getuid() {
            throw .refused("\(data) belongs to another user; run the agent as that one")
        }
        let bin = if let given = options.binDirectory { given } else { try Self.binaries(for: data) }
        if let missing = Self.programs.first(where: { access("\(bin)/\($0)", X_OK) != 0 }) {
            throw .refused("there is no program \(missing) in \(bin); name PostgreSQL's with --bin-directory")
        }
        self.bin = bin
        if let server = options.server {
            do throws(PostgresError) {
                _ = try DSN(server)
            } catch {
                throw .refused("--server: \(error)")
            }
        }
        serverLog = options.serverLog ?? "\(state)/server.log"
    }

    /// The directory may be missing, but not the one it lies in: a rejoin may have been interrupted between two renames.
    private static func absolute(_ path: String, _ what: String) throws(AgentError) -> String {
        if let path = FileSystem.resolved(path) { return path }
        let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let parent = FileSystem.resolved(FileSystem.directory(of: trimmed)),
            let name = trimmed.split(separator: "/").last
        else { throw .refused("\(what) \(path) does not exist, nor does the directory it would lie in") }
        return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
    }

    private static func binaries(for data: String) throws(AgentError) -> String {
        guard let version = try? FileSystem.text("\(data)/PG_VERSION") else {
            throw .refused("\(data)/PG_VERSION cannot be read; name PostgreSQL's programs with --bin-directory")
        }
        return "/usr/lib/postgresql/\(version.filter { $0.isNumber || $0 == "." })/bin"
    }

    // MARK: The server's processes

    /// Every process of this user's that works in the data directory and is PostgreSQL's; the postmaster's children among
    /// them, each of which leads a group of its own. Of one whose directory cannot be told, `postmaster.pid` decides.
    var processes: [pid_t] {
        let names = (try? FileSystem.names(in: "/proc")) ?? []
        let named = postmaster?.pid
        return names.compactMap { pid_t($0) }.filter { pid in
            guard Self.isAliveServer(pid) else { return false }
            return Self.linkTarget("/proc/\(pid)/cwd").map { $0 == data } ?? (pid == named)
        }
    }

    /// One that has ended and whose parent has not taken note has no directory any more, and a name still.
    private static func isAliveServer(_ pid: pid_t) -> Bool {
        guard let stat = try? FileSystem.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else {
            return false
        }
        let state = stat[end...].dropFirst(2).first
        return stat.contains("(postgres)") && state != "Z" && state != "X"
    }

    var isRunning: Bool { !processes.isEmpty }

    /// Ends programs that an agent before this one has left at work on the directory or its copy: it was killed, they
    /// were not, and they would go on writing. Their numbers.
    func endLeftovers() throws(AgentError) -> [pid_t] {
        let found = leftovers
        let deadline = MonotonicClock.now() + .seconds(5)
        var left = found
        while !left.isEmpty {
            guard MonotonicClock.now() < deadline else {
                throw .failed("programs of an earlier agent do not end: \(left)")
            }
            for pid in left { kill(pid, SIGKILL) }
            usleep(10_000)
            left = leftovers
        }
        return found
    }

    private var leftovers: [pid_t] {
        let names = (try? FileSystem.names(in: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            guard let line = try? FileSystem.read("/proc/\(pid)/cmdline") else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first?.split(separator: "/").last else { return false }
            return (program == "pg_rewind" && words.contains("--target-pgdata=\(data)"))
                || (program == "pg_basebackup" && words.contains(copy))
        }
    }

    var postmaster: PostmasterFile? {
        (try? FileSystem.text("\(data)/postmaster.pid")).flatMap(PostmasterFile.init)
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
