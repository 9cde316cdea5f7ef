/// Writes random queries over a world's tables and views.
///
/// Every query is determined by its seed and the world, and its result by the database state: where equal values may
/// look different, or the order of rows would show, the text says which to take. Text that the server refuses is
/// replaced by the caller.
struct QueryWriter {
    let schema: Schema
    var dice: Dice
    let allowsParameters: Bool
    var parameters: [Parameter] = []
    var shapes: Set<QueryShape> = []
    var reads: Set<String> = []
    /// In sight of the block being written.
    var commonTables: [(name: String, columns: [Offered])] = []
    private var aliasCount = 0

    init(schema: Schema, dice: Dice, allowsParameters: Bool = true) {
        self.schema = schema
        self.dice = dice
        self.allowsParameters = allowsParameters
    }

    static func query(_ schema: Schema, dice: Dice) -> GeneratedQuery {
        var writer = QueryWriter(schema: schema, dice: dice)
        return writer.query()
    }

    /// The definition of a view, whose columns get the names of the block's outputs.
    static func view(named name: String, _ schema: Schema, dice: Dice) -> View {
        var writer = QueryWriter(schema: schema, dice: dice, allowsParameters: false)
        let block = writer.block(depth: 1, outer: [])
        let columns = block.columns.map { Column(name: $0.name, type: $0.type) }
        return View(name: name, definition: block.sql, columns: columns, reads: writer.reads)
    }

    mutating func alias() -> String {
        aliasCount += 1
        return "a\(aliasCount)"
    }

    // MARK: Whole queries

    private mutating func query() -> GeneratedQuery {
        let (sql, isOrdered) = statement()
        // Partitions and children, whose rows it reads too, are named after the table.
        let tables = schema.tables.filter { table in
            reads.contains { table.name == $0 || table.name.hasPrefix("\($0)_") }
        }
        return GeneratedQuery(
            sql: sql, parameters: parameters, shape: shape, reads: reads, isOrdered: isOrdered,
            isBinary: dice.chance(30), hasFullIdentity: tables.allSatisfy { $0.identity == .full })
    }

    private var shape: QueryShape {
        let order: [QueryShape] = [
            .view, .setOperation, .commonTable, .subquery, .derived, .window, .aggregate, .join, .distinct, .limit,
        ]
        return order.first { shapes.contains($0) } ?? .single
    }

    private mutating func statement() -> (sql: String, isOrdered: Bool) {
        let kind = dice.weigh([
            (34, QueryShape.single), (14, .join), (9, .limit), (12, .aggregate), (4, .distinct), (4, .window),
            (6, .setOperation), (6, .commonTable), (11, .subquery),
        ])
        switch kind {
        case .single where dice.chance(70): return (lookup(), false)
        case .setOperation:
            shapes.insert(.setOperation)
            return ordered(setOperation(depth: 0, outer: []))
        case .commonTable:
            shapes.insert(.commonTable)
            return (dice.chance(35) ? recursive() : withClause(), false)
        case .limit:
            shapes.insert(.limit)
            let block = block(depth: 0, outer: [], kind: .single, mustBeSafe: true)
            return (limited(block), true)
        default: return ordered(block(depth: 0, outer: [], kind: kind))
        }
    }

    /// `ORDER BY` its columns, now and then.
    private mutating func ordered(_ block: Block) -> (sql: String, isOrdered: Bool) {
        guard dice.chance(15) else { return (block.sql, false) }
        return ("\(block.sql) ORDER BY \(positions(block.columns.count))", false)
    }

    private mutating func positions(_ count: Int) -> String {
        (1...max(count, 1)).map { position in
            "\(position)" + dice.weigh([(6, ""), (2, " DESC"), (1, " NULLS FIRST"), (1, " DESC NULLS LAST")])
        }.joined(separator: ", ")
    }

    private mutating func limited(_ block: Block) -> String {
        let order = positions(block.columns.count)
        let tail = dice.weigh([
            (6, " LIMIT \(dice.roll(1..<5))"), (2, " LIMIT \(dice.roll(1..<4)) OFFSET \(dice.roll(0..<4))"),
            (1, " OFFSET \(dice.roll(0..<6))"), (1, " FETCH FIRST 2 ROWS ONLY"),
        ])
        return "\(block.sql) ORDER BY \(order)\(tail)"
    }

