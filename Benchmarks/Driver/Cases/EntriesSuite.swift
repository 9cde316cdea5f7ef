import Glibc
import WaldenTestKit

/// Very many entries of one statement: what each takes in memory, and what a change costs that none of them depends on.
struct EntriesSuite: Suite {
    var caseNames: [String] { ["many-entries"] }

    func measure(on bench: Workbench, into report: inout Report) throws {
        guard bench.selection.includes(system: "walden") else { return }
        let name = caseNames[0]
        let count = bench.effort.entries
        progress("\(name): \(count) entries")
        let system = try System.walden(bench, named: "walden")
        guard let walden = system.walden else { return }
        // Connections, statements and pools are there before the first look at the memory.
        try load(1000, system, from: bench.accounts - 1000)
        let emptyBytes = try ProcessTable.residentBytes(of: system.pid)
        let emptyEntries = try walden.entries()
        let figures = try load(count, system, from: 1)
        let entries = try walden.entries() - emptyEntries
        if entries < count / 100 * 99 { report.add(fault: "\(name): only \(entries) of \(count) entries kept") }
        let grownBytes = Double(try ProcessTable.residentBytes(of: system.pid) - emptyBytes)
        let payloadBytes = figures["request_bytes"] + figures["reply_bytes"]

        let missing = try cost(bench, system, walden, from: count + 1, through: bench.accounts - 1000)
        let before = try walden.entries()
        let dropping = try cost(bench, system, walden, from: 1, through: count / 50)
        let dropped = before - (try walden.entries())
        if dropped != count / 50 {
            report.add(fault: "\(name): \(count / 50) changes dropped \(dropped) entries")
        }
        let rows = [
            Row(
                case: name, system: "walden", metric: "overhead", unit: "bytes/entry",
                value: grownBytes / Double(max(1, entries)) - payloadBytes, goal: .atMost(600)),
            Row(case: name, system: "walden", metric: "key_and_result", unit: "bytes/entry", value: payloadBytes),
            Row(
                case: name, system: "walden", metric: "cpu_without_match", unit: "us/change", value: missing,
                goal: .atMost(5)),
            Row(case: name, system: "walden", metric: "cpu_with_match", unit: "us/change", value: dropping),
        ]
        var table = TextTable(header: [name, "value"])
        for row in rows {
            report.add(row)
            table.add([row.metric, "\(shortened(row.value)) \(row.unit)"])
        }
        table.print()
    }

    /// Asks for that many rows, each once.
    @discardableResult
    private func load(_ count: Int, _ system: System, from first: Int) throws -> Load.Figures {
        var load = Load()
        load.mode = .prepared
        load.connections = 8
        load.depth = 16
        load.distribution = .sequential
        load.firstKey = first
        load.keys = count
        load.requests = count
        load.seconds = 600
        load.warmupSeconds = 0
        load.processor = nil
        let figures = try load.run(port: system.port)
        guard figures.faults == 0 else { throw TestKitError("errors while filling: \(figures.firstError ?? "")") }
        return figures
    }

    /// Microseconds of Walden's processor time for each of the rows, each of which changes once.
    private func cost(
        _ bench: Workbench, _ system: System, _ walden: WaldenProcess, from first: Int, through last: Int
    ) throws -> Double {
        let before = try walden.changes()
        let count = last - first + 1
        let writer = try bench.cluster.primary.connect()
        writer.timeout = .seconds(300)
        try writer.query("SET synchronous_commit = off")
        let start = system.processorTime
        try writer.query(Changes.statement(table: "bench_account", column: "balance", from: first, through: last))
        try walden.waitUntilApplied(Changes.mark(writer))
        guard try walden.changes() - before >= count else { throw TestKitError("the stream lost changes") }
        return Double(system.processorTime - start) / 1e3 / Double(count)
    }
}
