/// Rebuilds a query with some of its nodes replaced. A conformer overrides what it replaces; the rest is walked in the
/// order of scoping: CTEs before the body that sees them.
protocol SyntaxMapping {
    mutating func map(relation name: QualifiedName, _ alias: Alias?) throws(Refusal) -> FromItem
    /// A name of a function, operator, type or collation.
    func map(name: QualifiedName) -> QualifiedName
    /// Called before the parts of the expression are mapped; nil: go on with them.
    mutating func replacement(of expression: Expression) throws(Refusal) -> Expression?
    mutating func enter(commonTable name: String)
    /// How many CTEs are in sight; `leave` goes back to that many.
    var commonTableCount: Int { get }
    mutating func leave(to count: Int)
}

// MARK: Queries

extension SyntaxMapping {
    mutating func map(_ query: Query) throws(Refusal) -> Query {
        let outer = commonTableCount
        defer { leave(to: outer) }
        if query.isRecursive {
            for table in query.commonTables { enter(commonTable: table.name) }
        }
        var tables: [CommonTable] = []
        for table in query.commonTables {
            tables.append(
                CommonTable(name: table.name, columnNames: table.columnNames, query: try map(table.query)))
            enter(commonTable: table.name)
        }
        let body: QueryBody
        switch query.body {
        case .select(let core): body = .select(try map(core))
        case .values(let rows):
            var mapped: [[Expression]] = []
            for row in rows { mapped.append(try map(all: row)) }
            body = .values(mapped)
        case .combined(let left, let right): body = .combined(left: try map(left), right: try map(right))
        }
        return Query(
            commonTables: tables, isRecursive: query.isRecursive, body: body, orderBy: try map(all: query.orderBy),
            limit: try map(optional: query.limit), offset: try map(optional: query.offset))
    }

    private mutating func map(_ core: SelectCore) throws(Refusal) -> SelectCore {
        var targets: [Target] = []
        for target in core.targets {
            targets.append(Target(name: target.name, expression: try map(target.expression)))
        }
        var from: [FromItem] = []
        for item in core.from { from.append(try map(item)) }
        var windows: [WindowDefinition] = []
        for window in core.windows { windows.append(try map(window)) }
        return SelectCore(
            distinctOn: try map(all: core.distinctOn), isDistinct: core.isDistinct, targets: targets, from: from,
            filter: try map(optional: core.filter), groupBy: try map(all: core.groupBy),
            having: try map(optional: core.having), windows: windows)
    }

    private mutating func map(_ item: FromItem) throws(Refusal) -> FromItem {
        switch item {
        case .relation(let name, let alias): return try map(relation: name, alias)
        case .subquery(let query, let alias, let isLateral):
            return .subquery(try map(query), alias: alias, isLateral: isLateral)
        case .functions(let calls, let withOrdinality, let alias):
            var mapped: [FunctionCall] = []
            for call in calls { mapped.append(try map(call)) }
            return .functions(mapped, withOrdinality: withOrdinality, alias: alias)
        case .join(let join):
            var condition = join.condition
            let left = try map(join.left)
            let right = try map(join.right)
            if case .on(let expression) = join.condition { condition = .on(try map(expression)) }
            return .join(
                Join(
                    kind: join.kind, left: left, right: right, condition: condition, alias: join.alias,
                    usingAlias: join.usingAlias))
        }
    }

    private mutating func map(_ window: WindowDefinition) throws(Refusal) -> WindowDefinition {
        WindowDefinition(
            partitionBy: try map(all: window.partitionBy), orderBy: try map(all: window.orderBy),
            bounds: try map(all: window.bounds))
    }
}

// MARK: Expressions

extension SyntaxMapping {
    mutating func map(all expressions: [Expression]) throws(Refusal) -> [Expression] {
        var mapped: [Expression] = []
        for expression in expressions { mapped.append(try map(expression)) }
        return mapped
    }

    private mutating func map(optional expression: Expression?) throws(Refusal) -> Expression? {
        guard let expression else { return nil }
        return try map(expression)
    }

    mutating func map(_ expression: Expression) throws(Refusal) -> Expression {
        if let replacement = try replacement(of: expression) { return replacement }
        switch expression {
        case .column, .star, .parameter, .literal, .currentValue: return expression
        case .operation(let operation):
            return .operation(
                Operation(
                    form: operation.form, name: map(name: operation.name), left: try map(optional: operation.left),
                    right: try map(all: operation.right)))
        case .and(let parts): return .and(try map(all: parts))
        case .or(let parts): return .or(try map(all: parts))
        case .not(let inner): return .not(try map(inner))
        case .isNull(let inner): return .isNull(try map(inner))
        case .isNotNull(let inner): return .isNotNull(try map(inner))
        case .booleanTest(let inner, let test): return .booleanTest(try map(inner), test)
        case .call(let call): return .call(try map(call))
        case .cast(let inner, let type): return .cast(try map(inner), map(type))
        case .collate(let inner, let collation): return .collate(try map(inner), map(name: collation))
        case .caseWhen(let operand, let branches, let otherwise):
            var mapped: [CaseBranch] = []
            for branch in branches {
                mapped.append(CaseBranch(condition: try map(branch.condition), result: try map(branch.result)))
            }
            return .caseWhen(
                operand: try map(optional: operand), branches: mapped, otherwise: try map(optional: otherwise))
        case .list(let kind, let parts): return .list(kind, try map(all: parts))
        case .subscripted(let inner, let subscripts):
            return .subscripted(try map(inner), try map(all: subscripts))
        case .field(let inner, let name): return .field(try map(inner), name)
        case .grouping(let parts): return .grouping(try map(all: parts))
        case .subquery(let subquery):
            return .subquery(
                Subquery(
                    form: subquery.form, test: try map(optional: subquery.test),
                    comparison: subquery.comparison.map { map(name: $0) }, query: try map(subquery.query)))
        }
    }

    private mutating func map(_ call: FunctionCall) throws(Refusal) -> FunctionCall {
        var window: WindowDefinition?
        if let own = call.window { window = try map(own) }
        return FunctionCall(
            name: map(name: call.name), arguments: try map(all: call.arguments),
            hasNamedArguments: call.hasNamedArguments, isVariadic: call.isVariadic, isStar: call.isStar,
            orderBy: try map(all: call.orderBy), isWithinGroup: call.isWithinGroup,
            filter: try map(optional: call.filter), window: window)
    }

    private func map(_ type: TypeName) -> TypeName {
        TypeName(
            name: map(name: type.name), hasModifiers: type.hasModifiers, isArray: type.isArray, isSetOf: type.isSetOf)
    }
}
