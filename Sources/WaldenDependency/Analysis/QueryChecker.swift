import WaldenCore

/// The gate: walks a query, resolves its names and refuses whatever is not proven to be determined by the database
/// state and the key. What passes leaves the list of tables it reads.
///
/// Used once per statement text. Recursive; the parser bounds the depth.
struct QueryChecker {
    /// A query's output columns, and its number in the `ConditionTree`.
    struct CheckedQuery {
        var columns: OutputColumns
        let number: Int
    }

    private struct CommonTableInSight {
        let name: String
        let columns: OutputColumns
        /// Nil: within its own recursive WITH.
        let query: Int?
    }

    let resolver: NameResolver
    /// Every base relation that is read, in the order met.
    var tables: [TableOccurrence] = []
    var parameters = ParameterTable()
    /// The innermost last.
    var scopes: [Scope] = []
    /// What is demanded of the rows read.
    var conditions = ConditionTree()
    /// CTEs in sight, the innermost last.
    private var commonTables: [CommonTableInSight] = []

    init(resolver: NameResolver) {
        self.resolver = resolver
    }

    var catalog: CatalogSnapshot { resolver.catalog }

    // MARK: Queries

    /// Checks a query whose output is all read.
    mutating func check(_ query: Query) throws(Refusal) -> OutputColumns {
        try checkAll(query).columns
    }

    mutating func checkAll(_ query: Query) throws(Refusal) -> CheckedQuery {
        let checked = try checkDerived(query)
        for column in checked.columns ?? [] { try read(column.pending) }
        return checked
    }

    /// Checks a query of whose output only what is referred to counts as read: `OutputColumn.pending` is left to do.
    mutating func checkDerived(_ query: Query) throws(Refusal) -> CheckedQuery {
        let outer = commonTables.count
        defer {
            commonTables.removeLast(commonTables.count - outer)
        }
        if query.isRecursive {
            // Every name of a recursive WITH is in sight of every other.
            for table in query.commonTables {
                commonTables.append(CommonTableInSight(name: table.name, columns: nil, query: nil))
            }
        }
        for table in query.commonTables {
            let checked = try query.isRecursive ? checkAll(table.query) : checkDerived(table.query)
            conditions.queries[checked.number].isCommon = true
            // A recursive one feeds on its own rows, whatever is demanded of them elsewhere.
            if query.isRecursive { conditions.queries[checked.number].references = 2 }
            let columns = Self.renamed(checked.columns, table.columnNames)
            commonTables.append(CommonTableInSight(name: table.name, columns: columns, query: checked.number))
        }
        let checked = try checkBody(query)
        for bound in [query.limit, query.offset] {
            guard let bound else { continue }
            let place = scopes.last?.place
            if !scopes.isEmpty { scopes[scopes.count - 1].place = .apart }
            _ = try check(bound)
            if let place { scopes[scopes.count - 1].place = place }
        }
        return checked
    }

    private mutating func checkBody(_ query: Query) throws(Refusal) -> CheckedQuery {
        switch query.body {
        case .select(let core):
            pushScope(isLazy: query.orderBy.isEmpty && core.isRowwise)
            defer { scopes.removeLast() }
            let output = try check(core)
            for key in query.orderBy { try checkKey(key) }
            return close(output, query, core)
        case .values(let rows):
            pushScope(isLazy: false)
            defer { scopes.removeLast() }
            for row in rows {
                for expression in row { _ = try check(expression) }
            }
            for key in query.orderBy { try checkOutputKey(key) }
            let columns = (0..<(rows.first?.count ?? 0)).map { OutputColumn(name: "column\($0 + 1)", type: nil) }
            return node(.select(scopes[scopes.count - 1].select), columns, passes: [])
        case .combined(let left, let right):
            let first = try checkAll(left)
            let second = try checkAll(right)
            for key in query.orderBy { try checkOutputKey(key) }
            return combine(first, second, query)
        }
    }

    /// ORDER BY of a set operation or VALUES: a name or a number of an output column.
    private func checkOutputKey(_ key: Expression) throws(Refusal) {
        switch key {
        case .literal: return
        case .column(let parts) where parts.count == 1: return
        default: throw Refusal(.unsupportedSyntax, "ORDER BY an expression after a set operation")
        }
    }

