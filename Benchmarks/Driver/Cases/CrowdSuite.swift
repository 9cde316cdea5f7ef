import WaldenTestKit

/// Many clients at the same time, of which most are silent: what each of these costs in memory, and how well the others
/// are served meanwhile. All share a few server connections.
///
/// Nothing is pinned: PgBouncer has one thread, Walden two or, as `walden-pooled-1`, one; PostgreSQL and the load have what
/// they leave.
struct CrowdSuite: Suite {
    private static let name = "crowd"
    private static let links = 50
    private static let active = 1_000
    private static let idle = 10_000

    var caseNames: [String] { [Self.name] }

    func measure(on bench: Workbench, into report: inout Report) throws {
        let clients = Self.idle + Self.active + 100
        let kinds: [(name: String, start: () throws -> System)] = [
            ("walden-pooled", { try .waldenPool(bench, links: Self.links, clients: clients, workers: 2) }),
            ("walden-pooled-1", { try .waldenPool(bench, links: Self.links, clients: clients, workers: 1) }),
            ("pgbouncer", { try .pgbouncer(bench, .transaction, links: Self.links, clients: clients) }),
        ]
        let chosen = kinds.filter { bench.selection.includes(system: $0.name) }
        progress("\(Self.name): \(Self.idle) idle and \(Self.active) active clients, \(Self.links) server connections")
        var figures: [(name: String, rounds: [Load.Figures])] = chosen.map { ($0.name, []) }
        for _ in 0..<bench.effort.rounds {
            for (index, kind) in chosen.enumerated() {
                // A new process each time: memory that it has kept of earlier clients would hide the growth.
                let system = try kind.start()
                let result = try load(bench, system).run(port: system.port)
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
                        goal: metric == "idle_memory" && name == "walden-pooled" ? .atMost(12 * 1024) : nil))
            }
            table.add(cells)
        }
        table.print()
        for system in ["walden-pooled", "walden-pooled-1"] {
            report.compare(
                case: Self.name, system: system, with: "pgbouncer", metric: "throughput", goal: .atLeast(1))
        }
    }
}
