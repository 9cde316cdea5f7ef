import Glibc
import Logging
import ServiceLifecycle
import UnixSignals
import WaldenAgent
import WaldenCore

/// `walden agent`.
public enum AgentCommand {
    /// The command line, as it was given.
    public struct Arguments: Sendable {
        public var dataDirectory = ""
        public var listen: String?
        public var socket: String?
        public var certificate: String?
        public var key: String?
        public var clientAuthority: String?
        public var binDirectory: String?
        public var configurationFile: String?
        public var stateDirectory = ""
        public var serverLog: String?
        public var server: String?
        public var logFormat = "text"
        public var logLevel = "info"

        public init() {}
    }

    /// Runs until SIGTERM or SIGINT; PostgreSQL goes on.
    public static func run(_ arguments: Arguments) async -> CommandOutcome {
        let options: AgentOptions
        do throws(Quantity.Malformed) {
            options = try read(arguments)
        } catch {
            return .failed(error.reason, .usage)
        }
        // Whatever it makes is for its own user; the socket, too, before its mode is set.
        umask(0o077)
        let log = LogSetup.logger(format: arguments.logFormat, level: LogLevel(arguments.logLevel)).part("agent")
        do {
            let agent = try Agent(options, log: log)
            let server = try AgentServer(agent, log: log) { _ in ServiceNotifier.notify("READY=1") }
            var quiet = log
            quiet.logLevel = .notice
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
            try await group.run()
            return CommandOutcome("")
        } catch {
            return .failed("\(error)", .unavailable)
        }
    }

    static func read(_ arguments: Arguments) throws(Quantity.Malformed) -> AgentOptions {
        for (flag, path) in [
            ("--data-directory", arguments.dataDirectory), ("--state-directory", arguments.stateDirectory),
        ]
        where !path.hasPrefix("/") {
            throw Quantity.Malformed(reason: "\(flag) must be an absolute path")
        }
        _ = try Quantity.oneOf(arguments.logFormat, ["text", "json"])
        _ = try Quantity.oneOf(
            arguments.logLevel, ["trace", "debug", "info", "notice", "warning", "error", "critical"])
        var options = AgentOptions(
            dataDirectory: arguments.dataDirectory, listening: try listening(arguments),
            stateDirectory: arguments.stateDirectory)
        options.binDirectory = arguments.binDirectory
        options.configurationFile = arguments.configurationFile
        options.serverLog = arguments.serverLog
        options.server = arguments.server
        return options
    }

    /// Over TCP only with certificates on both sides: who gets in may stop the database.
    private static func listening(_ arguments: Arguments) throws(Quantity.Malformed) -> AgentOptions.Listening {
        switch (arguments.listen, arguments.socket) {
        case (nil, nil), (.some, .some):
            throw Quantity.Malformed(reason: "give either --listen ADDRESS or --socket PATH")
        case (nil, .some(let path)):
            guard case .unix(let path) = try Quantity.address("unix:\(path)") else {
                throw Quantity.Malformed(reason: "--socket must be an absolute path")
            }
            return .socket(path: path)
        case (.some(let address), nil):
            guard case .tcp(let host, let port) = try Quantity.address(address) else {
                throw Quantity.Malformed(reason: "--listen must be host:port")
            }
            guard let certificate = arguments.certificate, let key = arguments.key,
                let authority = arguments.clientAuthority
            else {
                throw Quantity.Malformed(
                    reason: "--listen needs --tls-certificate, --tls-key and --tls-client-ca: who gets in may stop the "
                        + "database, so clients must show a certificate")
            }
            return .tls(
                host: host, port: port, .init(certificate: certificate, key: key, clientAuthority: authority))
        }
    }
}