    private mutating func check(_ core: SelectCore) throws(Refusal) -> OutputColumns {
        let scope = scopes.count - 1
        for item in core.from {
            let part = try check(item)
            scopes[scope].items += part.items
            conditions.selects[scopes[scope].select].from.append(part.tree)
        }
        scopes[scope].place = .rows
        if let filter = core.filter {
            let found = try check(condition: filter)
            conditions.selects[scopes[scope].select].conditions += found
        }
        var output: OutputColumns = []
        var pending: [ColumnSource] = []
        for target in core.targets {
            let columns = try check(target)
            pending += (columns ?? []).flatMap(\.pending)
            output = if let columns, let sofar = output { sofar + columns } else { nil }
        }
        // Where the columns cannot be told apart, none can be asked for by name later.
        if output == nil { try read(pending) }
        scopes[scope].outputNames = Set((output ?? []).compactMap(\.name))
        for key in core.distinctOn + core.groupBy { try checkKey(key) }
        if let having = core.having {
            let found = try check(condition: having)
            // A column outside of aggregates has one value in all rows of a group, unless grouping sets blank it out.
            if core.hasPlainGroups { conditions.selects[scopes[scope].select].conditions += found }
        }
        for window in core.windows {
            for expression in window.expressions { _ = try check(expression) }
        }
        return output
    }

    /// A key of ORDER BY, GROUP BY or DISTINCT ON, which may be the name of an output column.
    private mutating func checkKey(_ key: Expression) throws(Refusal) {
        if case .grouping(let keys) = key {
            for key in keys { try checkKey(key) }
            return
        }
        guard case .column(let parts) = key, parts.count == 1, scopes[scopes.count - 1].outputNames.contains(parts[0])
        else {
            _ = try check(key)
            return
        }
        // The same name may be an input column as well: then it counts as read.
        _ = try? column(parts)
    }

    private mutating func check(_ target: Target) throws(Refusal) -> OutputColumns {
        if case .star(let qualifier) = target.expression { return try expand(qualifier) }
        if case .field(let row, nil) = target.expression {
            _ = try check(row)
            return nil
        }
        if case .column(let parts) = target.expression, var column = passingColumn(parts) {
            if !scopes[scopes.count - 1].isLazy { column = try read(column) }
            column.name = target.name ?? column.name
            return [column]
        }
        let type = try check(target.expression)
        return [OutputColumn(name: target.name ?? target.expression.impliedName, type: type)]
    }

    // MARK: FROM

    /// An item of FROM: what names can refer to, and how it is joined.
    private struct Part {
        var items: [ScopeItem]
        var tree: JoinTree

        init(_ item: ScopeItem) {
            items = [item]
            tree = .item(slot: item.slot)
        }

        init(_ items: [ScopeItem], _ tree: JoinTree) {
            self.items = items
            self.tree = tree
        }
    }

    /// Reads one item of FROM. Functions are always LATERAL.
    private mutating func check(_ item: FromItem) throws(Refusal) -> Part {
        switch item {
        case .relation(let name, let alias): return Part(try relation(name, alias))
        case .subquery(let query, let alias, let isLateral):
            let checked = try isLateral ? checkDerived(query) : checkApart(query)
            return Part(derivedItem(checked, name: alias?.name, columnNames: alias?.columnNames ?? []))
        case .functions(let calls, _, let alias): return Part(try tableFunction(calls, alias))
        case .join(let join): return try check(join)
        }
    }

    /// A subquery that does not see the items to its left.
    private mutating func checkApart(_ query: Query) throws(Refusal) -> CheckedQuery {
        let hidden = scopes[scopes.count - 1].items
        scopes[scopes.count - 1].items = []
        defer { scopes[scopes.count - 1].items = hidden }
        return try checkDerived(query)
    }

    /// A checked query as an item of FROM.
    mutating func derivedItem(_ query: CheckedQuery, name: String?, columnNames: [String]) -> ScopeItem {
        let columns = Self.renamed(query.columns, columnNames)
        var sources: [String: [ColumnSource]] = [:]
        for column in columns ?? [] {
            if let name = column.name { sources[name, default: []] += column.pending }
        }
        let slot = conditions.slot(for: query.number, columns: columns ?? [])
        return ScopeItem(name: name, schema: nil, columns: columns, sources: sources, tables: [], slot: slot)
    }

