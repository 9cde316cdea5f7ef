import WaldenDependency

extension SyntaxReader {
    /// Reads the node below `{"SelectStmt": …}`.
    mutating func query(_ index: Int) throws(Refusal) -> Query {
        try nested { (reader) throws(Refusal) in try reader.queryFields(index) }
    }

    private mutating func queryFields(_ index: Int) throws(Refusal) -> Query {
        var fields = Fields(of: index, in: tree, kind: "SELECT")
        if fields.take("intoClause") != nil { throw Refusal(.selectInto, "SELECT INTO creates a table") }
        if fields.take("lockingClause") != nil { throw Refusal(.lockingClause, "FOR UPDATE or FOR SHARE locks rows") }
        let (tables, isRecursive) = try commonTables(fields.take("withClause"))
        let orderBy = try sortKeys(fields.take("sortClause"))
        let limit = try optionalExpression(fields.take("limitCount"))
        let offset = try optionalExpression(fields.take("limitOffset"))
        fields.ignore("limitOption", "all", "groupDistinct")
        let body = try body(&fields)
        try fields.finish()
        return Query(
            commonTables: tables, isRecursive: isRecursive, body: body, orderBy: orderBy, limit: limit,
            offset: offset)
    }

    private mutating func body(_ fields: inout Fields) throws(Refusal) -> QueryBody {
        if let operation = fields.take("op"), !tree.isString(operation, "SETOP_NONE") {
            guard let left = fields.take("larg"), let right = fields.take("rarg") else {
                throw Refusal(.unsupportedSyntax, "a set operation without operands")
            }
            return .combined(left: try query(left), right: try query(right))
        }
        if let lists = fields.take("valuesLists") {
            var rows: [[Expression]] = []
            for child in tree.children(of: lists) { rows.append(try listItems(child)) }
            return .values(rows)
        }
        return .select(try core(&fields))
    }

    private mutating func core(_ fields: inout Fields) throws(Refusal) -> SelectCore {
        var distinctOn: [Expression] = []
        var isDistinct = false
        if let distinct = fields.take("distinctClause") {
            isDistinct = true
            for child in tree.children(of: distinct) where !tree.children(of: child).isEmpty {
                distinctOn.append(try expression(child))
            }
        }
        let targets = try targets(fields.take("targetList"))
        var from: [FromItem] = []
        if let clause = fields.take("fromClause") {
            for child in tree.children(of: clause) { from.append(try fromItem(child)) }
        }
        let filter = try optionalExpression(fields.take("whereClause"))
        let groupBy = try expressions(fields.take("groupClause"))
        let having = try optionalExpression(fields.take("havingClause"))
        var windows: [WindowDefinition] = []
        if let clause = fields.take("windowClause") {
            for child in tree.children(of: clause) { windows.append(try window(unwrap(child))) }
        }
        return SelectCore(
            distinctOn: distinctOn, isDistinct: isDistinct, targets: targets, from: from, filter: filter,
            groupBy: groupBy, having: having, windows: windows)
    }

    /// The expressions of a `{"List": {"items": […]}}`.
    mutating func listItems(_ index: Int) throws(Refusal) -> [Expression] {
        let node = try unwrap(index)
        guard tree.isKey(of: node, "List") else { throw unsupported(node) }
        return try expressions(tree.child(of: node, "items"))
    }

    private mutating func targets(_ index: Int?) throws(Refusal) -> [Target] {
        guard let index else { return [] }
        var list: [Target] = []
        for child in tree.children(of: index) {
            let node = try unwrap(child)
            guard tree.isKey(of: node, "ResTarget") else { throw unsupported(node) }
            var fields = Fields(of: node, in: tree, kind: "select list")
            let label: String? = if let label = fields.take("name") { try name(label) } else { nil }
            guard let value = fields.take("val") else { throw unsupported(node) }
            try fields.finish()
            list.append(Target(name: label, expression: try expression(value)))
        }
        return list
    }

    private mutating func commonTables(_ index: Int?) throws(Refusal) -> ([CommonTable], Bool) {
        guard let index else { return ([], false) }
        var fields = Fields(of: index, in: tree, kind: "WITH")
        let isRecursive = fields.flag("recursive")
        var tables: [CommonTable] = []
        if let list = fields.take("ctes") {
            for child in tree.children(of: list) { tables.append(try commonTable(unwrap(child))) }
        }
        try fields.finish()
        return (tables, isRecursive)
    }

    private mutating func commonTable(_ index: Int) throws(Refusal) -> CommonTable {
        guard tree.isKey(of: index, "CommonTableExpr") else { throw unsupported(index) }
        var fields = Fields(of: index, in: tree, kind: "WITH")
        fields.ignore("ctematerialized")
        let label = try name(fields.take("ctename"))
        let columns = try names(fields.take("aliascolnames"))
        guard let wrapped = fields.take("ctequery") else { throw unsupported(index) }
        try fields.finish()
        let inner = try unwrap(wrapped)
        guard tree.isKey(of: inner, "SelectStmt") else {
            throw Refusal(.dataModifyingCTE, "\(tree.key(of: inner)) in WITH writes")
        }
        return CommonTable(name: label, columnNames: columns, query: try query(inner))
    }

    mutating func sortKeys(_ index: Int?) throws(Refusal) -> [Expression] {
        guard let index else { return [] }
        var keys: [Expression] = []
        for child in tree.children(of: index) {
            let node = try unwrap(child)
            guard tree.isKey(of: node, "SortBy") else { throw unsupported(node) }
            var fields = Fields(of: node, in: tree, kind: "ORDER BY")
            fields.ignore("sortby_dir", "sortby_nulls")
            guard let key = fields.take("node") else { throw unsupported(node) }
            // ORDER BY … USING names an operator.
            try fields.finish()
            keys.append(try expression(key))
        }
        return keys
    }

    /// Reads the fields of a WindowDef.
    mutating func window(_ index: Int) throws(Refusal) -> WindowDefinition {
        var fields = Fields(of: index, in: tree, kind: "window")
        fields.ignore("name", "refname", "frameOptions")
        let partitionBy = try expressions(fields.take("partitionClause"))
        let orderBy = try sortKeys(fields.take("orderClause"))
        let start = try optionalExpression(fields.take("startOffset"))
        let end = try optionalExpression(fields.take("endOffset"))
        try fields.finish()
        return WindowDefinition(
            partitionBy: partitionBy, orderBy: orderBy, bounds: [start, end].compactMap { $0 })
    }
}
