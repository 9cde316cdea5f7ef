extension StatusReport {
    /// The answer of `/metrics`, in Prometheus's text exposition format 0.0.4.
    public var metrics: String {
        MetricsReference.metrics.map { $0.exposition(of: self) }.joined()
    }
}

extension Metric {
    /// The help line, the type line and the samples. A scraper refuses the whole page when two samples have the same
    /// labels, so of such the first is kept.
    func exposition(of report: StatusReport) -> String {
        var text = "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        var seen: Set<[String]> = []
        for sample in samples(report) where seen.insert(sample.labels).inserted {
            text += name
            if !labels.isEmpty {
                let pairs = zip(labels, sample.labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
                text += "{" + pairs.joined(separator: ",") + "}"
            }
            text += " \(sample.value.exposition)\n"
        }
        return text
    }

    /// The format escapes backslash and line feed, and in label values the quotation mark.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Metric.Value {
    var exposition: String {
        switch self {
        case .whole(let value): String(value)
        case .number(let value) where value.isNaN: "NaN"
        case .number(let value) where value.isInfinite: value < 0 ? "-Inf" : "+Inf"
        case .number(let value): String(describing: value)
        }
    }
}
