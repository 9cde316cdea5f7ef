import ArgumentParser
import WaldenRuntime

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a primary and say what must be put right, each with its cure.",
        discussion:
            "Exit status: 0 when nothing must be fixed, 1 when something must, 69 when the server cannot be reached.")

    @Argument(help: "The primary's connection string, best with the role that Walden will use.")
    var dsn: String

    @Option(name: .customLong("replica"), help: ArgumentHelp("A standby to look at, too.", valueName: "dsn"))
    var replicas: [String] = []

    @Option(help: ArgumentHelp("The publication that Walden reads.", valueName: "name"))
    var publication = "walden"

    func run() {
        DoctorCommand.run(dsn: dsn, replicas: replicas, publication: publication).exit()
    }
}
