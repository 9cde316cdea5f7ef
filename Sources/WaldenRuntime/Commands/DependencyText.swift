import WaldenCore
import WaldenDependency

/// Dependencies in words and in SQL's notation, for people.
enum DependencyText {
    /// Longer lists are cut short.
    private static let listLimit = 10

    /// One table: which changes of it drop the result.
    static func paragraph(_ table: TableDependency, showsPredicate: Bool, in catalog: CatalogSnapshot) -> String {
        let relation = catalog.relation(table.relation)
        let name = relation.map { "\(identifier($0.schema)).\(identifier($0.name))" } ?? "relation \(table.relation)"
        var lines = ["reads \(name)"]
        if let columns = table.columns {
            lines.append("  columns      " + columns.sorted().map(identifier).joined(separator: ", "))
        }
        if showsPredicate { lines.append("  rows         " + rows(table.predicate)) }
        lines.append("  dropped by   " + matching(table, showsPredicate: showsPredicate))
        if let relation, relation.replicaIdentity != .full, !table.predicate.isEveryRow {
            lines.append("  old rows     tell the replica identity's columns only; conditions on others count as met")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func rows(_ predicate: Predicate) -> String {
        if predicate.isEveryRow { return "all" }
        return predicate.alternatives.isEmpty ? "none" : "WHERE " + condition(predicate)
    }

    private static func matching(_ table: TableDependency, showsPredicate: Bool) -> String {
        let update = table.columns == nil ? "UPDATE" : "UPDATE of these columns"
        if table.predicate.isEveryRow { return "any INSERT, DELETE, TRUNCATE or \(update)" }
        if showsPredicate, table.predicate.alternatives.isEmpty { return "TRUNCATE and changes of the schema only" }
        return "TRUNCATE, and INSERT, DELETE or \(update) whose old or new row may be one of these"
    }

    // MARK: Predicates

    static func condition(_ predicate: Predicate) -> String {
        let alternatives = predicate.alternatives.map { alternative in
            alternative.terms.isEmpty ? "true" : alternative.terms.map(term).joined(separator: " AND ")
        }
        guard alternatives.count > 1 else { return alternatives.first ?? "false" }
        return list(alternatives.map { "(\($0))" }, separator: " OR ")
    }

    private static func term(_ term: Term) -> String {
        let column = identifier(term.column.name)
        func literal(_ value: Value) -> String { ValueText.literal(value, of: term.column.family) }
        switch term.test {
        case .isIn(let values) where values.count == 1: return "\(column) = \(literal(values[0]))"
        case .isIn(let values): return "\(column) IN (" + list(values.map(literal), separator: ", ") + ")"
        case .isWithin(let lower, let upper):
            let bounds = [side(column, ">", lower, literal), side(column, "<", upper, literal)].compactMap { $0 }
            return bounds.isEmpty ? "\(column) IS NOT NULL" : bounds.joined(separator: " AND ")
        case .isNot(let value): return "\(column) <> \(literal(value))"
        case .isNull: return "\(column) IS NULL"
        case .isNotNull: return "\(column) IS NOT NULL"
        case .never: return "false"
        }
    }

    private static func side(
        _ column: String, _ comparison: String, _ bound: Bound, _ literal: (Value) -> String
    ) -> String? {
        switch bound {
        case .unbounded: nil
        case .inclusive(let value): "\(column) \(comparison)= \(literal(value))"
        case .exclusive(let value): "\(column) \(comparison) \(literal(value))"
        }
    }

    private static func list(_ items: [String], separator: String) -> String {
        guard items.count > listLimit else { return items.joined(separator: separator) }
        return items.prefix(listLimit).joined(separator: separator) + "\(separator)… \(items.count - listLimit) more"
    }

    /// Quoted as `quote_ident` does, but for keywords.
    static func identifier(_ name: String) -> String {
        let isPlain =
            name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }
            && name.utf8.first.map { $0 > 0x39 } ?? false
        return isPlain ? name : "\"" + name.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}

extension Predicate {
    fileprivate var isEveryRow: Bool { alternatives.contains { $0.terms.isEmpty } }
}
