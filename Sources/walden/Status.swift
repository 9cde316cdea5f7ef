import ArgumentParser
import WaldenRuntime

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the figures of a running instance.",
        discussion: "Exit status: 69 when no instance answers.")

    @Option(help: ArgumentHelp("The instance's admin port.", valueName: "host:port"))
    var admin = "127.0.0.1:6433"

    @Flag(name: .customLong("json"), help: "Print the document of /v1/status as it is.")
    var isJSON = false

    func run() {
        StatusCommand.run(admin: admin, isJSON: isJSON).exit()
    }
}
