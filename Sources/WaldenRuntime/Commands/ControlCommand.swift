import Glibc

/// `walden switchover`, `failover`, `pause`, `resume` and `incidents`: asks the control socket of a running sentinel.
public enum ControlCommand {
    public enum Order: Hashable, Sendable {
        case switchover(to: String?, isRehearsal: Bool)
        case pause
        case resume
        case incidents
        case incident(UInt64)

        fileprivate var request: (method: String, path: String) {
            switch self {
            case .switchover(let node, let isRehearsal):
                let to = node.map { "&to=" + LiveExplainCommand.encoded($0) } ?? ""
                return ("POST", "/switchover?text=1" + (isRehearsal ? "&dry_run=1" : "") + to)
            case .pause: return ("POST", "/pause?text=1")
            case .resume: return ("POST", "/resume?text=1")
            case .incidents: return ("GET", "/incidents?text=1")
            case .incident(let number): return ("GET", "/incidents/\(number)?text=1")
            }
        }
    }

    /// Which directory is the sentinel's.
    public struct Place: Hashable, Sendable {
        let directory: String?
        let configurationFile: String?

        /// - Parameters:
        ///   - directory: Nil: what the configuration says, or what it says by default.
        ///   - configurationFile: Nil: as `walden run` without `--config`.
        public init(directory: String?, configurationFile: String?) {
            self.directory = directory
            self.configurationFile = configurationFile
        }

        fileprivate func socketPath() throws(CommandFailure) -> String {
            if let directory { return "\(directory)/control" }
            let source = ConfigurationSource(arguments: configurationFile.map { ["--config", $0] } ?? [])
            do throws(ConfigurationProblem) {
                let named = try source.text(of: "failover.directory")
                return "\(named ?? FailoverChoices.defaultDirectory)/control"
            } catch {
                throw CommandFailure("\(error)", .configuration)
            }
        }
    }

    /// The server waits for the end of what it was ordered for two minutes.
    private static let patienceSeconds = 180

    public static func run(_ order: Order, at place: Place) -> CommandOutcome {
        let request = order.request
        return CommandOutcome.attempt { () throws(CommandFailure) in
            try outcome(exchange(request.method, request.path, place.socketPath()))
        }
    }

    /// - Parameters:
    ///   - isForced: The flag is given; without it only the risk is told.
    ///   - report: Called with what may be lost before anything is done.
    public static func fail(at place: Place, isForced: Bool, report: (String) -> Void) -> CommandOutcome {
        CommandOutcome.attempt { () throws(CommandFailure) in
            let socketPath = try place.socketPath()
            let risk = try exchange("GET", "/failover?text=1", socketPath)
            report(risk.body)
            guard isForced else {
                throw CommandFailure("nothing was done: it takes --force to fail over whatever is lost", .usage)
            }
            return try outcome(exchange("POST", "/failover?force=1&text=1", socketPath))
        }
    }

    private static func outcome(_ answer: (status: Int, body: String)) throws(CommandFailure) -> CommandOutcome {
        if answer.status == 200 { return CommandOutcome(answer.body) }
        let words = answer.body.hasSuffix("\n") ? String(answer.body.dropLast()) : answer.body
        throw CommandFailure(words, answer.status == 400 ? .usage : .failure)
    }

    private static func exchange(
        _ method: String, _ path: String, _ socketPath: String
    ) throws(CommandFailure) -> (status: Int, body: String) {
        let descriptor = try connect(socketPath)
        defer { close(descriptor) }
        do throws(HTTPGet.Failure) {
            return try HTTPGet.exchange(method, path, on: descriptor)
        } catch {
            throw CommandFailure("\(socketPath): \(error.reason)", .unavailable)
        }
    }

    private static func connect(_ path: String) throws(CommandFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw CommandFailure("\(path) is too long for a socket", .usage)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw CommandFailure(String(cString: strerror(errno)), .unavailable) }
        HTTPGet.setTimeouts(of: descriptor, seconds: patienceSeconds)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let failure = errno
            close(descriptor)
            throw CommandFailure(problem(failure, path), failure == EACCES ? .noPermission : .unavailable)
        }
        return descriptor
    }

    private static func problem(_ failure: Int32, _ path: String) -> String {
        switch failure {
        case ENOENT, ECONNREFUSED:
            "\(path): no sentinel answers; does Walden run here with failover on, and is this its directory?"
        case EACCES: "\(path): only the user that Walden runs as may give orders"
        default: "\(path): \(String(cString: strerror(failure)))"
        }
    }
}
