import ArgumentParser
import WaldenRuntime

struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "On a database's host: stop its server for good, or make it a standby of another.",
        discussion: """
            Runs as the user that owns the data directory. Exit status: 64 for a command line that makes no sense, 69 when \
            something else keeps it from working.
            """)

    @Option(help: ArgumentHelp("The server's data directory.", valueName: "path"))
    var dataDirectory: String

    @Option(help: ArgumentHelp("Listen there, for clients with a certificate.", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("Listen there, for this user only.", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("The agent's certificate and those above it (PEM).", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("Its private key (PEM).", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("The authority of clients' certificates (PEM).", valueName: "file"))
    var tlsClientCa: String?

    @Option(help: ArgumentHelp("Where pg_ctl is. Default: Debian's place for the server's version.", valueName: "path"))
    var binDirectory: String?

    @Option(help: ArgumentHelp("postgresql.conf, if it is not in the data directory.", valueName: "file"))
    var configFile: String?

    @Option(help: ArgumentHelp("For the agent's memory.", valueName: "path"))
    var stateDirectory = "/var/lib/walden-agent"

    @Option(
        help: ArgumentHelp(
            "For the server's first lines. Default: server.log in the state directory.", valueName: "file"))
    var serverLog: String?

    @Option(help: ArgumentHelp("How to ask the server. Default: by its socket, database postgres.", valueName: "dsn"))
    var server: String?

    @Option(help: ArgumentHelp("text or json.", valueName: "format"))
    var logFormat = "text"

    @Option(help: ArgumentHelp("debug, info, notice, warning or error.", valueName: "level"))
    var logLevel = "info"

    func run() async {
        var arguments = AgentCommand.Arguments()
        arguments.dataDirectory = dataDirectory
        arguments.listen = listen
        arguments.socket = socket
        arguments.certificate = tlsCertificate
        arguments.key = tlsKey
        arguments.clientAuthority = tlsClientCa
        arguments.binDirectory = binDirectory
        arguments.configurationFile = configFile
        arguments.stateDirectory = stateDirectory
        arguments.serverLog = serverLog
        arguments.server = server
        arguments.logFormat = logFormat
        arguments.logLevel = logLevel
        await AgentCommand.run(arguments).exit()
    }
}
