import WaldenCore
import WaldenDependency
import Yams

/// Reads the list `rules` of the configuration file.
struct RuleReader {
    private static let maxRules = 1_000

    let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    mutating func read(_ node: Node) -> [CacheRule] {
        guard let sequence = node.sequence else {
            report(node, "rules", "must be a list of rules")
            return []
        }
        guard sequence.count <= Self.maxRules else {
            report(node, "rules", "has more than \(Self.maxRules) rules")
            return []
        }
        return sequence.enumerated().map { index, element in rule(element, number: index + 1) }
    }

    private mutating func rule(_ node: Node, number: Int) -> CacheRule {
        let key = "rules[\(number)]"
        var rule = CacheRule(name: "\(key), \(place(node))")
        guard let mapping = node.mapping else {
            report(node, key, "must be a group of settings")
            return rule
        }
        for (name, value) in mapping {
            let member = name.string ?? ""
            guard let text = value.scalar?.string else {
                report(value, "\(key).\(member)", "must be a single value")
                continue
            }
            do throws(Quantity.Malformed) {
                if try !set(member, text, &rule) { report(name, "\(key).\(member)", "there is no such setting") }
            } catch {
                report(value, "\(key).\(member)", error.reason)
            }
        }
        return rule
    }

    /// False when a rule has no such member.
    private func set(_ member: String, _ text: String, _ rule: inout CacheRule) throws(Quantity.Malformed) -> Bool {
        switch member {
        case "name": rule.name = try Self.filled(text)
        case "schema": rule.schema = try Self.filled(text)
        case "table": rule.table = try Self.table(text)
        case "role": rule.role = try Self.filled(text)
        case "shape":
            guard let shape = ShapeID(text) else {
                throw Quantity.Malformed(reason: "a shape has sixteen hexadecimal digits")
            }
            rule.shape = shape
        case "pattern":
            guard let pattern = Glob(text) else {
                throw Quantity.Malformed(reason: "a pattern has 1 to \(Glob.maxBytes) bytes")
            }
            rule.pattern = pattern
        case "cache":
            rule.caching =
                CacheRule.Caching(
                    rawValue: try Quantity.oneOf(text, CacheRule.Caching.allCases.map(\.rawValue))) ?? .auto
        case "consistency":
            rule.consistency = ConsistencyLevel(
                name: try Quantity.oneOf(text, ConsistencyLevel.allCases.map(\.name)))
        case "max_age": rule.maxAge = try Quantity.duration(text, in: .milliseconds(1) ... .seconds(31_536_000))
        case "max_result_bytes": rule.maxResultBytes = try Quantity.bytes(text, in: 0...(1 << 30))
        default: return false
        }
        return true
    }

    private static func filled(_ text: String) throws(Quantity.Malformed) -> String {
        guard !text.isEmpty else { throw Quantity.Malformed(reason: "is empty") }
        return text
    }

    /// Names are taken as the catalog has them: no folding, no quotes.
    private static func table(_ text: String) throws(Quantity.Malformed) -> QualifiedName {
        guard let dot = text.firstIndex(of: "."), dot > text.startIndex, text.index(after: dot) < text.endIndex else {
            throw Quantity.Malformed(reason: "a table is named with its schema: public.orders")
        }
        return QualifiedName(schema: String(text[..<dot]), name: String(text[text.index(after: dot)...]))
    }

    private mutating func report(_ node: Node, _ key: String, _ reason: String) {
        problems.append(ConfigurationProblem(origin: place(node), key: key, reason: reason))
    }

    private func place(_ node: Node) -> String { node.mark.map { "\(file):\($0.line)" } ?? file }
}