    /// What applications ask most: some rows of one table by its key or by a column.
    private mutating func lookup() -> String {
        let source = tableSource()
        let table = schema.table(named: reads.first ?? "")
        let key = (table?.key ?? []).compactMap { name in source.columns.first { $0.name == name } }
        let condition: String
        if !key.isEmpty, dice.chance(50) {
            condition = key.map { comparison(source.reference($0), $0.type, ["="]) }.joined(separator: " AND ")
        } else {
            condition = predicate([source], depth: 2, outer: [])
        }
        let output = dice.chance(40) ? "*" : outputs([source], mustBeSafe: false).map(\.sql).joined(separator: ", ")
        return "SELECT \(output) FROM \(source.sql) WHERE \(condition)"
    }

    // MARK: Set operations and common tables

    mutating func setOperation(depth: Int, outer: [Source]) -> Block {
        let isAll = dice.chance(40)
        let left = block(depth: depth + 1, outer: outer, kind: .single, mustBeSafe: true)
        let right = block(
            depth: depth + 1, outer: outer, kind: .single, mustBeSafe: true, wanted: left.columns.map(\.type))
        let word = dice.pick(["UNION", "INTERSECT", "EXCEPT"]) + (isAll ? " ALL" : "")
        return Block(sql: "(\(left.sql)) \(word) (\(right.sql))", columns: left.columns)
    }

    private mutating func withClause() -> String {
        let name = "c\(dice.roll(1..<9))"
        let inner = block(depth: 1, outer: [])
        let hint = dice.weigh([(4, ""), (1, "MATERIALIZED "), (1, "NOT MATERIALIZED ")])
        commonTables.append((name, inner.columns))
        let main = block(depth: 1, outer: [], kind: dice.chance(50) ? .join : .single, first: name)
        return "WITH \(name) AS \(hint)(\(inner.sql)) \(main.sql)"
    }

    /// What can be reached from some rows by `ref`.
    private mutating func recursive() -> String {
        let start = tableSource()
        let condition = predicate([start], depth: 2, outer: [])
        let step = tableSource()
        let union = "UNION"
        let tail = dice.chance(50) ? " WHERE n < \(dice.roll(1..<9))" : ""
        return """
            WITH RECURSIVE r (n) AS (SELECT \(start.alias).id FROM \(start.sql) WHERE \(condition) \(union) \
            SELECT \(step.alias).ref FROM \(step.sql) JOIN r ON \(step.alias).id = r.n) SELECT n FROM r\(tail)
            """
    }

    // MARK: One SELECT

    /// - Parameters:
    ///   - mustBeSafe: Its rows are compared or cut off, so equal values must look the same.
    ///   - wanted: The types of its columns.
    ///   - first: The common table that it must read.
    mutating func block(
        depth: Int, outer: [Source], kind: QueryShape? = nil, mustBeSafe: Bool = false, wanted: [ColumnType]? = nil,
        first: String? = nil
    ) -> Block {
        let kind = kind ?? dice.weigh([(6, QueryShape.single), (3, .join), (2, .aggregate), (1, .distinct)])
        if kind == .aggregate { shapes.insert(.aggregate) }
        let count: Int =
            switch kind {
            case .join: dice.weigh([(6, 2), (3, 3), (1, 4)])
            case .single: 1
            default: dice.weigh([(7, 1), (3, 2), (1, 3)])
            }
        let from = from(count, depth: depth, outer: outer, first: first)
        var conditions = from.conditions
        if kind == .subquery {
            shapes.insert(.subquery)
            conditions.append(subqueryTerm(from.sources, depth: depth, outer: outer))
        }
        if count > 1, dice.chance(45) { conditions.append(pin(from.sources)) }
        if count > 1, dice.chance(12) {
            // On a nullable side: rows without a partner.
            let missing = column(from.sources.suffix(1), where: { ["id", "k", "ref"].contains($0.name) })
            conditions.append("\(missing.sql) IS NULL")
        }
        let filtered = conditions.isEmpty ? 85 : 45
        if dice.chance(filtered) { conditions.append(predicate(from.sources, depth: depth, outer: outer)) }
        let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        if let wanted {
            let outputs = wanted.enumerated().map { index, type in
                Output(sql: expression(of: type, from.sources), type: type, name: "x\(index + 1)")
            }
            return finish("SELECT ", outputs, " FROM \(from.sql)\(filter)")
        }
        switch kind {
        case .aggregate: return aggregate(from.sources, " FROM \(from.sql)\(filter)")
        case .distinct: return distinct(from.sources, " FROM \(from.sql)\(filter)")
        case .window: return window(from.sources, " FROM \(from.sql)\(filter)")
        default:
            let outputs = outputs(from.sources, mustBeSafe: mustBeSafe)
            return finish("SELECT ", outputs, " FROM \(from.sql)\(filter)")
        }
    }

