import ArgumentParser
import WaldenRuntime

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a statement's result may be cached, and which changes drop it.",
        discussion: "The statement is not run.")

    @Argument(help: "The primary's connection string.")
    var dsn: String

    @Argument(help: "The SQL text.")
    var statement: String

    @Option(help: ArgumentHelp("The role whose session sends it. Default: the connection's.", valueName: "name"))
    var role: String?

    @Option(help: ArgumentHelp("The session's search_path. Default: the role's.", valueName: "list"))
    var searchPath: String?

    @Option(help: ArgumentHelp("The publication that Walden reads.", valueName: "name"))
    var publication = "walden"

    func run() {
        var session = ExplainCommand.Session()
        session.role = role
        session.searchPath = searchPath
        session.publication = publication
        ExplainCommand.run(dsn: dsn, statement: statement, session: session).exit()
    }
}
