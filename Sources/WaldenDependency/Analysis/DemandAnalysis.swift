import WaldenCore

/// A condition as it is known at some place of a FROM clause.
private struct Demand {
    let conjunct: Conjunct
    /// Slots of whose columns it tells nothing here.
    var hidden: Set<Int> = []
}

/// Derives for every table occurrence what its rows must satisfy to take part in the result.
///
/// A *demand* on a node of a join tree is a list of conditions such that only those rows of the node matter which can
/// satisfy all of them, together with one choice of rows for the other slots they speak of: replacing the node's rows by
/// any others with the same satisfying rows leaves the result as it is. At the root of a SELECT that is WHERE. It is
/// handed down, with X and Y the inputs of a join, θ its condition and φ the demand on it:
///
/// - X JOIN Y: a row of X matters only through a pair for which θ and φ hold. Both inputs get φ and θ.
/// - X LEFT JOIN Y: each row of X is in the output, with partners or with nulls, so X gets φ alone. Y gets θ, for a row
///   that no row of X is joined to has no effect, and φ as far as it speaks of other slots: the row of X that it meets
///   must itself matter. What φ says of Y is hidden, for the row of Y may only keep nulls from taking its place.
/// - If φ cannot be true with nulls in place of Y, the output rows with them do not matter, and the join is as good as
///   an inner one. Likewise for a RIGHT JOIN and, for either side, a FULL JOIN.
/// - X FULL JOIN Y: a row of either side may keep nulls from taking its place. What φ says of both is hidden.
///
/// All conditions of one demand hold for the same rows of the slots that they do not hide, so equalities among them make
/// classes of columns with one value: a condition on one member is a condition on all.
///
/// A subquery is a scope of its own: its rows are restricted by its own WHERE whatever its value is used for. Its value
/// is asked for only where the demand of the scope around it can be met, so that demand, which speaks of other slots, is
/// added to its own. A condition on an output column that merely shows an input column is one on that column
/// (`QueryNode.passes`).
struct DemandAnalysis {
    private let tree: ConditionTree
    private let tables: [TableOccurrence]
    private let resolver: NameResolver
    private let parameters: ParameterTable
    private var found: [PredicateBuilder.Alternatives?]
    /// What output columns of the queries being looked into show.
    private var shown: [ColumnSource: ColumnSource] = [:]
    /// Nodes of conditions that may still be looked at; after that, every row of the other tables counts.
    private var budget = 20_000
    /// Conditions of enclosing scopes beyond this are left out.
    private static let outerLimit = 64

    init(_ checker: QueryChecker) {
        tree = checker.conditions
        tables = checker.tables
        resolver = checker.resolver
        parameters = checker.parameters
        found = Array(repeating: nil, count: checker.tables.count)
    }

    /// One per table occurrence.
    static func templates(of query: Int, _ checker: QueryChecker) -> [PredicateTemplate] {
        var analysis = DemandAnalysis(checker)
        analysis.derive(query, slot: nil, [])
        for query in analysis.tree.apart { analysis.derive(query, slot: nil, []) }
        for (index, node) in analysis.tree.queries.enumerated() where node.isCommon && node.references != 1 {
            analysis.derive(index, slot: nil, [])
        }
        return analysis.found.map { $0.map { PredicateTemplate(alternatives: $0) } ?? .everyRow }
    }

    // MARK: Queries

    /// - Parameter slot: Where its rows appear in the query around it.
    private mutating func derive(_ query: Int, slot: Int?, _ demands: [Demand]) {
        let names = slot.flatMap { tree.derived($0)?.names } ?? []
        derive(query, slot: slot ?? 0, names: names, Array(demands.prefix(Self.outerLimit)))
    }

    private mutating func derive(_ query: Int, slot: Int, names: [String?], _ demands: [Demand]) {
        let node = tree.queries[query]
        switch node.body {
        case .select(let select):
            var columns: [ColumnSource] = []
            for (name, source) in zip(names, node.passes) {
                guard let name, let source else { continue }
                columns.append(ColumnSource(table: slot, column: name))
                shown[columns[columns.count - 1]] = source
            }
            derive(select: select, demands)
            for column in columns { shown[column] = nil }
        case .combined(let left, let right):
            // UNION, INTERSECT and EXCEPT compare whole rows, and equal rows satisfy the same conditions, so choosing
            // rows before or after is the same.
            let names = zip(names, node.passes).map { name, source in source == nil ? nil : name }
            derive(left, slot: slot, names: names, demands)
            derive(right, slot: slot, names: names, demands)
        }
    }

    private mutating func derive(select number: Int, _ outer: [Demand]) {
        let select = tree.selects[number]
        let demands = outer + select.conditions.map { Demand(conjunct: $0) }
        var pairs: [Int: [Demand]] = [:]
        for item in select.from { hand(demands, to: item, &pairs) }
        for child in select.children {
            let known =
                switch child.place {
                case .rows: demands
                case .pairs(let join): pairs[join] ?? []
                case .apart: [Demand]()
                }
            derive(child.query, slot: child.slot, child.conditions.map { Demand(conjunct: $0) } + known)
        }
    }

    // MARK: Joins

