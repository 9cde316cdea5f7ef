import WaldenCore

/// The gate: walks a query, resolves its names and refuses whatever is not proven to be determined by the database
/// state and the key. What passes leaves the list of tables it reads.
///
/// Used once per statement text. Recursive; the parser bounds the depth.
struct QueryChecker {
    let resolver: NameResolver
    /// Every base relation that is read, in the order met.
    private(set) var tables: [TableOccurrence] = []
    var parameters = ParameterTable()
    /// The innermost last.
    var scopes: [Scope] = []
    /// CTEs in sight, the innermost last.
    private var commonTables: [(name: String, columns: OutputColumns)] = []
    /// How many queries are being checked, each within the one before.
    private var depth = 0

    init(resolver: NameResolver) {
        self.resolver = resolver
    }

    var catalog: CatalogSnapshot { resolver.catalog }

    // MARK: Queries

    mutating func check(_ query: Query) throws(Refusal) -> OutputColumns {
        let outer = commonTables.count
        depth += 1
        defer {
            depth -= 1
            commonTables.removeLast(commonTables.count - outer)
        }
        if query.isRecursive {
            // Every name of a recursive WITH is in sight of every other.
            for table in query.commonTables { commonTables.append((table.name, nil)) }
        }
        for table in query.commonTables {
            let columns = Self.renamed(try check(table.query), table.columnNames)
            commonTables.append((table.name, columns))
        }
        let output = try checkBody(query)
        for bound in [query.limit, query.offset] {
            guard let bound else { continue }
            _ = try check(bound)
        }
        return output
    }

