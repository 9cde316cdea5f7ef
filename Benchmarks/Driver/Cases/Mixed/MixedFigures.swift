import WaldenTestKit

/// The figures of one system under one mixed load, a value of each round.
struct MixedFigures {
    let systemName: String
    private var rounds: [[Double?]] = []
    private var counts = CacheCounts()
    private var reads = 0

    init(_ systemName: String) {
        self.systemName = systemName
    }

    struct Metric {
        let name: String
        let unit: String
        let title: String
        fileprivate let value: (Load.Figures, _ hitPercent: Double?) -> Double?

        init(
            _ name: String, unit: String, title: String, _ value: @escaping (Load.Figures, Double?) -> Double?
        ) {
            self.name = name
            self.unit = unit
            self.title = title
            self.value = value
        }
    }

    /// The processor time per request of all that stands behind the port.
    private static func wholeTime(_ load: Load.Figures) -> Double {
        load["cpu.own"] + (load.values["cpu.server"] ?? 0)
    }

    /// Instances are written out because closures of a static property would have to be sendable.
    static var metrics: [Metric] {
        [
            Metric("hit_rate", unit: "%", title: "hits %") { $1 },
            Metric("throughput", unit: "requests/s", title: "requests/s") { load, _ in load["rps"] },
            Metric("reads", unit: "reads/s", title: "reads/s") { load, _ in load["reads_per_second"] },
            Metric("per_cpu_second", unit: "requests/CPU s", title: "requests/CPU s") { load, _ in
                1e6 / wholeTime(load)
            },
            Metric("whole_cpu", unit: "us/request", title: "CPU µs") { load, _ in wholeTime(load) },
            Metric("cpu", unit: "us/request", title: "own µs") { load, _ in load["cpu.own"] },
            Metric("server_cpu", unit: "us/request", title: "PostgreSQL µs") { load, _ in load["cpu.server"] },
            Metric("p50", unit: "us", title: "p50 µs") { load, _ in load["p50"] },
            Metric("p99", unit: "us", title: "p99 µs") { load, _ in load["p99"] },
            Metric("read_p99", unit: "us", title: "p99 of reads µs") { load, _ in load["read_p99"] },
            Metric("write_p50", unit: "us", title: "p50 of writes µs") { load, _ in load["write_p50"] },
        ]
    }

    /// - Parameter counts: what the cache has counted while the load ran, its warm-up included.
    mutating func add(_ load: Load.Figures, _ counts: CacheCounts?) {
        let hitPercent = counts.map { Double($0.hits) * 100 / max(1, load["issued_reads"]) }
        rounds.append(Self.metrics.map { $0.value(load, hitPercent).flatMap { $0.isFinite ? $0 : nil } })
        if let counts { self.counts = self.counts + counts }
        reads += Int(load["issued_reads"])
    }

    /// What became of the reads that were no hits, where the cache tells.
    var fates: String? { counts.fates.isEmpty ? nil : counts.fates(ofReads: reads) }

    /// Adds the medians to the report, and gives them for a table.
    func addRows(case name: String, to report: inout Report) -> [String] {
        Self.metrics.enumerated().map { index, metric in
            let values = rounds.compactMap { $0[index] }
            guard !values.isEmpty else { return "" }
            let value = median(values)
            report.add(
                Row(case: name, system: systemName, metric: metric.name, unit: metric.unit, value: value))
            return shortened(value)
        }
    }
}

/// The figures of one case, system by system.
struct MixedMeasurement {
    let name: String
    private var figures: [MixedFigures]

    init(_ name: String, systems: [String]) {
        self.name = name
        figures = systems.map(MixedFigures.init)
    }

    /// Puts the system under the load once.
    mutating func measure(
        _ load: Load, _ system: System, as systemName: String, into report: inout Report
    ) throws {
        guard let index = figures.firstIndex(where: { $0.systemName == systemName }) else { return }
        var load = load
        load.watched = system.watched
        let before = try system.cacheCounts()
        let result = try load.run(port: system.port)
        let after = try system.cacheCounts()
        if result.faults > 0 {
            report.add(fault: "\(name), \(systemName): \(result.faults) errors, \(result.firstError ?? "")")
        }
        var counts: CacheCounts?
        if let before, let after {
            counts = after - before
            // Pgpool-II 4.3 counts a hit of the extended protocol twice.
            if system.name == "pgpool" && load.mode != .simple { counts?.hits /= 2 }
        }
        figures[index].add(result, counts)
    }

    func addRows(to report: inout Report) {
        var table = TextTable(header: [name] + MixedFigures.metrics.map(\.title))
        for system in figures {
            table.add([system.systemName] + system.addRows(case: name, to: &report))
        }
        table.print()
        for system in figures {
            if let fates = system.fates { print("  \(system.systemName): \(fates)") }
        }
    }
}

extension Report {
    /// The figure for a table, or a dash where it was not measured.
    func shown(case name: String, system: String, metric: String) -> String {
        value(case: name, system: system, metric: metric).map(shortened) ?? "–"
    }
}
