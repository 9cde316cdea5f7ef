import ArgumentParser
import Glibc
import WaldenRuntime

/// Where the sentinel is, which all its commands need.
struct SentinelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The sentinel's directory. Default: failover.directory.", valueName: "path"))
    var directory: String?

    @Option(help: ArgumentHelp("Walden's configuration. Default: WALDEN_CONFIG.", valueName: "file"))
    var config: String?

    var place: ControlCommand.Place { ControlCommand.Place(directory: directory, configurationFile: config) }
}

struct Switchover: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make another node the primary, without losing anything.",
        discussion: "Returns when it is over. Exit status: 0 when it is done, 1 when it was refused or given up.")

    @OptionGroup var sentinel: SentinelOptions

    @Option(help: ArgumentHelp("The node, by its name. Default: the one that is furthest.", valueName: "node"))
    var to: String?

    @Flag(help: "Do nothing; say whom it would choose, what stands in its way, and about how long it would take.")
    var dryRun = false

    func run() {
        ControlCommand.run(.switchover(to: to, isRehearsal: dryRun), at: sentinel.place).exit()
    }
}

struct Failover: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace a primary that does not answer, although acknowledged commits may be lost.",
        discussion: """
            Says what may be lost, and goes on only with --force. Needed only where the sentinel waits for people. Exit \
            status: 0 when it is done, 1 when it was refused or given up, 64 without --force.
            """)

    @OptionGroup var sentinel: SentinelOptions

    @Flag(help: "Do it, whatever is lost.")
    var force = false

    func run() {
        ControlCommand.fail(at: sentinel.place, isForced: force) {
            CommandOutcome.write($0, to: STDOUT_FILENO)
        }.exit()
    }
}

struct Pause: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the sentinel stay out: nothing is failed over from until `walden resume`.")

    @OptionGroup var sentinel: SentinelOptions

    func run() {
        ControlCommand.run(.pause, at: sentinel.place).exit()
    }
}

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Have the sentinel watch again, after `walden pause`.")

    @OptionGroup var sentinel: SentinelOptions

    func run() {
        ControlCommand.run(.resume, at: sentinel.place).exit()
    }
}

struct Incidents: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the failovers and switchovers, newest first, or tell one in full.",
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One line each, newest first.")

        @OptionGroup var sentinel: SentinelOptions

        func run() {
            ControlCommand.run(.incidents, at: sentinel.place).exit()
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One in full: its cause, every row and step with its time, the outage, its outcome.")

        @OptionGroup var sentinel: SentinelOptions

        @Argument(help: "Its number.")
        var number: UInt64

        func run() {
            ControlCommand.run(.incident(number), at: sentinel.place).exit()
        }
    }
}
