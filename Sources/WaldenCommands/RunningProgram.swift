internal import Glibc

/// A child process in a group of its own, with a pipe from its two outputs. It inherits nothing else.
final class RunningProgram {
    private let pid: pid_t
    private let output: CInt
    private var status: ProgramEnd.Status?

    init(_ call: ProgramCall) throws(ProgramError) {
        guard let name = call.arguments.first, !name.isEmpty else {
            throw ProgramError("no program is named")
        }
        let input = try Self.filledPipe(call.input)
        defer { close(input) }
        let ends = try Self.makePipe()
        defer { close(ends.write) }
        do throws(ProgramError) {
            pid = try Self.spawn(call, input: input, output: ends.write)
        } catch {
            close(ends.read)
            throw error
        }
        output = ends.read
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
    }

    deinit {
        kill()
        close(output)
    }

    /// Takes what there is, after waiting for it at most so long.
    func read(into tail: inout OutputTail, milliseconds: CInt) {
        var interest = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard poll(&interest, 1, milliseconds) > 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 16_384)
        // Bounded, so that a program that never pauses is looked after, too.
        for _ in 0..<64 {
            let count = Glibc.read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count == 0, milliseconds > 0 { usleep(useconds_t(milliseconds) * 1_000) }
            guard count > 0 else { return }
            tail.append(chunk[..<count])
        }
    }

    /// How it ended; nil while it runs.
    func ended() -> ProgramEnd.Status? {
        if let status { return status }
        var word: CInt = 0
        guard waitpid(pid, &word, WNOHANG) == pid else { return nil }
        let signal = word & 0x7F
        status = signal == 0 ? .exited((word >> 8) & 0xFF) : .signalled(signal)
        return status
    }

    /// Ends it and what it has started in its group, and waits for its end.
    func kill() {
        guard status == nil else { return }
        Glibc.kill(-pid, SIGKILL)
        var word: CInt = 0
        while waitpid(pid, &word, 0) < 0, errno == EINTR {}
        status = .signalled(SIGKILL)
    }

    // MARK: Starting

    private static func spawn(
        _ call: ProgramCall, input: CInt, output: CInt
    ) throws(ProgramError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        try closeRest(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let argv = call.arguments.map { strdup($0) } + [nil]
        let environment = environment(adding: call.environment).map { strdup($0) } + [nil]
        defer { (argv + environment).forEach { free($0) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, call.arguments[0], &actions, &attributes, argv, environment)
        guard code == 0 else { throw failure("cannot start \(call.arguments[0])", code) }
        return pid
    }

    private static func environment(adding additions: [String: String]) -> [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if additions[String(text.prefix { $0 != "=" })] == nil { entries.append(text) }
            next += 1
        }
        return entries + additions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// A pipe that holds `bytes` and then ends.
    private static func filledPipe(_ bytes: [UInt8]) throws(ProgramError) -> CInt {
        guard bytes.count <= ProgramCall.inputMaximum else {
            throw ProgramError("more than \(ProgramCall.inputMaximum) bytes of input")
        }
        let ends = try makePipe()
        defer { close(ends.write) }
        _ = fcntl(ends.write, F_SETFL, O_NONBLOCK)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(ends.write, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                close(ends.read)
                throw failure("cannot fill a pipe", code)
            }
            rest = rest.dropFirst(count)
        }
        return ends.read
    }

    /// Both ends are closed in programs that are started meanwhile.
    private static func makePipe() throws(ProgramError) -> (read: CInt, write: CInt) {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure("cannot open a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func failure(_ what: String, _ code: CInt) -> ProgramError {
        ProgramError("\(what): \(String(cString: strerror(code)))")
    }

    /// Not every descriptor of the process is marked to be closed; a server that inherits a listening socket would keep it.
    private static func closeRest(_ actions: inout posix_spawn_file_actions_t) throws(ProgramError) {
        guard let closeFrom else { throw ProgramError("this C library is older than glibc 2.34") }
        _ = closeFrom(&actions, 3)
    }

    private typealias CloseFrom =
        @Sendable @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt

    /// Since glibc 2.34, which the Glibc module leaves out.
    private static let closeFrom: CloseFrom? = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafeBitCast($0, to: CloseFrom.self)
    }
}
