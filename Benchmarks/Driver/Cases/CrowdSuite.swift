import WaldenTestKit

/// Many clients at the same time, of which most are silent: what each of these costs in memory, and how well the others
/// are served meanwhile.
///
/// Behind Walden and PgBouncer stands the C responder, which bears as many connections as there are clients, so that a
/// connection at either end can be had for each of them and the machine's memory is not PostgreSQL's. Nothing is pinned:
/// PgBouncer has one thread, Walden two.
struct CrowdSuite: Suite {
    private static let name = "crowd"
    private static let active = 1_000
    private static let idle = 5_000

    var caseNames: [String] { [Self.name] }

    func measure(on bench: Workbench, into report: inout Report) throws {
        let kinds: [(name: String, start: (Workbench, System) throws -> System)] = [
            ("walden-off", { _, responder in try System.walden(before: responder, clients: Self.idle + Self.active + 100) }),
            ("pgbouncer-session", { try System.pgbouncer($0, before: $1, clients: Self.idle + Self.active + 100) }),
        ]
        let chosen = kinds.filter { bench.selection.includes(system: $0.name) }
        progress("\(Self.name): \(Self.idle) idle and \(Self.active) active clients")
        var figures: [(name: String, rounds: [Load.Figures])] = chosen.map { ($0.name, []) }
        for _ in 0..<bench.effort.rounds {
            for (index, kind) in chosen.enumerated() {
                // A new process each time: what it has kept of earlier clients would not show as growth.
                let responder = try System.floor(bench)
                let system = try kind.start(bench, responder)
                let result = try withExtendedLifetime((responder, system)) {
                    try load(bench, system).run(port: system.port)
                }
                figures[index].rounds.append(result)
                if result.faults > 0 {
                    report.add(fault: "\(Self.name), \(kind.name): \(result.faults) errors, \(result.firstError ?? "")")
                }
            }
        }
        addRows(figures, to: &report)
    }

    private func load(_ bench: Workbench, _ system: System) -> Load {
        var load = Load()
        load.connections = Self.active
        load.idle = Self.idle
        load.seconds = bench.effort.seconds
        load.warmupSeconds = bench.effort.warmupSeconds
        load.watched = system.watched
        load.processor = nil
        return load
    }

    private func addRows(_ figures: [(name: String, rounds: [Load.Figures])], to report: inout Report) {
        let columns = [
            ("idle_bytes.own", "idle_memory", "bytes/client", "bytes per idle client"),
            ("cpu.own", "cpu", "us/request", "CPU µs"),
            ("rps", "throughput", "requests/s", "requests/s"),
            ("p50", "p50", "us", "p50 µs"),
            ("p99", "p99", "us", "p99 µs"),
        ]
        var table = TextTable(header: [Self.name] + columns.map(\.3))
        for (name, rounds) in figures {
            var cells = [name]
            for (key, metric, unit, _) in columns {
                let value = median(rounds.map { $0[key] })
                cells.append(shortened(value))
                report.add(
                    Row(
                        case: Self.name, system: name, metric: metric, unit: unit, value: value,
                        goal: metric == "idle_memory" && name == "walden-off" ? .atMost(12 * 1024) : nil))
            }
            table.add(cells)
        }
        table.print()
        if figures.count == 2 {
            report.compare(
                case: Self.name, system: "walden-off", with: "pgbouncer-session", metric: "throughput", goal: .atLeast(1))
        }
    }
}
