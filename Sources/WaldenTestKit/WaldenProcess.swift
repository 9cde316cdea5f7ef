import Glibc
import Synchronization

/// A running `walden run` with ports of its own. It ends, at the latest, when the last reference is gone, and also when
/// the test process is killed.
public final class WaldenProcess: Sendable {
    public struct Configuration: Sendable {
        /// The primary's connection string.
        public var primary: String
        public var replicas: [String] = []
        /// Free ones are chosen for what is nil.
        public var port: Int?
        public var adminPort: Int?
        /// Further arguments after `walden run …`.
        public var flags: [String] = []
        public var environment: [String: String] = [:]
        /// The content of a configuration file to start with.
        public var file: String?

        public init(primary: String) {
            self.primary = primary
        }
    }

    public let port: Int
    public let adminPort: Int
    /// Where it runs, and where its log and configuration file are.
    public let scratch: Scratch
    private let process: ChildProcess

    public var pid: Int32 { process.pid }
    public var isRunning: Bool { process.isRunning }
    public var log: String { (try? Files.text(logPath)) ?? "" }
    /// In the scratch directory, or in the folder that `WALDEN_TEST_LOGS` names: there it stays.
    public let logPath: String
    public var configurationPath: String { "\(scratch.path)/walden.yaml" }

    /// The program, as built beside the running test or demo; `WALDEN_BINARY` names another one.
    public static var program: String {
        if let path = getenv("WALDEN_BINARY") { return String(cString: path) }
        let ourselves = Files.linkTarget("/proc/self/exe") ?? ""
        return ourselves[..<(ourselves.lastIndex(of: "/") ?? ourselves.startIndex)] + "/walden"
    }

    /// Runs another command of the program to its end, e.g. `["init", dsn]`.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:], timeout: Duration = .seconds(60)
    ) throws -> ProcessOutput {
        try ProcessRunner.run([program] + arguments, environment: environment, timeout: timeout)
    }

    /// Starts it and waits until its admin port answers; whether it reaches a primary is another question.
    public static func start(_ configuration: Configuration) throws -> WaldenProcess {
        var configuration = configuration
        for _ in 0..<5 {
            let walden = try WaldenProcess(configuration)
            let isUp = try awaitValue("walden answers", timeout: .seconds(30)) { () -> Bool? in
                guard walden.isRunning else { return false }
                // Somebody else's Walden may have taken the port.
                let listening = try walden.status()["proxy"]["listening"].array
                return listening.contains(.string("127.0.0.1:\(walden.port)"))
            }
            if isUp { return walden }
            guard walden.log.lowercased().contains("address already in use") else {
                throw TestKitError("walden did not start:\n\(walden.log.suffix(3000))")
            }
            (configuration.port, configuration.adminPort) = (nil, nil)
        }
        throw TestKitError("walden found no free port")
    }

    private init(_ configuration: Configuration) throws {
        guard Files.isExecutable(Self.program) else { throw TestKitError("no program at \(Self.program)") }
        scratch = try Scratch()
        port = try configuration.port ?? Ports.free()
        adminPort = try configuration.adminPort ?? Ports.free()
        let logs = getenv("WALDEN_TEST_LOGS").map { String(cString: $0) }
        logPath = "\(logs ?? scratch.path)/walden-\(port).log"
        var arguments = [Self.program, "run"]
        if let content = configuration.file {
            let path = "\(scratch.path)/walden.yaml"
            try Files.write(content.utf8, to: path)
            arguments += ["--config", path]
        }
        arguments += ["--primary", configuration.primary]
        arguments += configuration.replicas.flatMap { ["--replica", $0] }
        arguments += ["--listen", "127.0.0.1:\(port)", "--admin", "127.0.0.1:\(adminPort)"]
        var command = Command(arguments + configuration.flags, in: scratch.path)
        command.environment = configuration.environment
        command.output = logPath
        process = try ChildProcess(command)
    }

    deinit {
        process.kill()
        scratch.end()
    }

    // MARK: Looking

    public func dsn(database: String = "postgres", user: String = "postgres", _ more: String = "") -> String {
        let words = "host=127.0.0.1 port=\(port) dbname=\(database) user=\(user)"
        return more.isEmpty ? words : "\(words) \(more)"
    }

    public func connect(
        database: String = "postgres", user: String = "postgres", _ more: String = ""
    ) throws -> SQLClient {
        try SQLClient(dsn(database: database, user: user, more))
    }

    public func get(_ path: String) throws -> HTTPResponse {
        try HTTP.get(path, port: adminPort)
    }

    public func status() throws -> JSONValue {
        try JSONValue(parsing: get("/v1/status").body)
    }

    public func figures() throws -> WaldenFigures {
        WaldenFigures(json: try status())
    }

    /// The samples of `/metrics` by name and labels as printed, e.g. `walden_bypasses_total{reason="write"}`.
    public func metrics() throws -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in try get("/metrics").body.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            samples[String(line[..<space])] = value
        }
        return samples
    }

    public func isReady() throws -> Bool {
        try get("/readyz").status == 200
    }

    public func waitUntilReady(timeout: Duration = .seconds(30)) throws {
        do {
            try eventually("walden is ready", timeout: timeout) { try isReady() }
        } catch {
            throw TestKitError("\(error)\n\(log.suffix(3000))")
        }
    }

    public func waitForLog(_ text: String, timeout: Duration = .seconds(20)) throws {
        try eventually("the log says \(text)", timeout: timeout) { log.contains(text) }
    }

    // MARK: Acting

    /// Replaces the configuration file; it is read again at SIGHUP.
    public func rewriteConfiguration(_ content: String) throws {
        try Files.write(content.utf8, to: configurationPath)
    }

    public func reload() {
        process.signal(SIGHUP)
    }

    public func signal(_ number: Int32) {
        process.signal(number)
    }

    public func waitForExit(timeout: Duration = .seconds(30)) throws -> ExitStatus {
        try process.wait(timeout: timeout)
    }

    /// Asks it to drain and end, and waits for that.
    @discardableResult
    public func terminate(timeout: Duration = .seconds(30)) throws -> ExitStatus {
        process.signal(SIGTERM)
        return try waitForExit(timeout: timeout)
    }
}
