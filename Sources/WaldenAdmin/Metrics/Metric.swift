import WaldenCore

/// One metric: what it is called, what it means and how it is read off a report. The table of all of them is
/// `MetricsReference.metrics`; `/metrics` and the reference in the documentation are both made from it, so that they
/// cannot disagree.
///
/// Names follow the conventions of Prometheus: base units, the unit last, `_total` after that for counters.
struct Metric: Sendable {
    enum Kind: String, Sendable {
        /// Only grows while the process lives.
        case counter
        case gauge
    }

    enum Value: Hashable, Sendable {
        case whole(UInt64)
        case number(Double)
    }

    struct Sample: Hashable, Sendable {
        /// In the order of the metric's `labels`.
        let labels: [String]
        let value: Value
    }

    let name: String
    let kind: Kind
    let labels: [String]
    /// One sentence, printed on the `# HELP` line.
    let help: String
    /// In a stable order. Labels that no value is known for have no sample.
    let samples: @Sendable (StatusReport) -> [Sample]
}

extension Metric {
    static func counter(_ name: String, _ help: String, _ value: @escaping @Sendable (StatusReport) -> UInt64) -> Metric
    {
        Metric(name: name, kind: .counter, labels: [], help: help) { [Sample(labels: [], value: .whole(value($0)))] }
    }

    /// A counter with one label, whose values are the names counted by.
    static func counter(
        _ name: String, by label: String, _ help: String,
        _ counts: @escaping @Sendable (StatusReport) -> [String: UInt64]
    ) -> Metric {
        Metric(name: name, kind: .counter, labels: [label], help: help) { report in
            counts(report).sorted { $0.key < $1.key }.map { Sample(labels: [$0.key], value: .whole($0.value)) }
        }
    }

    static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (StatusReport) -> Value) -> Metric {
        Metric(name: name, kind: .gauge, labels: [], help: help) { [Sample(labels: [], value: value($0))] }
    }

    /// A gauge of the watched nodes; a node that `value` is not known for has no sample.
    static func node(_ name: String, _ help: String, _ value: @escaping @Sendable (NodeReport) -> Value?) -> Metric {
        Metric(name: name, kind: .gauge, labels: ["node"], help: help) { report in
            report.nodes.compactMap { node in value(node).map { Sample(labels: [node.name], value: $0) } }
        }
    }
}

extension Metric.Value {
    /// Below zero counts as zero: a figure that counts things.
    static func count(_ value: Int) -> Metric.Value {
        .whole(UInt64(clamping: value))
    }

    static func flag(_ value: Bool) -> Metric.Value {
        .whole(value ? 1 : 0)
    }

    /// The byte offset that a printed position stands for.
    static func position(_ text: String?) -> Metric.Value? {
        text.flatMap(LSN.init).map { .whole($0.rawValue) }
    }
}
