import WaldenTestKit

/// What a cache gains when rows change: hit rate, and requests per second of processor time, of Walden, Pgpool-II's
/// cache and PostgreSQL under reads and writes of keys that are not equally popular.
struct GainsSuite: Suite {
    private static let writePercents = [0, 1, 5, 20]
    private static let modes = [Load.QueryMode.simple, .prepared]
    /// As many as a pool of an application has.
    private static let connections = 16

    private struct Case {
        let kind: CustomerLoad
        let mode: Load.QueryMode
        let writePercent: Int

        var name: String { "gains-\(kind.rawValue)-\(mode.rawValue)-\(writePercent)" }

        /// Pgpool-II 4.3 leaves transactions open when it answers from its cache in the extended protocol; with writes
        /// on several connections these soon wait for each other for ever (`pgbench -M prepared` fails likewise).
        func includes(_ system: System) -> Bool {
            system.name != "pgpool" || mode == .simple || writePercent == 0
        }
    }

    private enum Contestant: String, CaseIterable {
        case walden, pgpool, postgresql

        func start(_ bench: Workbench) throws -> System {
            switch self {
            case .walden: try .walden(bench, named: rawValue, workers: 1)
            case .pgpool: try .pgpool(bench)
            case .postgresql: try System(bench)
            }
        }
    }

    private static let cases = CustomerLoad.allCases.flatMap { kind in
        modes.flatMap { mode in writePercents.map { Case(kind: kind, mode: mode, writePercent: $0) } }
    }

    var caseNames: [String] { Self.cases.map(\.name) }

    func measure(on bench: Workbench, into report: inout Report) throws {
        let cases = Self.cases.filter { bench.selection.includes(case: $0.name) }
        let contestants = Contestant.allCases.filter { bench.selection.includes(system: $0.rawValue) }
        guard !contestants.isEmpty else { return }
        try CustomerLoad.createTables(on: bench)
        try bench.pinPostgres(Workbench.serverMask)
        let systems = try contestants.map { contestant in
            progress("starting \(contestant.rawValue)")
            return try bench.onProcessors(Workbench.serverMask) { try contestant.start(bench) }
        }
        try bench.pinPostgres(Workbench.serverMask)
        let walden = systems.first { $0.walden != nil }
        for each in cases {
            progress(each.name)
            try measure(each, systems.filter(each.includes), walden, on: bench, into: &report)
        }
        try bench.pinPostgres(Workbench.allMask)
        printSummary(cases, report)
    }

    private func measure(
        _ each: Case, _ systems: [System], _ walden: System?, on bench: Workbench, into report: inout Report
    ) throws {
        var load = each.kind.load(each.mode, connections: Self.connections, writePercent: each.writePercent, on: bench)
        var measurement = MixedMeasurement(each.name, systems: systems.map(\.name))
        for round in 1...bench.effort.rounds {
            load.seed = round
            for system in systems {
                // Pgpool-II's cache is empty after each write: nothing to bring about, but without writes.
                if system.name == "pgpool", each.writePercent == 0, round == 1 { try system.fill(load) }
                try system.settle(load, each.kind, on: bench)
                let pause = system.walden == nil ? try walden?.pause(bench) : nil
                try withExtendedLifetime(pause) {
                    try measurement.measure(load, system, as: system.name, into: &report)
                }
            }
        }
        measurement.addRows(to: &report)
        judge(each, in: &report)
    }

    private func judge(_ each: Case, in report: inout Report) {
        let isTheGoals = each.writePercent == 5 && each.kind == .join
        report.compare(
            case: each.name, system: "walden", with: "pgpool", metric: "hit_rate",
            goal: isTheGoals ? .atLeast(5) : nil)
        report.compare(
            case: each.name, system: "walden", with: "postgresql", metric: "per_cpu_second",
            goal: isTheGoals ? .atLeast(1) : nil)
    }

    /// The table of the documentation.
    private func printSummary(_ cases: [Case], _ report: Report) {
        let columns: [(title: String, system: String, metric: String)] = [
            ("hits %, Walden", "walden", "hit_rate"), ("Pgpool-II", "pgpool", "hit_rate"),
            ("requests/s, Walden", "walden", "throughput"), ("Pgpool-II", "pgpool", "throughput"),
            ("PostgreSQL", "postgresql", "throughput"),
            ("requests per CPU second, Walden", "walden", "per_cpu_second"),
            ("Pgpool-II", "pgpool", "per_cpu_second"), ("PostgreSQL", "postgresql", "per_cpu_second"),
        ]
        var table = TextTable(header: ["read", "protocol", "writes %"] + columns.map(\.title))
        for each in cases {
            table.add(
                [each.kind.rawValue, each.mode.rawValue, String(each.writePercent)]
                    + columns.map { report.shown(case: each.name, system: $0.system, metric: $0.metric) })
        }
        print("\nGains, for docs/benchmarks.md\n")
        table.printMarkdown()
    }
}
