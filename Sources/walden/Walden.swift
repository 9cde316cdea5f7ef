import ArgumentParser
import WaldenRuntime

@main
struct Walden: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walden", abstract: "Cached reads in front of PostgreSQL, invalidated by its own log.",
        version: Version.current,
        subcommands: [
            Run.self, Init.self, Doctor.self, Explain.self, Status.self, Switchover.self, Failover.self, Pause.self,
            Resume.self, Incidents.self, Agent.self,
        ])
}