    private mutating func checkBody(_ query: Query) throws(Refusal) -> OutputColumns {
        switch query.body {
        case .select(let core):
            scopes.append(Scope())
            defer { scopes.removeLast() }
            let output = try check(core)
            for key in query.orderBy { try checkKey(key) }
            return output
        case .values(let rows):
            scopes.append(Scope())
            defer { scopes.removeLast() }
            for row in rows {
                for expression in row { _ = try check(expression) }
            }
            for key in query.orderBy { try checkOutputKey(key) }
            return (0..<(rows.first?.count ?? 0)).map { OutputColumn(name: "column\($0 + 1)", type: nil) }
        case .combined(let left, let right):
            let output = try check(left)
            let other = try check(right)
            for key in query.orderBy { try checkOutputKey(key) }
            guard let output, let other, output.count == other.count else { return nil }
            return zip(output, other).map { OutputColumn(name: $0.name, type: $0.type == $1.type ? $0.type : nil) }
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
        for item in core.from {
            let found = try check(item)
            scopes[scopes.count - 1].items += found
        }
        if let filter = core.filter { _ = try check(filter) }
        var output: OutputColumns = []
        for target in core.targets {
            let columns = try check(target)
            output = if let columns, let sofar = output { sofar + columns } else { nil }
        }
        scopes[scopes.count - 1].outputNames = Set((output ?? []).compactMap(\.name))
        for key in core.distinctOn + core.groupBy { try checkKey(key) }
        if let having = core.having { _ = try check(having) }
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
        let type = try check(target.expression)
        return [OutputColumn(name: target.name ?? target.expression.impliedName, type: type)]
    }

    // MARK: FROM

    /// Reads one item of FROM. Functions are always LATERAL.
    private mutating func check(_ item: FromItem) throws(Refusal) -> [ScopeItem] {
        switch item {
        case .relation(let name, let alias): return [try relation(name, alias)]
        case .subquery(let query, let alias, let isLateral):
            let output = try isLateral ? check(query) : checkApart(query)
            let columns = Self.renamed(output, alias?.columnNames ?? [])
            return [ScopeItem(name: alias?.name, schema: nil, columns: columns, sources: [:], tables: [])]
        case .functions(let calls, _, let alias): return [try tableFunction(calls, alias)]
        case .join(let join): return try check(join)
        }
    }

    /// A subquery that does not see the items to its left.
    private mutating func checkApart(_ query: Query) throws(Refusal) -> OutputColumns {
        let hidden = scopes[scopes.count - 1].items
        scopes[scopes.count - 1].items = []
        defer { scopes[scopes.count - 1].items = hidden }
        return try check(query)
    }

    private mutating func relation(_ name: QualifiedName, _ alias: Alias?) throws(Refusal) -> ScopeItem {
        let visibleName = alias?.name ?? name.name
        if name.schema == nil, let table = commonTables.last(where: { $0.name == name.name }) {
            let columns = Self.renamed(table.columns, alias?.columnNames ?? [])
            return ScopeItem(name: visibleName, schema: nil, columns: columns, sources: [:], tables: [])
        }
        let entry = try resolver.relation(name)
        let family = try resolver.check(entry)
        let index = tables.count
        tables.append(TableOccurrence(relation: entry, family: family, isTopLevel: depth == 1))
        let names = entry.columns.map(\.name)
        let types = entry.columns.map { OutputColumn(name: $0.name, type: $0.type) }
        let columns = Self.renamed(types, alias?.columnNames ?? [])
        var sources: [String: [ColumnSource]] = [:]
        for (column, original) in zip(columns ?? [], names) {
            sources[column.name ?? original] = [ColumnSource(table: index, column: original)]
        }
        let schema = alias == nil ? entry.schema : nil
        return ScopeItem(name: visibleName, schema: schema, columns: columns, sources: sources, tables: [index])
    }

    private mutating func tableFunction(_ calls: [FunctionCall], _ alias: Alias?) throws(Refusal) -> ScopeItem {
        for call in calls { _ = try check(call) }
        let named = (alias?.columnNames ?? []).map { OutputColumn(name: $0, type: nil) }
        // What else it gives is not followed.
        let columns = named + [OutputColumn(name: nil, type: nil)]
        return ScopeItem(
            name: alias?.name ?? calls.first?.name.name, schema: nil, columns: columns, sources: [:], tables: [])
    }

    private mutating func check(_ join: Join) throws(Refusal) -> [ScopeItem] {
        let outer = scopes[scopes.count - 1].items.count
        let first = tables.count
        let left = try check(join.left)
        let middle = tables.count
        scopes[scopes.count - 1].items += left
        let right = try check(join.right)
        noteNullable(join.kind, left: first..<middle, right: middle..<tables.count)
        scopes[scopes.count - 1].items += right
        defer { scopes[scopes.count - 1].items.removeLast(scopes[scopes.count - 1].items.count - outer) }
        switch join.condition {
        case .always: break
        case .on(let condition): _ = try check(condition)
        case .using(let names):
            try resolver.check(operator: QualifiedName(schema: nil, name: "="), left: nil, right: nil)
            for name in names { _ = try column([name]) }
        case .natural:
            try resolver.check(operator: QualifiedName(schema: nil, name: "="), left: nil, right: nil)
            for item in left + right { try readWhole(item) }
        }
        guard join.alias != nil || join.usingAlias != nil else { return left + right }
        // Its columns under a new name are not followed, so all of the tables behind it count as read.
        for item in left + right { try readWhole(item) }
        let tables = (left + right).flatMap(\.tables)
        let named = ScopeItem(
            name: join.alias?.name ?? join.usingAlias, schema: nil, columns: nil, sources: [:], tables: tables)
        return join.alias == nil ? left + right + [named] : [named]
    }

    private mutating func noteNullable(_ kind: Join.Kind, left: Range<Int>, right: Range<Int>) {
        if kind == .left || kind == .full { for index in right { tables[index].isNullable = true } }
        if kind == .right || kind == .full { for index in left { tables[index].isNullable = true } }
    }

    /// Gives the first columns new names.
    private static func renamed(_ columns: OutputColumns, _ names: [String]) -> OutputColumns {
        guard var renamed = columns else { return nil }
        for (index, name) in names.enumerated() where index < renamed.count {
            renamed[index] = OutputColumn(name: name, type: renamed[index].type)
        }
        return renamed
    }
}

// MARK: Names

extension QueryChecker {
    private static let systemColumns: Set<String> = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"]

