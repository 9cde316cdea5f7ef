import ArgumentParser

/// docs/benchmarks.md says how it measures, and how to read the result.
@main
struct WaldenBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walden-bench",
        abstract: "Measures Walden beside what else there is, in one run on one machine.",
        subcommands: [Comparison.self, FailoverBench.self, FailoverSoak.self], defaultSubcommand: Comparison.self
    )
}

/// Walden beside PostgreSQL, PgBouncer, Pgpool-II and the least that the machine allows.
struct Comparison: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Measures Walden beside PostgreSQL, PgBouncer, Pgpool-II and the least that the machine allows."
    )

    @Flag(help: "A couple of minutes: few and short rounds, small tables. For a first look, not for figures to quote.")
    var quick = false

    @Option(parsing: .upToNextOption, help: "Only cases whose name begins with one of these words.")
    var only: [String] = []

    @Option(parsing: .upToNextOption, help: "Only systems whose name begins with one of these words.")
    var systems: [String] = []

    @Option(help: "Rounds over all systems of a case; the median counts. (default: 5, with --quick 2)")
    var rounds: Int?

    @Option(help: "Seconds of each measurement, after a warm-up. (default: 1.2, with --quick 0.4)")
    var seconds: Double?

    @Option(help: "Where the rows go.")
    var output = "bench.json"

    @Flag(help: "List the cases and end.")
    var list = false

    func validate() throws {
        if let rounds, rounds < 1 { throw ValidationError("--rounds must be at least 1") }
        if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be above 0") }
    }

    func run() throws {
        let suites = Suites.all(effort: effort)
        if list {
            for suite in suites { for name in suite.caseNames { print(name) } }
            return
        }
        var report = Report()
        let selection = Selection(cases: only, systems: systems)
        let chosen = suites.filter { $0.caseNames.contains(where: selection.includes(case:)) }
        guard !chosen.isEmpty else { throw ValidationError("no case begins with: \(only.joined(separator: ", "))") }
        let bench = try Workbench(effort: effort, selection: selection)
        defer { bench.end() }
        for suite in chosen { try suite.measure(on: bench, into: &report) }
        report.printGoals()
        try report.write(to: output)
        print("\nrows written to \(output)")
        if !report.faults.isEmpty { throw ExitCode(1) }
    }

    private var effort: Effort {
        var effort = quick ? Effort.quick : Effort.full
        if let rounds { effort.rounds = rounds }
        if let seconds { effort.seconds = seconds }
        return effort
    }
}

/// Which cases and systems were asked for; by default all.
struct Selection {
    var cases: [String]
    var systems: [String]

    func includes(case name: String) -> Bool {
        cases.isEmpty || cases.contains { name.hasPrefix($0) }
    }

    func includes(system name: String) -> Bool {
        systems.isEmpty || systems.contains { name.hasPrefix($0) }
    }
}

/// How much is measured.
struct Effort {
    var rounds: Int
    var seconds: Double
    var warmupSeconds: Double
    /// Rows of the table whose updates fill the stream.
    var streamedRows: Int
    /// Entries of one statement.
    var entries: Int
    /// Commits whose way to the cache is timed.
    var commits: Int
    /// Keys that the mixed loads draw from.
    var customers: Int

    static let full = Effort(
        rounds: 5, seconds: 1.2, warmupSeconds: 0.3, streamedRows: 1_000_000, entries: 1_000_000, commits: 2000,
        customers: 100_000)
    static let quick = Effort(
        rounds: 2, seconds: 0.4, warmupSeconds: 0.2, streamedRows: 200_000, entries: 100_000, commits: 300,
        customers: 20_000)
}

/// A group of cases that share their setting.
protocol Suite {
    var caseNames: [String] { get }
    func measure(on bench: Workbench, into report: inout Report) throws
}

enum Suites {
    static func all(effort: Effort) -> [any Suite] {
        [RequestSuite(), CrowdSuite(), GainsSuite(), LevelsSuite(), FreshnessSuite(), StreamSuite(), EntriesSuite()]
    }
}
