import Yams

/// The document of `/v1/status` as a table for people. It knows no names: whatever the document holds is shown in its
/// order, groups after single figures.
enum StatusTable {
    /// Nil when it is no JSON object. (JSON is YAML's flow style, so the configuration file's parser reads it.)
    static func text(_ document: String) -> String? {
        guard let node = try? Yams.compose(yaml: document), let mapping = node.mapping else { return nil }
        let rows = rows(of: mapping, indent: "")
        let width = rows.map { $0.name.count }.max() ?? 0
        return rows.map { $0.line(width) }.joined()
    }

    private struct Row {
        let name: String
        /// Empty for the head of a group.
        let value: String

        func line(_ width: Int) -> String {
            if value.isEmpty { return name + "\n" }
            let gap = String(repeating: " ", count: width + 2 - name.count)
            return "\(name)\(gap)\(value)\n"
        }
    }

    private static func rows(of mapping: Node.Mapping, indent: String) -> [Row] {
        let members = mapping.map { (indent + ($0.key.string ?? "?"), $0.value) }
        let single = members.filter { $0.1.scalar != nil }.map { Row(name: $0.0, value: shown($0.1)) }
        return single + members.filter { $0.1.scalar == nil }.flatMap { group($0.0, $0.1, indent: indent + "  ") }
    }

    private static func group(_ name: String, _ node: Node, indent: String) -> [Row] {
        if let mapping = node.mapping {
            return mapping.isEmpty
                ? [Row(name: name, value: "-")] : [Row(name: name, value: "")] + rows(of: mapping, indent: indent)
        }
        let elements = node.sequence.map(Array.init) ?? []
        if elements.allSatisfy({ $0.scalar != nil }) {
            guard elements.count > 1 else { return [Row(name: name, value: elements.first.map(shown) ?? "-")] }
            return elements.enumerated().map { Row(name: $0.offset == 0 ? name : indent, value: shown($0.element)) }
        }
        return elements.enumerated().flatMap { index, element in group("\(name) \(index + 1)", element, indent: indent)
        }
    }

    private static func shown(_ node: Node) -> String {
        guard let scalar = node.scalar else { return "" }
        return scalar.string.isEmpty || (scalar.string == "null" && scalar.style == .plain) ? "-" : scalar.string
    }
}