    private mutating func relation(_ name: QualifiedName, _ alias: Alias?) throws(Refusal) -> ScopeItem {
        let visibleName = alias?.name ?? name.name
        if name.schema == nil, let table = commonTables.last(where: { $0.name == name.name }) {
            guard let query = table.query else {
                return ScopeItem(name: visibleName, schema: nil, columns: nil, sources: [:], tables: [])
            }
            conditions.queries[query].references += 1
            return derivedItem(
                CheckedQuery(columns: table.columns, number: query), name: visibleName,
                columnNames: alias?.columnNames ?? [])
        }
        let entry = try resolver.relation(name)
        let family = try resolver.check(entry)
        let index = tables.count
        tables.append(TableOccurrence(relation: entry, family: family))
        let names = entry.columns.map(\.name)
        let types = entry.columns.map { OutputColumn(name: $0.name, type: $0.type) }
        let columns = Self.renamed(types, alias?.columnNames ?? [])
        var sources: [String: [ColumnSource]] = [:]
        for (column, original) in zip(columns ?? [], names) {
            sources[column.name ?? original] = [ColumnSource(table: index, column: original)]
        }
        let schema = alias == nil ? entry.schema : nil
        return ScopeItem(
            name: visibleName, schema: schema, columns: columns, sources: sources, tables: [index], slot: index)
    }

    private mutating func tableFunction(_ calls: [FunctionCall], _ alias: Alias?) throws(Refusal) -> ScopeItem {
        for call in calls { _ = try check(call) }
        let named = (alias?.columnNames ?? []).map { OutputColumn(name: $0, type: nil) }
        // What else it gives is not followed.
        let columns = named + [OutputColumn(name: nil, type: nil)]
        return ScopeItem(
            name: alias?.name ?? calls.first?.name.name, schema: nil, columns: columns, sources: [:], tables: [])
    }

    private mutating func check(_ join: Join) throws(Refusal) -> Part {
        let before = scopes[scopes.count - 1].items
        let left = try check(join.left)
        scopes[scopes.count - 1].items += left.items
        let right = try check(join.right)
        // The condition sees the items that are joined, and those of outer queries.
        scopes[scopes.count - 1].items = left.items + right.items
        defer { scopes[scopes.count - 1].items = before }
        let number = conditions.joinNumber()
        let condition = try check(join.condition, of: join.kind, number, left.items, right.items)
        let tree = JoinTree.join(
            JoinNode(kind: join.kind, left: left.tree, right: right.tree, condition: condition, number: number))
        let items = left.items + right.items
        guard join.alias != nil || join.usingAlias != nil else { return Part(items, tree) }
        // Its columns under a new name are not followed, so all of the tables behind it count as read.
        for item in items { try readWhole(item) }
        let named = ScopeItem(
            name: join.alias?.name ?? join.usingAlias, schema: nil, columns: nil, sources: [:],
            tables: items.flatMap(\.tables))
        return Part(join.alias == nil ? items + [named] : [named], tree)
    }

    private mutating func check(
        _ condition: Join.Condition, of kind: Join.Kind, _ number: Int, _ left: [ScopeItem], _ right: [ScopeItem]
    ) throws(Refusal) -> [Conjunct] {
        switch condition {
        case .always: return []
        case .on(let expression):
            scopes[scopes.count - 1].place = .pairs(number)
            defer { scopes[scopes.count - 1].place = .apart }
            return try check(condition: expression)
        case .using(let names):
            return try merge(names, of: kind, left, right)
        case .natural:
            let (some, others) = (left.columnNames, right.columnNames)
            if let some, let others { return try merge(some.intersection(others).sorted(), of: kind, left, right) }
            for item in left + right { try readWhole(item) }
            return try merge([], of: kind, left, right)
        }
    }

    /// Gives the first columns new names.
    private static func renamed(_ columns: OutputColumns, _ names: [String]) -> OutputColumns {
        guard var renamed = columns else { return nil }
        for (index, name) in names.enumerated() where index < renamed.count {
            renamed[index].name = name
        }
        return renamed
    }
}
