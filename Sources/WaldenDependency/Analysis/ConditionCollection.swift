/// Fills the `ConditionTree` while a query is checked.
extension QueryChecker {
    mutating func pushScope(isLazy: Bool) {
        var scope = Scope()
        scope.isLazy = isLazy
        scope.select = conditions.selects.count
        scope.place = .rows
        conditions.selects.append(ConditionTree.Select())
        scopes.append(scope)
        // FROM is not yet complete.
        scopes[scopes.count - 1].place = .apart
    }

    /// Checks a condition and gives its conjuncts.
    mutating func check(condition: Expression) throws(Refusal) -> [Conjunct] {
        var conjuncts: [Conjunct] = []
        for part in condition.conjuncts {
            if case .subquery(let subquery) = part {
                _ = try check(subquery, isCondition: true)
            } else {
                _ = try check(part)
            }
            conjuncts.append(Conjunct(part, in: scopes))
        }
        return conjuncts
    }

    /// Notes a subquery of an expression.
    ///
    /// - Parameter isCondition: It stands alone where it must be true. Then only rows for which its comparison holds
    ///   matter: all others merely decide between false and null.
    mutating func note(_ subquery: Subquery, _ checked: CheckedQuery, isCondition: Bool) {
        guard let scope = scopes.last else {
            conditions.apart.append(checked.number)
            return
        }
        var slot: Int?
        var found: [Conjunct] = []
        if isCondition, subquery.form == .any, let test = subquery.test, let columns = checked.columns {
            let tests = if case .list(.row, let parts) = test { parts } else { [test] }
            let name = subquery.comparison ?? QualifiedName(schema: nil, name: "=")
            // Rows are compared column by column if equality is asked for.
            if tests.count == columns.count, tests.count == 1 || name.name == "=" {
                let labels = columns.indices.map { "\u{0}\($0)" }
                let output = zip(columns, labels).map { OutputColumn(name: $1, type: $0.type) }
                let number = conditions.slot(for: checked.number, columns: output)
                slot = number
                var inner = Scope()
                inner.items = [
                    ScopeItem(name: nil, schema: nil, columns: output, sources: [:], tables: [], slot: number)
                ]
                found = zip(tests, labels).map { test, label in
                    let comparison = Operation(form: .plain, name: name, left: test, right: [.column([label])])
                    return Conjunct(.operation(comparison), in: scopes + [inner])
                }
            }
        }
        conditions.selects[scope.select].children.append(
            ConditionTree.Child(query: checked.number, place: scope.place, slot: slot, conditions: found))
    }

    /// Makes one column of each name that both sides of a join have.
    mutating func merge(
        _ names: [String], of kind: Join.Kind, _ left: [ScopeItem], _ right: [ScopeItem]
    ) throws(Refusal) -> [Conjunct] {
        let scope = scopes.count - 1
        scopes[scope].hasMergedColumns = true
        try resolver.check(operator: QualifiedName(schema: nil, name: "="), left: nil, right: nil)
        var conjuncts: [Conjunct] = []
        for name in names {
            _ = try column([name])
            let earlier = scopes[scope].merged[name]
            let first = Self.source(of: name, in: left, earlier)
            let second = Self.source(of: name, in: right, earlier)
            if let first, let second { conjuncts.append(Conjunct(equal: first, second)) }
            scopes[scope].merged[name] =
                switch kind {
                case .inner, .left: first
                case .right: second
                // The first of the two that is not null.
                case .full: nil
                }
        }
        return conjuncts
    }

    /// The column of that name on one side of a join.
    private static func source(of name: String, in items: [ScopeItem], _ merged: ColumnSource?) -> ColumnSource? {
        if items.contains(where: \.isOpen) { return nil }
        let holders = items.filter { $0.column(named: name) != nil }
        if holders.count == 1 { return holders[0].source(of: name) }
        // Merged by a join within this side.
        return holders.contains { $0.source(of: name) == merged } ? merged : nil
    }

    // MARK: Output

    mutating func node(
        _ body: ConditionTree.Body, _ columns: OutputColumns, passes: [ColumnSource?]
    ) -> CheckedQuery {
        conditions.queries.append(ConditionTree.QueryNode(body: body, passes: passes))
        return CheckedQuery(columns: columns, number: conditions.queries.count - 1)
    }

    /// Ends a SELECT whose scope is still in sight.
    mutating func close(_ output: OutputColumns, _ query: Query, _ core: SelectCore) -> CheckedQuery {
        node(.select(scopes[scopes.count - 1].select), output, passes: passes(output ?? [], query, core))
    }

    /// Which output columns can be restricted by restricting the rows of FROM.
    ///
    /// LIMIT and window functions look at rows that are not in the output. Otherwise each output row comes from one row
    /// of FROM, or, with DISTINCT, DISTINCT ON and GROUP BY, from all rows that have its keys.
    private func passes(_ output: [OutputColumn], _ query: Query, _ core: SelectCore) -> [ColumnSource?] {
        guard query.limit == nil, query.offset == nil, !core.targets.contains(where: \.expression.hasWindow) else {
            return []
        }
        if !core.groupBy.isEmpty, !core.hasPlainGroups { return [] }
        var passes = output.map(\.origin)
        for keys in [core.distinctOn, core.groupBy] where !keys.isEmpty {
            let sources = sources(ofKeys: keys, output)
            passes = passes.map { source in source.flatMap { sources.contains($0) ? $0 : nil } }
        }
        return passes
    }

    private func sources(ofKeys keys: [Expression], _ output: [OutputColumn]) -> Set<ColumnSource> {
        var sources: Set<ColumnSource> = []
        for key in keys {
            switch key {
            case .literal(.integer(let number)):
                guard let index = Int(exactly: number - 1), output.indices.contains(index) else { continue }
                if let origin = output[index].origin { sources.insert(origin) }
            case .column(let parts):
                let input = scopes.source(of: parts)
                let named = parts.count == 1 ? output.filter { $0.name == parts[0] } : []
                // A name of an output column and of an input column: which is meant depends on the clause.
                guard let source = input ?? named.first?.origin, named.allSatisfy({ $0.origin == source }) else {
                    continue
                }
                sources.insert(source)
            default: continue
            }
        }
        return sources
    }

    mutating func combine(_ left: CheckedQuery, _ right: CheckedQuery, _ query: Query) -> CheckedQuery {
        let body = ConditionTree.Body.combined(left.number, right.number)
        guard let some = left.columns, let others = right.columns, some.count == others.count else {
            return node(body, nil, passes: [])
        }
        let columns = zip(some, others).map { OutputColumn(name: $0.name, type: $0.type == $1.type ? $0.type : nil) }
        guard query.limit == nil, query.offset == nil else { return node(body, columns, passes: []) }
        // Values that are converted to a common type are not those of the columns.
        let first = conditions.queries[left.number].passes
        let second = conditions.queries[right.number].passes
        let passes = columns.indices.map { index -> ColumnSource? in
            guard columns[index].type != nil else { return nil }
            let left = first.indices.contains(index) ? first[index] : nil
            return left ?? (second.indices.contains(index) ? second[index] : nil)
        }
        return node(body, columns, passes: passes)
    }
}

extension SelectCore {
    /// Every output row comes from one row of FROM, whatever its other columns hold.
    var isRowwise: Bool { !isDistinct && groupBy.isEmpty && having == nil }

    /// GROUP BY without grouping sets.
    var hasPlainGroups: Bool {
        !groupBy.isEmpty
            && groupBy.allSatisfy { key in
                if case .grouping = key { false } else { true }
            }
    }
}