    func finish(_ head: String, _ outputs: [Output], _ tail: String) -> Block {
        Block(
            sql: head + outputs.map { "\($0.sql) AS \($0.name)" }.joined(separator: ", ") + tail,
            columns: outputs.map { Offered(name: $0.name, type: $0.type) })
    }

    private mutating func distinct(_ sources: [Source], _ tail: String) -> Block {
        shapes.insert(.distinct)
        let outputs = outputs(sources, mustBeSafe: true)
        if dice.chance(60) { return finish("SELECT DISTINCT ", outputs, tail) }
        let order = (1...outputs.count).map(String.init).joined(separator: ", ")
        return finish("SELECT DISTINCT ON (\(outputs[0].sql)) ", outputs, "\(tail) ORDER BY \(order)")
    }

    private mutating func window(_ sources: [Source], _ tail: String) -> Block {
        shapes.insert(.window)
        var outputs = outputs(sources, mustBeSafe: true)
        let partition = column(sources, where: { _ in true })
        let order = column(sources, where: { _ in true })
        let number = column(sources, where: \.type.isInteger)
        let (call, type): (String, ColumnType) = dice.pick([
            ("count(*)", .bigint), ("rank()", .bigint), ("dense_rank()", .bigint), ("max(\(number.sql))", .integer),
        ])
        let by = dice.chance(60) ? "PARTITION BY \(partition.type.canonical(partition.sql)) " : ""
        outputs.append(
            Output(sql: "\(call) OVER (\(by)ORDER BY \(order.sql))", type: type, name: "x\(outputs.count + 1)"))
        return finish("SELECT ", outputs, tail)
    }

    private mutating func aggregate(_ sources: [Source], _ tail: String) -> Block {
        var outputs: [Output] = []
        var groups: [String] = []
        if dice.chance(65) {
            for _ in 0..<dice.roll(1..<3) {
                let column = column(sources, where: { $0.type != .big })
                let sql = column.type.canonical(column.sql)
                guard !groups.contains(sql) else { continue }
                groups.append(sql)
                outputs.append(Output(sql: sql, type: column.type, name: "x\(outputs.count + 1)"))
            }
        }
        for _ in 0..<dice.roll(1..<3) {
            let (sql, type) = aggregateCall(sources)
            outputs.append(Output(sql: sql, type: type, name: "x\(outputs.count + 1)"))
        }
        var clause = groups.isEmpty ? "" : " GROUP BY \(groups.joined(separator: ", "))"
        if groups.count == 2, dice.chance(20) {
            clause = dice.pick([
                " GROUP BY GROUPING SETS ((\(groups[0])), (\(groups[1])), ())",
                " GROUP BY ROLLUP (\(groups[0]), \(groups[1]))", " GROUP BY CUBE (\(groups[0]), \(groups[1]))",
            ])
        }
        if dice.chance(25) {
            let id = "\(sources[0].alias).\(idName(sources[0]))"
            let having = dice.pick(["count(*) > 1", "count(*) = 1", "min(\(id)) < 5"])
            clause += " HAVING \(having)"
        }
        return finish("SELECT ", outputs, tail + clause)
    }

    private func idName(_ source: Source) -> String {
        source.columns.first { $0.type.isInteger }?.name ?? source.columns[0].name
    }

    private mutating func aggregateCall(_ sources: [Source]) -> (String, ColumnType) {
        let any = column(sources, where: { _ in true })
        let number = column(sources, where: { $0.type == .integer || $0.type == .scaled })
        let ordered = column(sources, where: \.type.hasMinimum)
        let canonical = ordered.type.canonical(ordered.sql)
        let numberIsInteger = number.type == .integer
        var filter = ""
        if dice.chance(15) { filter = " FILTER (WHERE \(comparison(any.sql, any.type)))" }
        switch dice.roll(0..<10) {
        case 0...2: return ("count(*)\(filter)", .bigint)
        case 3: return ("count(\(any.sql))\(filter)", .bigint)
        case 4: return ("count(DISTINCT \(any.sql))\(filter)", .bigint)
        case 5 where number.type.isNumber: return ("sum(\(number.sql))\(filter)", numberIsInteger ? .bigint : .scaled)
        case 6: return ("min(\(canonical))\(filter)", ordered.type == .varchar ? .text : ordered.type)
        case 7: return ("max(\(canonical))\(filter)", ordered.type == .varchar ? .text : ordered.type)
        case 8: return ("bool_or(\(comparison(any.sql, any.type)))\(filter)", .bool)
        case 9 where ordered.type.isText && ordered.type != .big && ordered.type != .char:
            return ("string_agg(\(canonical), ',' ORDER BY \(canonical))\(filter)", .text)
        default: return ("count(*) + 1", .bigint)
        }
    }
}
