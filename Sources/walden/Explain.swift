import ArgumentParser
import WaldenRuntime

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a statement's result may be cached, and which changes drop it.",
        usage: """
            walden explain <dsn> <statement> [--role <name>] [--search-path <list>] [--publication <name>]
            walden explain --instance <url> <statement> [--role <name>] [--search-path <list>] [--json]
            """,
        discussion: "The statement is not run. A running instance also tells what its results have cost and saved.")

    @Argument(help: "The primary's connection string, unless --instance is given; then the SQL text.")
    var arguments: [String]

    @Option(help: ArgumentHelp("Ask the running instance with this admin port.", valueName: "http://host:port"))
    var instance: String?

    @Option(help: ArgumentHelp("The role whose session sends it. Default: the connection's.", valueName: "name"))
    var role: String?

    @Option(help: ArgumentHelp("The session's search_path. Default: the role's.", valueName: "list"))
    var searchPath: String?

    @Option(help: ArgumentHelp("The publication that Walden reads.", valueName: "name"))
    var publication = "walden"

    @Flag(name: .customLong("json"), help: "With --instance: print the document as it is.")
    var isJSON = false

    func validate() throws {
        let wanted = instance == nil ? 2 : 1
        guard arguments.count == wanted else {
            throw ValidationError(
                instance == nil ? "give the connection string and the statement" : "give the statement alone")
        }
    }

    func run() {
        let statement = arguments.last ?? ""
        if let instance {
            LiveExplainCommand.run(
                instance: instance, statement: statement, role: role, searchPath: searchPath, isJSON: isJSON
            ).exit()
        }
        var session = ExplainCommand.Session()
        session.role = role
        session.searchPath = searchPath
        session.publication = publication
        ExplainCommand.run(dsn: arguments[0], statement: statement, session: session).exit()
    }
}