    private mutating func hand(_ demands: [Demand], to item: JoinTree, _ pairs: inout [Int: [Demand]]) {
        switch item {
        case .item(nil): return
        case .item(let slot?) where slot >= 0: restrict(slot, demands)
        case .item(let slot?):
            guard let derived = tree.derived(slot) else { return }
            let node = tree.queries[derived.query]
            if node.isCommon, node.references != 1 { return }
            derive(derived.query, slot: slot, demands)
        case .join(let join):
            let (left, right) = (join.left.slots, join.right.slots)
            let condition = join.condition.map { Demand(conjunct: $0) }
            switch kind(of: join, under: demands) {
            case .inner:
                pairs[join.number] = demands + condition
                hand(demands + condition, to: join.left, &pairs)
                hand(demands + condition, to: join.right, &pairs)
            case .left:
                let partners = Self.hiding(right, in: demands) + condition
                pairs[join.number] = partners
                hand(demands, to: join.left, &pairs)
                hand(partners, to: join.right, &pairs)
            case .right:
                let partners = Self.hiding(left, in: demands) + condition
                pairs[join.number] = partners
                hand(partners, to: join.left, &pairs)
                hand(demands, to: join.right, &pairs)
            case .full:
                let others = Self.hiding(left + right, in: demands)
                pairs[join.number] = others + condition
                hand(others, to: join.left, &pairs)
                hand(others, to: join.right, &pairs)
            }
        }
    }

    private static func hiding(_ slots: [Int], in demands: [Demand]) -> [Demand] {
        demands.map { Demand(conjunct: $0.conjunct, hidden: $0.hidden.union(slots)) }
    }

    /// The join that has the same rows as `join` where `demands` hold.
    private mutating func kind(of join: JoinNode, under demands: [Demand]) -> Join.Kind {
        if join.kind == .inner { return .inner }
        budget -= demands.reduce(1) { $0 + $1.conjunct.weight }
        if budget < 0 { return join.kind }
        let needsLeft = join.kind != .left && rejectsNulls(demands, in: join.left.slots)
        let needsRight = join.kind != .right && rejectsNulls(demands, in: join.right.slots)
        return switch (join.kind, needsLeft, needsRight) {
        case (.left, _, true), (.right, true, _), (.full, true, true): .inner
        case (.full, true, false): .left
        case (.full, false, true): .right
        default: join.kind
        }
    }

    /// Whether one of `demands` cannot hold when all columns of all of `slots` are null.
    private func rejectsNulls(_ demands: [Demand], in slots: [Int]) -> Bool {
        demands.contains { demand in
            let rejection = NullRejection(resolver: resolver) { parts in
                self.source(of: parts, demand).map { ($0.table, self.type(of: $0)) }
            }
            return rejection.slots(demand.conjunct.expression, toBe: true).contains(where: slots.contains)
                || equal(demand).map { slots.contains($0.table) || slots.contains($1.table) } ?? false
        }
    }

    // MARK: Tables

    private mutating func restrict(_ table: Int, _ demands: [Demand]) {
        budget -= demands.reduce(1) { $0 + $1.conjunct.weight }
        guard budget >= 0 else {
            found[table] = PredicateBuilder.anyRow
            return
        }
        let alternatives = alternatives(for: table, demands)
        // A second reading of the same place can only add rows.
        found[table] = found[table].map { Self.builder(self, table).union($0, alternatives) } ?? alternatives
    }

    private static func builder(_ analysis: DemandAnalysis, _ table: Int) -> PredicateBuilder {
        PredicateBuilder(
            resolver: analysis.resolver, parameters: analysis.parameters, relation: analysis.tables[table].relation)
    }

    private func alternatives(for table: Int, _ demands: [Demand]) -> PredicateBuilder.Alternatives {
        var classes = ColumnClasses()
        for demand in demands {
            if let (left, right) = equal(demand) { classes.unite(left, right) }
        }
        let known = classes
        var builder = Self.builder(self, table)
        let relation = builder.relation
        var alternatives = PredicateBuilder.anyRow
        for demand in demands {
            builder.lookUp = { parts in
                guard let source = source(of: parts, demand) else { return nil }
                return known.member(of: source, in: table).flatMap { relation.column(named: $0) }
            }
            let more = builder.conditions(for: demand.conjunct.expression, toBe: true)
            alternatives = builder.intersection(alternatives, more)
        }
        return alternatives
    }

    // MARK: Columns

    private func source(of parts: [String], _ demand: Demand) -> ColumnSource? {
        demand.conjunct.scopes.source(of: parts).flatMap { visible($0, demand.hidden) }
    }

    /// The innermost column whose values `column` shows; nil when nothing is known of it.
    private func visible(_ column: ColumnSource, _ hidden: Set<Int>) -> ColumnSource? {
        var column = column
        for _ in 0...tree.queries.count {
            if hidden.contains(column.table) { return nil }
            guard let inner = shown[column] else { return column }
            column = inner
        }
        return nil
    }

    /// The columns that are equal where the demand is met, if they compare as one type does.
    private func equal(_ demand: Demand) -> (ColumnSource, ColumnSource)? {
        guard let pair = demand.conjunct.equal, let left = visible(pair.0, demand.hidden),
            let right = visible(pair.1, demand.hidden), let leftType = type(of: left), let rightType = type(of: right),
            TypeProperties.compareAlike(leftType, rightType, in: resolver.catalog),
            resolver.isBuiltInOperator(demand.conjunct.equality, beside: leftType),
            resolver.isBuiltInOperator(demand.conjunct.equality, beside: rightType)
        else { return nil }
        guard let family = TypeProperties.family(of: leftType, in: resolver.catalog), family.isCollated else {
            return (left, right)
        }
        return isDeterministic(left) && isDeterministic(right) ? (left, right) : nil
    }

    private func type(of column: ColumnSource) -> TypeID? {
        if column.table >= 0 { return tables[column.table].relation.column(named: column.column)?.type }
        guard let derived = tree.derived(column.table),
            let index = derived.names.firstIndex(of: column.column)
        else { return nil }
        return derived.types[index]
    }

    private func isDeterministic(_ column: ColumnSource) -> Bool {
        guard column.table >= 0 else { return false }
        return tables[column.table].relation.column(named: column.column)?.hasDeterministicCollation ?? false
    }
}
