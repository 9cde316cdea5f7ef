import Glibc
import Synchronization

/// How a process ended.
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xFF) : .signalled(signal)
    }

    public var isSuccess: Bool { self == .exited(0) }

    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// What to start, and with which files as its standard streams.
public struct Command: Sendable {
    /// The program and its arguments; the program is looked up in `PATH` unless it has a slash.
    public var arguments: [String]
    /// Where it runs. A process that runs beneath a `Scratch` directory ends with that.
    public var directory: String
    /// Added to this process's environment, from which all `PG…` and `WALDEN…` variables are left out.
    public var environment: [String: String] = [:]
    public var input = "/dev/null"
    /// Takes the place of `input`.
    var inputDescriptor: Int32?
    public var output = "/dev/null"
    /// Nil: where the output goes.
    public var errors: String?
    /// Whether to run as the user that PostgreSQL servers run as, should we be root.
    public var asServerUser = false
    /// Put before all of it: a command that runs another one somewhere else (`NetworkLab`).
    public var launcher: [String] = []

    public init(_ arguments: [String], in directory: String) {
        self.arguments = arguments
        self.directory = directory
    }
}

/// A process in a session of its own that inherits nothing but its three standard streams. It is killed, at the latest,
/// when the last reference is gone.
public final class ChildProcess: Sendable {
    public let pid: Int32
    private let ending = Mutex<ExitStatus?>(nil)

    public init(_ command: Command) throws {
        let prefix = command.launcher + (command.asServerUser ? ServerUser.current.prefix : [])
        pid = try Self.spawn(prefix + command.arguments, command)
    }

    deinit {
        kill()
    }

    /// How it ended; nil while it runs.
    public var exitStatus: ExitStatus? {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            ending = ExitStatus(waitStatus: status)
            return ending
        }
    }

    public var isRunning: Bool { exitStatus == nil }

    public func wait(timeout: Duration) throws -> ExitStatus {
        try awaitValue("the end of process \(pid)", timeout: timeout) { exitStatus }
    }

    /// Sends the signal, unless the process has ended already and its number may be another's.
    public func signal(_ number: Int32) {
        guard isRunning else { return }
        Glibc.kill(pid, number)
    }

    /// Ends it at once and waits for that.
    public func kill() {
        signal(SIGKILL)
        _ = try? wait(timeout: .seconds(5))
    }

    private static func spawn(_ arguments: [String], _ command: Command) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let appending = O_WRONLY | O_CREAT | O_APPEND
        if let descriptor = command.inputDescriptor {
            posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, command.input, O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, command.output, appending, 0o644)
        if let errors = command.errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, appending, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        _ = try SpawnExtensions.available.get().addChangeDirectory(&actions, command.directory)
        _ = try SpawnExtensions.available.get().addCloseFrom(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | SpawnExtensions.setSession))

        let argv = arguments.map { strdup($0) } + [nil]
        let environment = environment(adding: command.environment).map { strdup($0) } + [nil]
        defer { (argv + environment).forEach { free($0) } }
        var pid: Int32 = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, environment)
        guard code == 0 else {
            throw TestKitError("cannot start \(arguments.joined(separator: " ")): \(String(cString: strerror(code)))")
        }
        return pid
    }

    private static func environment(adding additions: [String: String]) -> [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            let name = text.prefix { $0 != "=" }
            let isForeign = name.hasPrefix("PG") || name.hasPrefix("WALDEN") || additions[String(name)] != nil
            if !isForeign { entries.append(text) }
            next += 1
        }
        return entries + additions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}

/// What glibc offers for `posix_spawn` beyond POSIX (since 2.29 and 2.34) and the Glibc module leaves out.
private struct SpawnExtensions: Sendable {
    typealias AddChangeDirectory =
        @Sendable @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
    typealias AddCloseFrom =
        @Sendable @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// POSIX_SPAWN_SETSID
    static let setSession: Int32 = 0x80
    static let available: Result<SpawnExtensions, TestKitError> = {
        guard let changeDirectory = dlsym(nil, "posix_spawn_file_actions_addchdir_np"),
            let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np")
        else { return .failure(TestKitError("this C library is older than glibc 2.34")) }
        return .success(
            SpawnExtensions(
                addChangeDirectory: unsafeBitCast(changeDirectory, to: AddChangeDirectory.self),
                addCloseFrom: unsafeBitCast(closeFrom, to: AddCloseFrom.self)))
    }()

    let addChangeDirectory: AddChangeDirectory
    let addCloseFrom: AddCloseFrom
}
