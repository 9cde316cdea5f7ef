/// What a figure should reach, within the run that measured it.
enum Goal {
    case atMost(Double)
    case atLeast(Double)

    func isMet(by value: Double) -> Bool {
        switch self {
        case .atMost(let limit): value <= limit
        case .atLeast(let limit): value >= limit
        }
    }

    var text: String {
        switch self {
        case .atMost(let limit): "<= \(shortened(limit))"
        case .atLeast(let limit): ">= \(shortened(limit))"
        }
    }
}

/// One figure. With a baseline the goal holds for the ratio to the baseline's figure, else for the value itself.
struct Row {
    let `case`: String
    let system: String
    let metric: String
    let unit: String
    let value: Double
    var baseline: String?
    var ratio: Double?
    var goal: Goal?

    var met: Bool? {
        goal?.isMet(by: ratio ?? value)
    }

    var json: String {
        let fields = [
            ("case", quoted(`case`)), ("system", quoted(system)), ("metric", quoted(metric)), ("unit", quoted(unit)),
            ("value", number(value)), ("baseline", baseline.map(quoted) ?? "null"),
            ("ratio", ratio.map(number) ?? "null"),
            ("goal", goal.map { quoted("\(ratio == nil ? "value" : "ratio") \($0.text)") } ?? "null"),
            ("met", met.map(String.init) ?? "null"),
        ]
        return "{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }

    private func number(_ value: Double) -> String {
        value.isFinite ? rounded(value).description : "null"
    }

    /// Names of ours: nothing in them needs an escape.
    private func quoted(_ text: String) -> String { "\"\(text)\"" }
}

/// Four significant digits, but whole numbers in full.
func rounded(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return value }
    let magnitude = abs(value)
    guard magnitude < 1000 else { return value.rounded() }
    var scale = 1.0
    while magnitude * scale < 1000 { scale *= 10 }
    return (value * scale).rounded() / scale
}

/// For people: `12345`, `12.3`, `0.123`.
func shortened(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = abs(value)
    let scale = magnitude >= 100 ? 1.0 : magnitude >= 10 ? 10.0 : 100.0
    let shown = (value * scale).rounded() / scale
    return shown == shown.rounded() ? String(Int(shown)) : shown.description
}
