extension QueryWriter {
    /// A condition with a subquery in it, bound to the rows of `sources` (or of an outer query) or not.
    mutating func subqueryTerm(_ sources: [Source], depth: Int, outer: [Source]) -> String {
        shapes.insert(.subquery)
        if dice.chance(3) { return "(SELECT count(*) FROM \(tableSource().sql)) > \(dice.roll(0..<25))" }
        if dice.chance(3) {
            let number = column(sources, where: \.type.isInteger)
            if number.type.isInteger { return "\(number.sql) IN (VALUES (1), (\(dice.roll(0..<9))))" }
        }
        let isCorrelated = dice.chance(55)
        let visible = !outer.isEmpty && dice.chance(30) ? sources + outer : sources
        let from = from(dice.weigh([(5, 1), (1, 2)]), depth: depth + 1, outer: sources)
        var conditions = from.conditions
        if isCorrelated { conditions.append(equality(visible, from.sources[0])) }
        if !isCorrelated || dice.chance(50) {
            let within = dice.chance(80) ? from.sources : from.sources + visible
            conditions.append(predicate(within, depth: depth + 1, outer: visible))
        }
        let body = " FROM \(from.sql) WHERE \(conditions.joined(separator: " AND "))"
        let left = column(sources, where: { $0.type != .big })
        let right = column(from.sources, where: { $0.type.compares(with: left.type) })
        guard right.type.compares(with: left.type) else {
            return "\(dice.chance(40) ? "NOT " : "")EXISTS (SELECT 1\(body))"
        }
        return comparison(left, right, body)
    }

    private mutating func comparison(
        _ left: (sql: String, type: ColumnType), _ right: (sql: String, type: ColumnType), _ body: String
    ) -> String {
        let cut = " ORDER BY 1 LIMIT \(dice.roll(1..<4))"
        let group = " GROUP BY \(right.sql) HAVING count(*) > 1"
        switch dice.roll(0..<100) {
        case ..<22: return "EXISTS (SELECT \(dice.pick(["1", "*", right.sql]))\(body))"
        case ..<36: return "NOT EXISTS (SELECT 1\(body))"
        case ..<52: return "\(left.sql) IN (SELECT \(right.sql)\(body))"
        case ..<60: return "\(left.sql) NOT IN (SELECT \(right.sql)\(body))"
        case ..<63: return "\(left.sql) IN (SELECT \(right.sql)\(body)\(cut))"
        case ..<66 where !right.type.isFuzzy: return "\(left.sql) IN (SELECT \(right.sql)\(body)\(group))"
        case ..<69: return "EXISTS (SELECT count(*)\(body) HAVING count(*) \(dice.pick(["=", ">"])) 1)"
        case ..<72 where left.type.isInteger:
            return "\(left.sql) IN (SELECT \(right.sql)\(body) UNION SELECT k FROM \(tableSource().sql) WHERE k > 4)"
        case ..<80 where right.type.hasMinimum: return "\(left.sql) = (SELECT max(\(right.sql))\(body))"
        case ..<86: return "\(dice.roll(0..<3)) \(dice.pick(["<", "=", ">="])) (SELECT count(*)\(body))"
        case ..<90: return "\(left.sql) = ANY (SELECT \(right.sql)\(body))"
        case ..<94: return "\(left.sql) \(dice.pick(["<>", "<=", ">"])) ALL (SELECT \(right.sql)\(body))"
        case ..<97: return "\(left.sql) = ANY (ARRAY(SELECT \(right.sql)\(body)))"
        default: return "COALESCE((SELECT true\(body) LIMIT 1), false)"
        }
    }
}
