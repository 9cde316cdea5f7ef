import ArgumentParser
import WaldenTestKit

/// A cluster in which nothing fails, for a long time: a sentinel that replaces a primary which works costs more than none.
struct FailoverSoak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "Loads a cluster in which nothing fails, and counts failovers.")

    @Option(help: "How long.")
    var minutes = 30

    @ArgumentParser.Flag(help: "Far more work than the machine can do, at the primary itself, past Walden.")
    var overload = false

    private static let heavyClients = 32
    private static let bulkClients = 4

    func run() throws {
        var configuration = SuccessionLoad.configuration
        configuration.schema += "; CREATE TABLE bulk (id int, filler text)"
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        let isOver = WaldenTestKit.Flag()
        let burden = overload ? try self.burden(stack, until: isOver) : []
        let end = ContinuousClock.now + .seconds(minutes * 60)
        var worst = 0.0
        while ContinuousClock.now < end {
            // How slow an overloaded machine may become is no question here.
            try load.progress(within: overload ? .seconds(600) : .seconds(60))
            let metrics = try stack.walden.metrics()
            worst = max(worst, metrics["walden_failover_estimated_seconds"] ?? 0)
        }
        isOver.raise()
        for thread in burden { try thread.join() }
        let incidents = try stack.order(["incidents"])
        let verdict = try load.judge()
        print(incidents.output)
        print(
            "minutes=\(minutes) overload=\(overload) writes=\(verdict.writes) reads=\(verdict.reads) "
                + "longest_gap=\(verdict.outage) write_errors=\(verdict.writeErrors.count) "
                + "read_errors=\(verdict.readErrors.count) lost=\(verdict.lost.count) twice=\(verdict.twice.count) "
                + "worst_estimate=\(worst) failovers=\(try failovers(stack))")
        guard try failovers(stack) == 0, verdict.writeErrors.isEmpty, verdict.readErrors.isEmpty else {
            print("\(verdict)")
            throw ExitCode(1)
        }
    }

    /// Incidents of any kind, those given up included.
    private func failovers(_ stack: FailoverStack) throws -> Int {
        let metrics = try stack.walden.metrics()
        let names = ["failovers", "switchovers", "aborted"]
        return names.reduce(0) { $0 + Int(metrics["walden_failover_\($1)_total"] ?? 0) }
    }

    private func burden(_ stack: FailoverStack, until isOver: WaldenTestKit.Flag) throws -> [BackgroundThread<Void>] {
        let primary = stack.cluster.primary
        let heavy = try (0..<Self.heavyClients).map { _ in
            try BackgroundThread {
                let client = try primary.connect()
                while !isOver.isRaised {
                    try client.query("SELECT sum(sqrt(n)) FROM generate_series(1, 300000) n")
                }
            }
        }
        let bulk = try (0..<Self.bulkClients).map { number in
            try BackgroundThread {
                let client = try primary.connect()
                while !isOver.isRaised {
                    try client.query(
                        "INSERT INTO bulk SELECT \(number), repeat('x', 500) FROM generate_series(1, 5000)")
                    try client.query("DELETE FROM bulk WHERE id = \(number)")
                    try client.query("VACUUM bulk")
                }
            }
        }
        return heavy + bulk
    }
}
