/// The transition table as `docs/internals/failover.md` shows it; a test compares the two.
public enum FailoverReference {
    /// A state diagram in Mermaid's language: one arrow for all rows between two states.
    public static var diagram: String {
        var lines = ["```mermaid", "stateDiagram-v2", "    [*] --> discover"]
        for from in FailoverState.allCases {
            let rows = TransitionTable.rows(from: from)
            for to in FailoverState.allCases {
                let numbers = rows.filter { $0.to == to }.map { String($0.number) }
                if !numbers.isEmpty {
                    lines.append("    \(from.rawValue) --> \(to.rawValue): \(numbers.joined(separator: ", "))")
                }
            }
        }
        return (lines + ["```"]).joined(separator: "\n")
    }

    public static var table: String {
        let rows = TransitionTable.rows.map { row in
            "| \(row.number) | `\(row.from.rawValue)` | `\(row.to.rawValue)` | \(row.reason) |"
        }
        return (["| row | from | to | because |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }
}
