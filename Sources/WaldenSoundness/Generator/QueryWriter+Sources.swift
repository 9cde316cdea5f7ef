extension QueryWriter {
    // MARK: FROM

    mutating func from(
        _ count: Int, depth: Int, outer: [Source], first: String? = nil
    ) -> (sql: String, sources: [Source], conditions: [String]) {
        var sources = [source(depth: depth, first: first)]
        var sql = sources[0].sql
        var conditions: [String] = []
        guard count > 1 else { return (sql, sources, []) }
        shapes.insert(.join)
        for _ in 1..<count {
            if depth < 2, !sql.contains(","), dice.chance(5) {
                let lateral = lateral(sources)
                sql += dice.chance(50) ? ", \(lateral.sql)" : " LEFT JOIN \(lateral.sql) ON true"
                sources.append(lateral)
                continue
            }
            let next = dice.chance(4) ? constantSource() : source(depth: depth, first: nil)
            switch dice.roll(0..<100) {
            case ..<22:
                sql += ", \(next.sql)"
                conditions.append(equality(sources, next))
            case ..<37 where sources.count == 1: merge(next, into: sources[0], &sql, &conditions)
            case ..<40 where sources.count == 1:
                sql += " NATURAL \(dice.pick(["JOIN", "LEFT JOIN"])) \(next.sql)"
            case ..<46:
                // A join within a join.
                let inner = source(depth: depth, first: nil)
                let word = dice.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
                let nested = "(\(next.sql) \(word) \(inner.sql) ON \(equality([next], inner)))"
                sql += " \(dice.pick(["JOIN", "LEFT JOIN", "FULL JOIN"])) \(nested) ON \(equality(sources, next))"
                sources.append(inner)
            default:
                let word = dice.weigh([(5, "JOIN"), (4, "LEFT JOIN"), (1, "RIGHT JOIN"), (1, "FULL JOIN")])
                var condition = equality(sources, next)
                if dice.chance(30) {
                    condition += " AND \(predicate(dice.chance(50) ? sources : [next], depth: 2, outer: []))"
                }
                sql += " \(word) \(next.sql) ON \(condition)"
            }
            sources.append(next)
        }
        return (sql, sources, conditions)
    }

    /// A join by USING, whose columns may be named without their table.
    private mutating func merge(
        _ next: Source, into first: Source, _ sql: inout String, _ conditions: inout [String]
    ) {
        let common = next.columns.filter { first.columns.contains($0) }
        let columns = dice.shuffled(common).prefix(dice.roll(1..<3))
        let word = dice.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        guard let merged = columns.first else {
            sql += " \(word) \(next.sql) ON \(equality([first], next))"
            return
        }
        let hasName = dice.chance(10)
        sql += " \(word) \(next.sql) USING (\(columns.map(\.name).joined(separator: ", ")))\(hasName ? " AS u" : "")"
        if dice.chance(50) { conditions.append(comparison(hasName ? "u.\(merged.name)" : merged.name, merged.type)) }
    }

    /// One of the columns by which sources are joined, set to a constant.
    mutating func pin(_ sources: [Source]) -> String {
        let joined = column(sources, where: { ["id", "ref", "k"].contains($0.name) })
        return comparison(joined.sql, joined.type, ["=", "=", "=", "<", ">="])
    }

    private mutating func source(depth: Int, first: String?) -> Source {
        if let first, let table = commonTables.first(where: { $0.name == first }) { return commonTable(table) }
        let roll = dice.roll(0..<100)
        if roll < 8, depth < 2 {
            shapes.insert(.derived)
            let inner =
                dice.chance(15)
                ? setOperation(depth: depth + 1, outer: []) : block(depth: depth + 1, outer: [])
            let alias = alias()
            return renamed(Source(sql: "(\(inner.sql)) AS \(alias)", alias: alias, columns: inner.columns), chance: 30)
        }
        if roll < 14, let table = commonTables.last { return commonTable(table) }
        if roll < 24, !schema.views.isEmpty {
            shapes.insert(.view)
            let view = dice.pick(schema.views)
            reads.formUnion(view.reads)
            return renamed(named(view.name, view.columns), chance: 15)
        }
        return tableSource()
    }

    mutating func tableSource() -> Source {
        let main = schema.tables.filter { !$0.isPartition }
        let table = dice.chance(85) ? dice.pick(main) : dice.pick(schema.tables)
        reads.insert(table.name)
        let source = named(table.name, table.columns)
        if dice.chance(3), !table.isPartitioned {
            return Source(sql: "ONLY \(source.sql)", alias: source.alias, columns: source.columns)
        }
        return renamed(source, chance: 4)
    }

    /// With other names for the first columns.
    private mutating func renamed(_ source: Source, chance percent: Int) -> Source {
        guard dice.chance(percent) else { return source }
        let names = (0..<min(2, source.columns.count)).map { "y\($0)" }
        let columns = source.columns.enumerated().map { index, column in
            index < names.count ? Offered(name: names[index], type: column.type) : column
        }
        return Source(sql: "\(source.sql) (\(names.joined(separator: ", ")))", alias: source.alias, columns: columns)
    }

    /// Rows that are in no table.
    private mutating func constantSource() -> Source {
        let alias = alias()
        let (a, b) = (dice.roll(0..<4), dice.roll(1..<9))
        return dice.pick([
            Source(
                sql: "(VALUES (\(a), 'a'), (\(b), 'ab'), (NULL, 'x')) AS \(alias) (k, word)", alias: alias,
                columns: [Offered(name: "k", type: .integer), Offered(name: "word", type: .text)]),
            Source(
                sql: "generate_series(\(a), \(b)) AS \(alias) (k)", alias: alias,
                columns: [Offered(name: "k", type: .integer)]),
            Source(
                sql: "unnest(ARRAY[\(a), \(b), \(b)]) AS \(alias) (k)", alias: alias,
                columns: [Offered(name: "k", type: .integer)]),
        ])
    }

    private mutating func commonTable(_ table: (name: String, columns: [Offered])) -> Source {
        let alias = alias()
        return renamed(Source(sql: "\(table.name) AS \(alias)", alias: alias, columns: table.columns), chance: 15)
    }

    private mutating func named(_ name: String, _ columns: [Column]) -> Source {
        let alias = alias()
        let offered = columns.map { Offered(name: $0.name, type: $0.type) }
        return Source(sql: "\(name) AS \(alias)", alias: alias, columns: offered)
    }

    private mutating func lateral(_ outer: [Source]) -> Source {
        shapes.insert(.derived)
        let inner = tableSource()
        let condition = equality(outer, inner)
        let output = column([inner], where: { _ in true })
        let alias = alias()
        let body: String
        let type: ColumnType
        if dice.chance(50) {
            body = "SELECT count(*) AS y FROM \(inner.sql) WHERE \(condition)"
            type = .bigint
        } else {
            let canonical = output.type.canonical(output.sql)
            body = "SELECT \(canonical) AS y FROM \(inner.sql) WHERE \(condition) ORDER BY 1 LIMIT \(dice.roll(1..<3))"
            type = output.type
        }
        return Source(sql: "LATERAL (\(body)) AS \(alias)", alias: alias, columns: [Offered(name: "y", type: type)])
    }

    /// A condition by which `next` is joined.
    mutating func equality(_ sources: [Source], _ next: Source) -> String {
        var pairs: [(Source, Offered, Offered)] = []
        for source in sources {
            for left in source.columns {
                for right in next.columns where left.type.compares(with: right.type) {
                    let isUsual = ["id", "ref", "k"].contains(left.name) && ["id", "ref", "k"].contains(right.name)
                    if isUsual || dice.chance(10) { pairs.append((source, left, right)) }
                }
            }
        }
        guard !pairs.isEmpty else { return "true" }
        let (source, left, right) = dice.pick(pairs)
        let sides = [source.reference(left), next.reference(right)]
        let word = dice.weigh([(95, "="), (3, "<"), (2, "IS NOT DISTINCT FROM")])
        if dice.chance(50) { return "\(sides[0]) \(word) \(sides[1])" }
        return "\(sides[1]) \(word == "<" ? ">" : word) \(sides[0])"
    }

    // MARK: Outputs

    struct Output {
        let sql: String
        let type: ColumnType
        let name: String
    }

    /// A column of one of the sources that fits, or of any when none does.
    mutating func column(_ sources: [Source], where fits: (Offered) -> Bool) -> (sql: String, type: ColumnType) {
        let all = sources.flatMap { source in source.columns.map { (source, $0) } }
        let fitting = all.filter { fits($0.1) }
        let (source, column) = dice.pick(fitting.isEmpty ? all : fitting)
        return (source.reference(column), column.type)
    }

    /// One to four expressions; often with the key first.
    mutating func outputs(_ sources: [Source], mustBeSafe: Bool) -> [Output] {
        var outputs: [Output] = []
        func add(_ sql: String, _ type: ColumnType) {
            outputs.append(
                Output(sql: mustBeSafe ? type.canonical(sql) : sql, type: type, name: "x\(outputs.count + 1)"))
        }
        if dice.chance(60), let id = sources[0].columns.first(where: { $0.name == "id" }) {
            add(sources[0].reference(id), id.type)
        }
        for _ in 0..<dice.roll(1..<4) {
            let (sql, type) = outputExpression(sources)
            add(sql, type)
        }
        return outputs
    }

    private mutating func outputExpression(_ sources: [Source]) -> (String, ColumnType) {
        let any = column(sources, where: { _ in true })
        switch dice.roll(0..<100) {
        case ..<4 where any.type == .integer: return ("\(any.sql) + 1", .integer)
        case ..<6 where any.type == .integer: return ("twice(\(any.sql))", .integer)
        case ..<8 where any.type.isText && any.type != .char: return ("length(\(any.sql))", .integer)
        case ..<12:
            return ("CASE WHEN \(comparison(any.sql, any.type)) THEN 1 ELSE 2 END", .integer)
        case ..<15 where any.type != .mood && any.type != .char && any.type != .varchar:
            return ("COALESCE(\(any.sql), \(literal(of: any.type)))", any.type)
        case ..<17: return ("(\(comparison(any.sql, any.type)))", .bool)
        case ..<19: return ("\(any.sql) IS NULL", .bool)
        case ..<24: return scalarSubquery(sources)
        default: return (any.sql, any.type)
        }
    }

    /// A subquery in the select list.
    private mutating func scalarSubquery(_ sources: [Source]) -> (String, ColumnType) {
        shapes.insert(.subquery)
        let inner = tableSource()
        let link = equality(sources, inner)
        let extra = dice.chance(40) ? " AND \(predicate([inner], depth: 2, outer: []))" : ""
        if dice.chance(50) { return ("(SELECT count(*) FROM \(inner.sql) WHERE \(link)\(extra))", .bigint) }
        let value = column([inner], where: { $0.type == .integer })
        guard value.type == .integer else {
            return ("EXISTS (SELECT FROM \(inner.sql) WHERE \(link)\(extra))", .bool)
        }
        return ("(SELECT max(\(value.sql)) FROM \(inner.sql) WHERE \(link)\(extra))", .integer)
    }

    /// An expression of exactly this type: a column, or a constant.
    mutating func expression(of type: ColumnType, _ sources: [Source]) -> String {
        let fitting = sources.flatMap { source in source.columns.filter { $0.type == type }.map { source.reference($0) }
        }
        let sql = fitting.isEmpty || dice.chance(5) ? "\(literal(of: type))::\(type.castName)" : dice.pick(fitting)
        return type.canonical(sql)
    }
}
