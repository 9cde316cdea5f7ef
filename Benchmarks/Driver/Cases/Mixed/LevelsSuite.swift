import WaldenTestKit

/// What the consistency levels cost: the same load on the same Walden, each connection with another level.
struct LevelsSuite: Suite {
    private enum Level: String, CaseIterable {
        case bounded, session, strict

        var systemName: String { "walden-\(rawValue)" }
        /// A setting with a dot in its name is legal before PostgreSQL itself, too.
        var initStatement: String { "SET walden.consistency = '\(rawValue)'" }
    }

    private struct Case {
        let connections: Int
        let writePercent: Int

        var name: String { "levels-\(connections)-writes-\(writePercent)" }
    }

    private static let cases = [0, 5].flatMap { percent in
        [1, 8, 64].map { Case(connections: $0, writePercent: percent) }
    }

    var caseNames: [String] { Self.cases.map(\.name) }

    func measure(on bench: Workbench, into report: inout Report) throws {
        let cases = Self.cases.filter { bench.selection.includes(case: $0.name) }
        let levels = Level.allCases.filter { bench.selection.includes(system: $0.systemName) }
        guard !levels.isEmpty else { return }
        try CustomerLoad.createTables(on: bench)
        try bench.pinPostgres(Workbench.serverMask)
        progress("starting walden")
        let system = try bench.onProcessors(Workbench.serverMask) {
            try System.walden(bench, named: "walden", workers: 1)
        }
        try bench.pinPostgres(Workbench.serverMask)
        for each in cases {
            progress(each.name)
            var measurement = MixedMeasurement(each.name, systems: levels.map(\.systemName))
            var load = CustomerLoad.point.load(
                .prepared, connections: each.connections, writePercent: each.writePercent, on: bench)
            for round in 1...bench.effort.rounds {
                load.seed = round
                for level in levels {
                    load.initStatement = level.initStatement
                    try system.settle(load, .point, on: bench)
                    try measurement.measure(load, system, as: level.systemName, into: &report)
                }
            }
            measurement.addRows(to: &report)
            compare(each, in: &report)
        }
        try bench.pinPostgres(Workbench.allMask)
        printSummary(cases, levels, report)
    }

    /// Without goals: what a promise costs is to be known, and is what it is.
    private func compare(_ each: Case, in report: inout Report) {
        for level in [Level.session, .strict] {
            for metric in ["whole_cpu", "throughput", "p50"] {
                report.compare(
                    case: each.name, system: level.systemName, with: Level.bounded.systemName, metric: metric)
            }
        }
    }

    /// The table of the documentation.
    private func printSummary(_ cases: [Case], _ levels: [Level], _ report: Report) {
        let metrics = ["hit_rate", "throughput", "whole_cpu", "cpu", "server_cpu", "p50", "p99"]
        var table = TextTable(header: [
            "writes %", "connections", "level", "hits %", "requests/s", "CPU µs per request", "of it Walden",
            "PostgreSQL", "p50 µs", "p99 µs", "CPU against bounded",
        ])
        for each in cases {
            for level in levels {
                let cost = report.rows.last {
                    $0.case == each.name && $0.system == level.systemName && $0.metric == "whole_cpu"
                }
                table.add(
                    [String(each.writePercent), String(each.connections), level.rawValue]
                        + metrics.map { report.shown(case: each.name, system: level.systemName, metric: $0) }
                        + [cost?.ratio.map(shortened) ?? ""])
            }
        }
        print("\nConsistency levels, for docs/benchmarks.md\n")
        table.printMarkdown()
    }
}
