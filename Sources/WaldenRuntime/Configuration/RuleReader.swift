import WaldenCore
import WaldenDependency
import Yams

/// Reads the list `rules` of the configuration file.
struct RuleReader {
    private static let maxRules = 1_000

    private var list: ListReading

    init(file: String) {
        list = ListReading(file: file)
    }

    var problems: [ConfigurationProblem] { list.problems }

    mutating func read(_ node: Node) -> [CacheRule] {
        let elements = list.elements(of: node, name: "rules", limit: Self.maxRules)
        return elements.enumerated().map { index, element in rule(element, number: index + 1) }
    }

    private mutating func rule(_ node: Node, number: Int) -> CacheRule {
        let key = "rules[\(number)]"
        var rule = CacheRule(name: "\(key), \(list.place(node))")
        guard let mapping = list.members(of: node, key: key) else { return rule }
        for (name, value) in mapping {
            let member = name.string ?? ""
            guard let text = value.scalar?.string else {
                list.report(value, "\(key).\(member)", "must be a single value")
                continue
            }
            do throws(Quantity.Malformed) {
                if try !set(member, text, &rule) { list.report(name, "\(key).\(member)", "there is no such setting") }
            } catch {
                list.report(value, "\(key).\(member)", error.reason)
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
        guard let name = QualifiedName(withSchema: text) else {
            throw Quantity.Malformed(reason: "a table is named with its schema: public.orders")
        }
        return name
    }
}
