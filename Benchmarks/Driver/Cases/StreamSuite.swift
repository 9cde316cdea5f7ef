import CBenchmark
import Glibc
import WaldenTestKit

/// How fast Walden takes in changes, and at what cost, when no entry depends on them.
///
/// The walsender is stopped (SIGSTOP) while the changes are made; what is measured begins when it goes on. The table
/// has a thousand entries, of rows that do not change: each change is really looked up. Nothing is pinned: walsender
/// and Walden have a processor each.
struct StreamSuite: Suite {
    private enum Shape: String, CaseIterable {
        case small = "stream-transactions-of-100"
        case one = "stream-one-transaction"

        func statement(rows: Int) -> String {
            switch self {
            case .small: Changes.statement(table: "bench_stream", column: "value", from: 1, through: rows)
            case .one: "UPDATE bench_stream SET value = value + 1"
            }
        }
    }

    private let entries = 1000

    var caseNames: [String] { Shape.allCases.map(\.rawValue) }

    func measure(on bench: Workbench, into report: inout Report) throws {
        guard bench.selection.includes(system: "walden") else { return }
        let system = try System.walden(bench, named: "walden")
        guard let walden = system.walden else { return }
        try fill(bench, system)
        for shape in Shape.allCases where bench.selection.includes(case: shape.rawValue) {
            progress("\(shape.rawValue): \(bench.effort.streamedRows) changes")
            let figures = try drain(shape, bench, system, walden)
            // Less means that the stream began anew and left a gap: then nothing was measured.
            guard figures.changes >= bench.effort.streamedRows else {
                report.add(fault: "\(shape.rawValue): the stream brought \(figures.changes) changes only")
                continue
            }
            addRows(shape, figures, to: &report)
        }
    }

    /// Caches rows that are not there.
    private func fill(_ bench: Workbench, _ system: System) throws {
        var load = Load()
        load.mode = .prepared
        load.readStatement = "SELECT value FROM bench_stream WHERE id = $1"
        load.expectedRows = 0
        load.distribution = .sequential
        load.keys = entries
        load.firstKey = bench.effort.streamedRows + 1
        load.requests = entries * 2
        load.seconds = 30
        load.warmupSeconds = 0
        _ = try load.run(port: system.port)
    }

    private struct Figures {
        var seconds = 0.0
        var changes = 0
        var waldenTime: UInt64 = 0
        var walsenderTime: UInt64 = 0
    }

    private func drain(
        _ shape: Shape, _ bench: Workbench, _ system: System, _ walden: WaldenProcess
    ) throws -> Figures {
        let walsender = try Changes.walsender(bench)
        let before = try walden.changes()
        let writer = try bench.cluster.primary.connect()
        writer.timeout = .seconds(300)
        try writer.query("SET synchronous_commit = off")
        kill(walsender, SIGSTOP)
        defer { kill(walsender, SIGCONT) }
        try writer.query(shape.statement(rows: bench.effort.streamedRows))
        let end = try Changes.mark(writer)

        let waldenTime = system.processorTime
        let walsenderTime = bench_processor_time(walsender)
        let start = bench_now()
        kill(walsender, SIGCONT)
        try walden.waitUntilApplied(end)
        return Figures(
            seconds: Double(bench_now() - start) / 1e9, changes: try walden.changes() - before,
            waldenTime: system.processorTime - waldenTime,
            walsenderTime: bench_processor_time(walsender) - walsenderTime)
    }

    private func addRows(_ shape: Shape, _ figures: Figures, to report: inout Report) {
        let name = shape.rawValue
        let changes = Double(figures.changes)
        let perChange = Double(figures.waldenTime) / 1e3 / changes
        let perSent = Double(figures.walsenderTime) / 1e3 / changes
        let rate = changes / figures.seconds
        report.add(
            Row(
                case: name, system: "walden", metric: "rate", unit: "changes/s", value: rate,
                goal: .atLeast(150_000)))
        report.add(
            Row(case: name, system: "walden", metric: "cpu", unit: "us/change", value: perChange, goal: .atMost(4)))
        report.add(Row(case: name, system: "walsender", metric: "cpu", unit: "us/change", value: perSent))
        var table = TextTable(header: [name, "changes/s", "CPU µs per change"])
        table.add(["walden", shortened(rate), shortened(perChange)])
        table.add(["walsender", "", shortened(perSent)])
        table.print()
    }
}

/// Row changes in bulk.
enum Changes {
    /// Updates each row once, a hundred in a transaction; `rows` is a multiple of 100.
    static func statement(table: String, column: String, from first: Int, through last: Int) -> String {
        """
        DO $$ BEGIN
            FOR number IN \(first)..\(last) BY 100 LOOP
                UPDATE \(table) SET \(column) = \(column) + 1
                WHERE id BETWEEN number AND least(number + 99, \(last));
                COMMIT;
            END LOOP;
        END $$
        """
    }

    /// Makes one more change, so that the stream moves past all earlier ones; the position that it then reaches.
    static func mark(_ writer: SQLClient) throws -> LogPosition {
        try writer.query("BEGIN")
        let text = try writer.scalar("SELECT pg_current_wal_insert_lsn()")
        try writer.query("UPDATE bench_payload SET payload = payload WHERE id = 20000")
        try writer.query("COMMIT")
        guard let position = text.flatMap(LogPosition.init) else { throw TestKitError("no log position") }
        return position
    }

    /// The process that sends the stream; there has to be one only.
    static func walsender(_ bench: Workbench) throws -> Int32 {
        let slots = try bench.cluster.primary.connect().query(
            "SELECT active_pid FROM pg_replication_slots WHERE active AND slot_type = 'logical'")
        guard slots.rows.count == 1, let pid = slots.integer.flatMap(Int32.init(exactly:)) else {
            throw TestKitError("\(slots.rows.count) logical replication slots are active, not one")
        }
        return pid
    }
}

/// A position in the write-ahead log, read from PostgreSQL's `16/B374D848`.
struct LogPosition: Comparable {
    private let offset: UInt64

    init?(_ text: String) {
        let halves = text.split(separator: "/").compactMap { UInt64($0, radix: 16) }
        guard halves.count == 2 else { return nil }
        offset = halves[0] << 32 | halves[1]
    }

    static func < (left: LogPosition, right: LogPosition) -> Bool {
        left.offset < right.offset
    }
}
