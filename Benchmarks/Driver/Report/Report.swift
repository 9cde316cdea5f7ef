import Glibc
import WaldenTestKit

/// The rows of one run, and what went wrong in it.
struct Report {
    private(set) var rows: [Row] = []
    /// Errors of clients and things measured in another state than they should have been in.
    private(set) var faults: [String] = []

    mutating func add(_ row: Row) {
        rows.append(row)
    }

    mutating func add(fault: String) {
        faults.append(fault)
        progress("FAULT: \(fault)")
    }

    func value(case name: String, system: String, metric: String) -> Double? {
        rows.last { $0.case == name && $0.system == system && $0.metric == metric }?.value
    }

    /// Says how a figure compares with the same figure of another system, and what was wanted, if anything was. Nothing
    /// when one of the two was not measured.
    mutating func compare(
        case name: String, system: String, with baseline: String, metric: String, goal: Goal? = nil
    ) {
        guard let other = value(case: name, system: baseline, metric: metric),
            let index = rows.lastIndex(where: { $0.case == name && $0.system == system && $0.metric == metric })
        else { return }
        if rows[index].baseline == nil {
            rows[index].baseline = baseline
            rows[index].ratio = rows[index].value / other
            rows[index].goal = goal
        } else {
            // A second comparison of one figure is a row of its own.
            let first = rows[index]
            rows.append(
                Row(
                    case: name, system: system, metric: metric, unit: first.unit, value: first.value,
                    baseline: baseline, ratio: first.value / other, goal: goal))
        }
    }

    func printGoals() {
        let judged = rows.filter { $0.goal != nil }
        guard !judged.isEmpty else { return }
        print("\nGoals")
        var table = TextTable(header: ["case", "system", "metric", "value", "baseline", "ratio", "goal", "met"])
        for row in judged {
            table.add([
                row.case, row.system, row.metric, "\(shortened(row.value)) \(row.unit)", row.baseline ?? "",
                row.ratio.map(shortened) ?? "", row.goal?.text ?? "", row.met == true ? "yes" : "NO",
            ])
        }
        table.print()
        print("\n\(judged.count { $0.met == true }) of \(judged.count) goals met, \(faults.count) faults")
        for fault in faults { print("fault: \(fault)") }
    }

    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw TestKitError("cannot write \(path)") }
        defer { fclose(file) }
        fputs("[\n" + rows.map(\.json).joined(separator: ",\n") + "\n]\n", file)
    }
}
