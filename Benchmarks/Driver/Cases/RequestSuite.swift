import WaldenTestKit

/// Requests per second, latency and processor time per request of all systems under the same load, one after the other,
/// in several rounds.
struct RequestSuite: Suite {
    var caseNames: [String] { RequestCase.all.map(\.name) }

    func measure(on bench: Workbench, into report: inout Report) throws {
        let cases = RequestCase.all.filter { bench.selection.includes(case: $0.name) }
        let kinds = SystemKind.allCases.filter { kind in
            bench.selection.includes(system: kind.rawValue) && cases.contains { $0.includes(kind) }
        }
        try bench.pinPostgres(Workbench.serverMask)
        let systems = try kinds.map { kind in
            progress("starting \(kind.rawValue)")
            return (kind, try bench.onProcessors(Workbench.serverMask) { try kind.start(bench) })
        }
        // The connections of the systems that have just started may come from server processes of before.
        try bench.pinPostgres(Workbench.serverMask)
        for requestCase in cases {
            progress(requestCase.name)
            var measurement = RequestMeasurement(requestCase, systems.filter { requestCase.includes($0.0) })
            try measurement.run(bench)
            measurement.addRows(to: &report)
            RequestGoals.judge(requestCase, in: &report)
        }
        try bench.pinPostgres(Workbench.allMask)
    }
}

/// The rounds of one case.
private struct RequestMeasurement {
    private let requestCase: RequestCase
    private let systems: [(kind: SystemKind, system: System)]
    private var figures: [SystemKind: [Load.Figures]] = [:]
    private var faults: [String] = []

    init(_ requestCase: RequestCase, _ systems: [(SystemKind, System)]) {
        self.requestCase = requestCase
        self.systems = systems.map { (kind: $0.0, system: $0.1) }
    }

    mutating func run(_ bench: Workbench) throws {
        for (kind, system) in systems where kind.isCache { try fill(system) }
        for _ in 0..<bench.effort.rounds {
            for (kind, system) in systems { try runOnce(bench, kind, system) }
        }
    }

    /// Asks for all keys twice, so that the measured load finds them.
    private func fill(_ system: System) throws {
        var load = requestCase.load
        load.distribution = .sequential
        load.writePercent = 0
        load.requests = load.keys * 2
        load.seconds = 60
        load.warmupSeconds = 0
        _ = try load.run(port: system.port)
    }

    private mutating func runOnce(_ bench: Workbench, _ kind: SystemKind, _ system: System) throws {
        var load = requestCase.load
        load.seconds = bench.effort.seconds
        load.warmupSeconds = bench.effort.warmupSeconds
        load.watched = system.watched
        // A client that sleeps has to be woken, at the cost of whoever writes to it; one that a fast system keeps busy
        // does not sleep. All systems shall find the same client.
        load.spins = load.connections > 1
        if kind == .waldenMiss {
            load.distribution = .sequential
            load.firstKey = system.freshKey
            load.keys = bench.accounts - system.freshKey + 1
        }
        let hitsBefore = try system.walden?.hits() ?? 0
        let result = try load.run(port: system.port)
        figures[kind, default: []].append(result)
        if result.faults > 0 {
            faults.append("\(requestCase.name), \(system.name): \(result.faults) errors, \(result.firstError ?? "")")
        }
        let hits = try system.walden?.hits() ?? 0
        judgeHits(kind, Double(hits - hitsBefore) / max(1, result["issued"]))
        if kind == .waldenMiss {
            system.freshKey += Int(result["issued"])
            // By then another protocol is measured, to which all results are new again.
            if system.freshKey > bench.accounts * 3 / 4 { system.freshKey = 1 }
        }
    }

    /// A system whose cache did not do what the column's name says has not been measured.
    private mutating func judgeHits(_ kind: SystemKind, _ share: Double) {
        let isRight =
            switch kind {
            case .waldenHit: share >= 0.99 || requestCase.load.writePercent > 0
            case .waldenMiss, .waldenOff, .waldenPooled: share <= 0.01
            default: true
            }
        guard !isRight else { return }
        faults.append("\(requestCase.name), \(kind.rawValue): \(shortened(share * 100)) % of the requests were hits")
    }

    func addRows(to report: inout Report) {
        for fault in faults { report.add(fault: fault) }
        var table = TextTable(header: [requestCase.name] + columns.map(\.title))
        for (kind, system) in systems {
            let rounds = figures[kind] ?? []
            var cells = [system.name]
            for column in columns {
                let values = rounds.map { $0[column.key] }.filter(\.isFinite)
                cells.append(values.isEmpty ? "" : shortened(median(values) * column.scale))
                guard !values.isEmpty else { continue }
                report.add(
                    Row(
                        case: requestCase.name, system: system.name, metric: column.metric, unit: column.unit,
                        value: median(values) * column.scale))
            }
            table.add(cells)
        }
        table.print()
    }

    private struct Column {
        let key: String
        let metric: String
        let unit: String
        let title: String
        var scale = 1.0
    }

    private let columns = [
        Column(key: "cpu.own", metric: "cpu", unit: "us/request", title: "CPU µs"),
        Column(key: "cpu.server", metric: "server_cpu", unit: "us/request", title: "PostgreSQL CPU µs"),
        Column(key: "rps", metric: "throughput", unit: "requests/s", title: "requests/s"),
        Column(key: "p50", metric: "p50", unit: "us", title: "p50 µs"),
        Column(key: "p99", metric: "p99", unit: "us", title: "p99 µs"),
        Column(key: "p999", metric: "p999", unit: "us", title: "p999 µs"),
    ]
}

/// Of an even number of values, the higher of the two in the middle.
func median(_ values: [Double]) -> Double {
    values.sorted()[values.count / 2]
}