    /// Resolves a column reference, notes what it reads, and gives its type, nil when that cannot be told.
    mutating func column(_ parts: [String]) throws(Refusal) -> TypeID? {
        guard let name = parts.last else { throw Refusal(.unsupportedSyntax, "an empty name") }
        if parts.count == 1, name == "system_user" {
            throw Refusal(.currentValue, "SYSTEM_USER is a keyword of newer servers")
        }
        for depth in scopes.indices.reversed() {
            let items = scopes[depth].items.filter { Self.qualifies($0, parts.dropLast()) }
            let holders = items.filter { $0.column(named: name) != nil }
            for holder in holders { try read(holder, name) }
            if !holders.isEmpty, !items.contains(where: \.isOpen) {
                let types = Set(holders.map { $0.column(named: name)?.type })
                return types.count == 1 ? types.first ?? nil : nil
            }
            if !holders.isEmpty || items.contains(where: \.isOpen) {
                // One that is not followed may have it, or an outer query's may be meant: both count.
                try noteOuter(parts, below: depth)
                for item in items where item.isOpen { try readWhole(item) }
                return nil
            }
            if parts.count == 1, let row = scopes[depth].items.first(where: { $0.name == name }) {
                try readWhole(row)
                return nil
            }
        }
        if Self.systemColumns.contains(name) {
            throw Refusal(.systemColumn, "\(name) is a system column")
        }
        throw Refusal(.unknownColumn, "column \(parts.joined(separator: ".")) was not found")
    }

    private static func qualifies(_ item: ScopeItem, _ qualifier: ArraySlice<String>) -> Bool {
        switch qualifier.count {
        case 0: true
        case 1: item.name == qualifier.first
        case 2: item.name == qualifier.last && item.schema == qualifier.first
        default: false
        }
    }

    private mutating func noteOuter(_ parts: [String], below depth: Int) throws(Refusal) {
        guard let name = parts.last else { return }
        for outer in 0..<depth {
            if parts.count == 1 {
                for item in scopes[outer].items where item.name == name { try readWhole(item) }
            }
            for item in scopes[outer].items where Self.qualifies(item, parts.dropLast()) {
                for source in item.sources[name] ?? [] { tables[source.table].columns.insert(source.column) }
            }
        }
    }

    private mutating func read(_ item: ScopeItem, _ name: String) throws(Refusal) {
        for source in item.sources[name] ?? [] {
            tables[source.table].columns.insert(source.column)
            guard let column = tables[source.table].relation.column(named: source.column) else { continue }
            try resolver.check(columnType: column.type)
        }
    }

    mutating func readWhole(_ item: ScopeItem) throws(Refusal) {
        for table in item.tables {
            tables[table].isWhole = true
            for column in tables[table].relation.columns { try resolver.check(columnType: column.type) }
        }
    }

    /// The columns that `*` or `qualifier.*` stands for.
    mutating func expand(_ qualifier: [String]) throws(Refusal) -> OutputColumns {
        for depth in scopes.indices.reversed() {
            let items = scopes[depth].items.filter { Self.qualifies($0, qualifier[...]) }
            if items.isEmpty, !qualifier.isEmpty { continue }
            var output: OutputColumns = []
            for item in items {
                try readAll(item)
                output = if let columns = item.columns, let sofar = output { sofar + columns } else { nil }
            }
            // JOIN USING and NATURAL merge columns.
            return output
        }
        throw Refusal(.unknownColumn, "\(qualifier.joined(separator: ".")).* was not found")
    }

    private mutating func readAll(_ item: ScopeItem) throws(Refusal) {
        for name in (item.columns ?? []).compactMap(\.name) {
            for source in item.sources[name] ?? [] {
                tables[source.table].columns.insert(source.column)
                guard let column = tables[source.table].relation.column(named: source.column) else { continue }
                try resolver.check(columnType: column.type)
            }
        }
        if item.sources.isEmpty { try readWhole(item) }
    }
}
