public import WaldenCore

/// What analysis concluded of a statement, in words: for people who ask why a result is kept or not.
public struct Explanation: Sendable {
    public struct Table: Hashable, Sendable {
        public let relation: RelationID
        /// With its schema; the OID when the snapshot does not know it.
        public let name: String
        /// Nil: any column may matter.
        public let columns: [String]?
        /// What the rows must satisfy, with `$n` for parameters.
        public let predicate: String
        /// How a change of a row is matched with it.
        public let matching: String
    }

    /// Nil when the result is cacheable.
    public let refusal: Refusal?
    public let tables: [Table]
    /// What each statement of the text does to the session.
    public let effects: [String]
    /// Where it may run: on any node, or on the primary because of a rule.
    public let route: String

    public init(of analysis: StatementAnalysis, in catalog: CatalogSnapshot?) {
        effects = analysis.effects.map(\.description)
        route =
            analysis.readRoute.refusal.map { "primary, \($0.rule.rawValue) (\($0.explanation))" } ?? "any node"
        switch analysis.verdict {
        case .uncacheable(let refusal):
            self.refusal = refusal
            tables = []
        case .cacheable(let plan):
            refusal = nil
            tables = plan.tables.map { template in
                let entry = catalog?.relation(template.relation)
                return Table(
                    relation: template.relation,
                    name: entry.map { "\($0.schema).\($0.name)" } ?? template.relation.description,
                    columns: template.columns?.sorted(), predicate: template.predicate.description,
                    matching: template.predicate.matching + Self.leaving(template, plan))
            }
        }
    }

    /// Several lines, each ended.
    public var text: String {
        var lines: [String] = []
        if let refusal {
            lines.append("not cacheable: \(refusal.rule.rawValue) (\(refusal.explanation))")
        } else {
            lines.append("cacheable")
        }
        for table in tables {
            lines.append("reads \(table.name)")
            lines.append("  columns: \(table.columns.map(Self.listed) ?? "any")")
            lines.append("  rows: \(table.predicate)")
            lines.append("  a change is matched \(table.matching)")
        }
        for effect in effects { lines.append("session: \(effect)") }
        lines.append("route: \(route)")
        return lines.map { $0 + "\n" }.joined()
    }

    private static func leaving(_ template: TableTemplate, _ plan: CachePlan) -> String {
        guard let keys = plan.resultKeys?.keys, let number = template.resultKey, keys.indices.contains(number) else {
            return ""
        }
        return "; a row that leaves, by its key in the result: \(listed(keys[number].map(\.reference.name)))"
    }

    private static func listed(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}

extension PredicateTemplate: CustomStringConvertible {
    var description: String {
        if isConstant { return bound([]).description }
        if alternatives.contains(where: \.isEmpty) { return Predicate.everyRow.description }
        return alternatives.map { terms in
            let text = terms.map(\.description).joined(separator: " AND ")
            return alternatives.count > 1 && terms.count > 1 ? "(\(text))" : text
        }.joined(separator: " OR ")
    }

    /// By which of its terms each alternative is found in an index.
    var matching: String {
        if alternatives.isEmpty { return "never" }
        var ways: [String] = []
        for terms in alternatives {
            guard let best = terms.min(by: { $0.test.rank < $1.test.rank }), best.test.rank < 3 else {
                return "with every row of the table"
            }
            let way = ["by equality on", "by range on", "by null on"][best.test.rank] + " " + best.column.name
            if !ways.contains(way) { ways.append(way) }
        }
        return ways.joined(separator: ", or ")
    }
}

extension TestTemplate {
    /// The lower, the fewer rows are expected to satisfy it.
    fileprivate var rank: Int {
        switch self {
        case .compare(.equal, _), .isIn, .isInArray: 0
        case .like(let pattern, true): pattern.rest == .nothing ? 0 : pattern.prefix.isEmpty ? 3 : 1
        case .likeParameter(_, _, true): 1
        case .compare(.notEqual, _), .isNotNull, .like(_, false), .likeParameter(_, _, false): 3
        case .compare: 1
        case .isNull: 2
        }
    }
}

extension TermTemplate: CustomStringConvertible {
    var description: String {
        if isConstant { return bound([]).map { Term(column: column, test: $0).description } ?? "true" }
        switch test {
        case .compare(let comparison, let operand): return "\(column.name) \(comparison.sign) \(show(operand))"
        case .isIn(let operands): return "\(column.name) IN (\(Term.abridged(operands.map(show))))"
        case .isInArray(let use): return "\(column.name) = ANY ($\(use.index + 1))"
        case .isNull: return "\(column.name) IS NULL"
        case .isNotNull: return "\(column.name) IS NOT NULL"
        case .like(let pattern, let matches):
            return Term(column: column, test: pattern.test(matches: matches)).description
        case .likeParameter(let use, _, let matches):
            return "\(column.name) \(matches ? "LIKE" : "NOT LIKE") $\(use.index + 1)"
        }
    }

    private func show(_ operand: Operand) -> String {
        switch operand {
        case .parameter(let use): "$\(use.index + 1)"
        case .constant(.value(let value)): value.description(in: column.family)
        case .constant(.null): "NULL"
        case .constant(.gap), .constant(.unknown): "…"
        }
    }
}

extension Comparison {
    fileprivate var sign: String {
        switch self {
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }
}

extension SessionEffect: CustomStringConvertible {
    public var description: String {
        switch self {
        case .readOnly: "reads only"
        case .writes: "may write"
        case .transactionControl: "controls the transaction"
        case .settings(let changes): changes.map(\.description).joined(separator: ", ")
        case .preparedStatements: "names prepared statements"
        case .temporaryObjects: "makes temporary objects"
        case .opaque: "may change settings unseen"
        }
    }
}

extension SettingChange: CustomStringConvertible {
    public var description: String {
        switch self {
        case .set(let name, let value, let local): "sets \(name) to \(value)\(local ? " for the transaction" : "")"
        case .reset(let name): "resets \(name)"
        case .resetAll: "resets all settings"
        case .discardAll: "discards the session's state"
        }
    }
}
