/// Many runs together.
public struct SimulationReport: Sendable {
    public private(set) var runs = 0
    public private(set) var violations = 0
    private var failovers = 0
    private var switchovers = 0
    private var acknowledged = 0
    private var lines: [String] = []
    /// Runs with a violation that are told of one by one.
    private static let shown = 10

    /// Runs every seed, `jobs` at a time.
    public static func of(seeds: Range<UInt64>, jobs: Int, tellsStory: Bool = false) async -> SimulationReport {
        await withTaskGroup(of: SimulationReport.self) { group in
            for job in 0..<jobs {
                group.addTask {
                    var report = SimulationReport()
                    for seed in seeds where seed % UInt64(jobs) == UInt64(job) {
                        var simulation = Simulation(seed: seed, tellsStory: tellsStory)
                        report.add(simulation.run())
                    }
                    return report
                }
            }
            return await group.reduce(into: SimulationReport()) { $0.add($1) }
        }
    }

    private mutating func add(_ outcome: Simulation.Outcome) {
        runs += 1
        violations += outcome.violations.count
        failovers += outcome.failovers
        switchovers += outcome.switchovers
        acknowledged += outcome.acknowledged
        lines += outcome.story
        guard !outcome.violations.isEmpty, lines.count < Self.shown || !outcome.story.isEmpty else { return }
        lines.append("seed \(outcome.seed) (\(outcome.kind)):")
        lines += outcome.violations.map { "  VIOLATED \($0)" }
    }

    private mutating func add(_ other: SimulationReport) {
        runs += other.runs
        violations += other.violations
        failovers += other.failovers
        switchovers += other.switchovers
        acknowledged += other.acknowledged
        lines += other.lines
    }

    public var text: String {
        let figures =
            "simulation: runs=\(runs) failovers=\(failovers) switchovers=\(switchovers) acknowledged=\(acknowledged) "
            + "violations=\(violations)"
        return (lines + [figures]).joined(separator: "\n")
    }
}
