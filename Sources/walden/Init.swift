import ArgumentParser
import Glibc
import WaldenRuntime

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Install in a database what Walden needs there.",
        discussion: """
            Creates the schema walden, the publication walden, an event trigger that tells of schema changes, and the \
            grants for a role of Walden's own. Needs a superuser once. Running it again does no harm.
            """)

    @Argument(help: "The primary's connection string, as psql takes it.")
    var dsn: String

    @Flag(help: "Print the SQL instead of running it.")
    var dryRun = false

    @Flag(help: "Take everything away again.")
    var uninstall = false

    func run() {
        let mode: InitCommand.Mode = dryRun ? .preview(isUninstall: uninstall) : uninstall ? .uninstall : .install
        InitCommand.run(dsn: dsn, mode: mode) { CommandOutcome.write($0 + "\n", to: STDOUT_FILENO) }.exit()
    }
}
