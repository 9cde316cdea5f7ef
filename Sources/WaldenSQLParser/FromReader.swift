import WaldenDependency

extension SyntaxReader {
    mutating func fromItem(_ index: Int) throws(Refusal) -> FromItem {
        try nested { (reader) throws(Refusal) in
            let node = try reader.unwrap(index)
            switch reader.tree.key(of: node) {
            case "RangeVar": return try reader.relation(node)
            case "RangeSubselect": return try reader.derivedTable(node)
            case "RangeFunction": return try reader.tableFunction(node)
            case "JoinExpr": return .join(try reader.join(node))
            case "RangeTableSample": throw Refusal(.tablesample, "TABLESAMPLE takes rows at random")
            default: throw reader.unsupported(node)
            }
        }
    }

    private func relation(_ index: Int) throws(Refusal) -> FromItem {
        var fields = Fields(of: index, in: tree, kind: "table name")
        // Whether descendants are included (ONLY, *) does not narrow the dependencies.
        fields.ignore("inh", "relpersistence")
        let schema: String? = if let schema = fields.take("schemaname") { try name(schema) } else { nil }
        let own = try name(fields.take("relname"))
        let alias = try alias(fields.take("alias"))
        try fields.finish()
        return .relation(QualifiedName(schema: schema, name: own), alias: alias)
    }

    private mutating func derivedTable(_ index: Int) throws(Refusal) -> FromItem {
        var fields = Fields(of: index, in: tree, kind: "subquery")
        let isLateral = fields.flag("lateral")
        let alias = try alias(fields.take("alias"))
        guard let wrapped = fields.take("subquery") else { throw unsupported(index) }
        try fields.finish()
        return .subquery(try subselect(wrapped), alias: alias, isLateral: isLateral)
    }

    /// Reads a wrapped SelectStmt.
    mutating func subselect(_ index: Int) throws(Refusal) -> Query {
        let node = try unwrap(index)
        guard tree.isKey(of: node, "SelectStmt") else { throw unsupported(node) }
        return try query(node)
    }

    private mutating func tableFunction(_ index: Int) throws(Refusal) -> FromItem {
        var fields = Fields(of: index, in: tree, kind: "table function")
        fields.ignore("lateral", "is_rowsfrom")
        let withOrdinality = fields.flag("ordinality")
        let alias = try alias(fields.take("alias"))
        guard let functions = fields.take("functions") else { throw unsupported(index) }
        // A column definition list converts values by input functions.
        try fields.finish()
        var calls: [FunctionCall] = []
        for child in tree.children(of: functions) { calls.append(try rowsFromItem(child)) }
        return .functions(calls, withOrdinality: withOrdinality, alias: alias)
    }

    /// Reads a list of a function call and an empty column definition list.
    private mutating func rowsFromItem(_ index: Int) throws(Refusal) -> FunctionCall {
        let list = try unwrap(index)
        guard tree.isKey(of: list, "List"), let items = tree.child(of: list, "items") else { throw unsupported(list) }
        let parts = tree.children(of: items)
        guard let first = parts.first, parts.dropFirst().allSatisfy({ tree.children(of: $0).isEmpty }) else {
            throw Refusal(.unsupportedSyntax, "column definitions of a table function")
        }
        switch try expression(first) {
        case .call(let call): return call
        case .currentValue(let name): throw Refusal(.currentValue, "\(name) depends on the time or the session")
        default: throw Refusal(.unsupportedSyntax, "an expression in FROM")
        }
    }

    private mutating func join(_ index: Int) throws(Refusal) -> Join {
        var fields = Fields(of: index, in: tree, kind: "JOIN")
        fields.ignore("rtindex")
        guard let type = fields.take("jointype"), let left = fields.take("larg"), let right = fields.take("rarg")
        else { throw unsupported(index) }
        let kind: Join.Kind =
            switch tree.string(type) {
            case "JOIN_INNER": .inner
            case "JOIN_LEFT": .left
            case "JOIN_RIGHT": .right
            case "JOIN_FULL": .full
            default: throw unsupported(type)
            }
        let isNatural = fields.flag("isNatural")
        let using = try names(fields.take("usingClause"))
        let usingAlias = try alias(fields.take("join_using_alias"))
        let quals = fields.take("quals")
        let alias = try alias(fields.take("alias"))
        try fields.finish()
        let condition: Join.Condition =
            if isNatural { .natural } else if !using.isEmpty { .using(using) } else if let quals {
                .on(try expression(quals))
            } else { .always }
        return Join(
            kind: kind, left: try fromItem(left), right: try fromItem(right), condition: condition, alias: alias,
            usingAlias: usingAlias?.name)
    }

    private func alias(_ index: Int?) throws(Refusal) -> Alias? {
        guard let index else { return nil }
        var fields = Fields(of: index, in: tree, kind: "alias")
        let label = try name(fields.take("aliasname"))
        let columns = try names(fields.take("colnames"))
        try fields.finish()
        return Alias(name: label, columnNames: columns)
    }
}
