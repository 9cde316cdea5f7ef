import WaldenTestKit

/// The rows of one case, as a table and in the report.
struct FailoverFigures {
    private let fault: FailoverCase
    private var isEmpty = true
    private var table = TextTable(header: [
        "outage, s", "runs", "p50", "p99", "min", "max", "errors", "08007", "connecting", "writes", "lost", "twice",
    ])

    init(_ fault: FailoverCase) {
        self.fault = fault
    }

    mutating func add(_ outcomes: [FailoverOutcome], of system: String, to report: inout Report) {
        guard !outcomes.isEmpty else { return }
        isEmpty = false
        let outages = outcomes.map(\.outage)
        let figures: [(metric: String, unit: String, value: Double)] = [
            ("outage_p50", "s", quantile(outages, 0.5)), ("outage_p99", "s", quantile(outages, 0.99)),
            ("outage_min", "s", outages.min() ?? 0), ("outage_max", "s", outages.max() ?? 0),
            ("errors", "errors", total(outcomes, \.statementErrors)),
            ("in_doubt", "errors", total(outcomes, \.inDoubt)),
            ("connecting", "errors", total(outcomes, \.connecting)),
            ("writes", "writes", total(outcomes, \.writes)),
            ("lost", "writes", total(outcomes, \.lost)), ("twice", "writes", total(outcomes, \.twice)),
        ]
        let goals = system == WaldenSubject.name ? fault.goals + ledgerGoals : []
        for figure in figures {
            report.add(
                Row(
                    case: "failover-\(fault.rawValue)", system: system, metric: figure.metric, unit: figure.unit,
                    value: figure.value, goal: goals.first { $0.metric == figure.metric }?.goal))
        }
        if outcomes.contains(where: { $0.lost + $0.twice > 0 }) {
            report.add(fault: "\(fault.rawValue), \(system): acknowledged writes were lost or there twice")
        }
        table.add(
            ["\(fault.rawValue) \(system)", "\(outcomes.count)"]
                + figures.map { $0.unit == "s" ? rounded($0.value).description : shortened($0.value) })
    }

    func print() {
        if !isEmpty { table.print() }
    }

    private func total(_ outcomes: [FailoverOutcome], _ count: (FailoverOutcome) -> Int) -> Double {
        Double(outcomes.reduce(0) { $0 + count($1) })
    }
}

extension FailoverOutcome {
    /// Statements that failed.
    var statementErrors: Int { errors.values.reduce(0, +) - connecting }
    /// Of them those of which Walden says that nobody knows whether they were committed.
    var inDoubt: Int { errors["08007"] ?? 0 }
    /// Sessions that could not be begun.
    var connecting: Int { errors["connecting"] ?? 0 }

    var line: String {
        let kinds = errors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let told = kinds.isEmpty ? "none" : kinds
        return "\(rounded(outage)) s, \(writes) writes, errors: \(told), lost \(lost), twice \(twice)"
    }
}
