import CBenchmark
import Glibc
import WaldenTestKit

/// From the return of a COMMIT on a direct connection until a client of Walden no longer gets the old value.
///
/// Each commit changes a row whose result is certainly cached. Right after its return the client asks Walden for that
/// row again and again. The entry was gone somewhere between the last request that got the old value and the first that
/// did not; the time at which that first one was sent is taken, so the figure is right to about one hit's round trip.
/// When its answer was there, with the new value read from PostgreSQL, is the second figure.
///
/// Nothing is pinned here: the walsender, Walden and the asking client would wait for each other on one processor.
struct FreshnessSuite: Suite {
    var caseNames: [String] { ["commit-to-gone"] }

    private let pauseMicroseconds: UInt32 = 500

    func measure(on bench: Workbench, into report: inout Report) throws {
        guard bench.selection.includes(system: "walden") else { return }
        progress("commit-to-gone: \(bench.effort.commits) commits")
        let system = try System.walden(bench, named: "walden")
        guard let walden = system.walden else { return }
        let reader = try walden.connect()
        try fill(bench.effort.commits, reader, walden)

        let writer = try bench.cluster.primary.connect()
        var gone: [Double] = []
        var fresh: [Double] = []
        for id in 1...bench.effort.commits {
            usleep(pauseMicroseconds)
            let value = try writer.scalar(
                "UPDATE bench_account SET balance = balance + 1 WHERE id = \(id) RETURNING balance")
            let committed = bench_now()
            var asked = committed
            while true {
                asked = bench_now()
                if try reader.scalar(Self.statement(id)) == value { break }
            }
            gone.append(Double(asked - committed) / 1e6)
            fresh.append(Double(bench_now() - committed) / 1e6)
        }
        addRows(gone, fresh, to: &report)
    }

    private static func statement(_ id: Int) -> String {
        "SELECT balance FROM bench_account WHERE id = \(id)"
    }

    /// Reads all rows until a whole pass over them was hits only.
    private func fill(_ rows: Int, _ reader: SQLClient, _ walden: WaldenProcess) throws {
        try eventually("all \(rows) rows are cached", timeout: .seconds(60)) {
            let before = try walden.hits()
            for id in 1...rows { try reader.query(Self.statement(id)) }
            return try walden.hits() - before >= rows
        }
    }

    private func addRows(_ gone: [Double], _ fresh: [Double], to report: inout Report) {
        let figures: [(String, [Double], Double, Goal?)] = [
            ("gone_p50", gone, 0.5, .atMost(0.2)), ("gone_p99", gone, 0.99, .atMost(5)),
            ("gone_max", gone, 1, nil), ("fresh_p50", fresh, 0.5, nil), ("fresh_p99", fresh, 0.99, nil),
        ]
        var table = TextTable(header: ["commit-to-gone", "ms"])
        for (metric, samples, fraction, goal) in figures {
            let value = quantile(samples, fraction)
            report.add(
                Row(case: "commit-to-gone", system: "walden", metric: metric, unit: "ms", value: value, goal: goal))
            table.add([metric, rounded(value).description])
        }
        table.print()
    }
}

/// The value that the fraction of all does not exceed.
func quantile(_ values: [Double], _ fraction: Double) -> Double {
    let sorted = values.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * fraction))]
}
