import WaldenCore

/// A condition that WHERE, HAVING or ON joins to others by AND, with what its names mean.
struct Conjunct: Sendable {
    let expression: Expression
    /// The scopes that were in sight, the innermost last.
    let scopes: [Scope]
    /// Two columns that are equal where it holds, by a comparison named `equality`.
    let equal: (ColumnSource, ColumnSource)?
    let equality: QualifiedName
    /// How many nodes it has, as a measure of the work of looking at it.
    let weight: Int

    init(_ expression: Expression, in scopes: [Scope]) {
        self.expression = expression
        self.scopes = scopes
        weight = expression.weight
        guard case .operation(let operation) = expression, operation.form == .plain, operation.name.name == "=",
            case .column(let left)? = operation.left, case .column(let right)? = operation.right.first,
            let first = scopes.source(of: left), let second = scopes.source(of: right)
        else {
            equal = nil
            equality = Self.plainEquality
            return
        }
        equal = (first, second)
        equality = operation.name
    }

    /// What USING or NATURAL demands of one name.
    init(equal first: ColumnSource, _ second: ColumnSource) {
        expression = .and([])
        scopes = []
        equal = (first, second)
        equality = Self.plainEquality
        weight = 1
    }

    private static let plainEquality = QualifiedName(schema: nil, name: "=")
}

/// How the items of one FROM clause are joined. A slot is the place of one item: the number of a table occurrence, or a
/// negative number for a subquery or CTE.
indirect enum JoinTree: Sendable {
    /// Nil: an item about whose columns nothing is concluded.
    case item(slot: Int?)
    case join(JoinNode)

    var slots: [Int] {
        switch self {
        case .item(let slot): slot.map { [$0] } ?? []
        case .join(let join): join.left.slots + join.right.slots
        }
    }
}

struct JoinNode: Sendable {
    let kind: Join.Kind
    let left: JoinTree
    let right: JoinTree
    let condition: [Conjunct]
    /// Unique within the statement.
    let number: Int
}

/// What a statement's queries demand of their rows, as written; `DemandAnalysis` draws the conclusions.
struct ConditionTree: Sendable {
    /// Which rows a subquery's value is asked for.
    enum Place: Sendable {
        /// Rows of FROM that pass WHERE, or rows for which WHERE is being decided.
        case rows
        /// Pairs of rows for which the condition of a join is being decided, by the join's number.
        case pairs(Int)
        /// Not known.
        case apart
    }

    /// A subquery in an expression.
    struct Child: Sendable {
        let query: Int
        let place: Place
        /// For `x IN (SELECT …)` where it must be true: the slot of the subquery's rows, and what holds for the only
        /// rows that can make it true.
        let slot: Int?
        let conditions: [Conjunct]
    }

    /// One SELECT.
    struct Select: Sendable {
        var from: [JoinTree] = []
        /// WHERE, and HAVING where it speaks of single rows.
        var conditions: [Conjunct] = []
        var children: [Child] = []
    }

    enum Body: Sendable {
        case select(Int)
        case combined(Int, Int)
    }

    struct QueryNode: Sendable {
        let body: Body
        /// For each output column, the input column whose values it shows, when a row of FROM whose value fails a
        /// condition on it has no part in any output row that satisfies the condition.
        let passes: [ColumnSource?]
        /// It is a CTE; how often it is named, if that is all that reads it.
        var isCommon = false
        var references = 0
    }

    /// What a slot with a negative number is.
    struct Derived: Sendable {
        let query: Int
        /// The names by which the query's output columns are known there; nil where there is none, or not of one alone.
        let names: [String?]
        let types: [TypeID?]
    }

    var selects: [Select] = []
    var queries: [QueryNode] = []
    private(set) var derived: [Derived] = []
    private(set) var joins = 0
    /// Queries that nothing is known about from outside.
    var apart: [Int] = []

    mutating func joinNumber() -> Int {
        joins += 1
        return joins
    }

    /// Makes a slot for the rows of a query.
    mutating func slot(for query: Int, columns: [OutputColumn]) -> Int {
        var counts: [String: Int] = [:]
        for name in columns.compactMap(\.name) { counts[name, default: 0] += 1 }
        let names = columns.map { column in column.name.flatMap { counts[$0] == 1 ? $0 : nil } }
        derived.append(Derived(query: query, names: names, types: columns.map(\.type)))
        return -derived.count
    }

    func derived(_ slot: Int) -> Derived? {
        slot < 0 && -slot <= derived.count ? derived[-slot - 1] : nil
    }
}

extension Expression {
    /// The conditions that AND joins, at any depth.
    var conjuncts: [Expression] {
        if case .and(let parts) = self { parts.flatMap(\.conjuncts) } else { [self] }
    }

    /// What it is made of, without what is within subqueries.
    var parts: [Expression] {
        switch self {
        case .column, .star, .parameter, .literal, .currentValue: []
        case .operation(let operation): (operation.left.map { [$0] } ?? []) + operation.right
        case .and(let parts), .or(let parts), .list(_, let parts), .grouping(let parts): parts
        case .not(let inner), .isNull(let inner), .isNotNull(let inner), .booleanTest(let inner, _),
            .cast(let inner, _), .collate(let inner, _), .field(let inner, _):
            [inner]
        case .call(let call): call.expressions
        case .caseWhen(let operand, let branches, let otherwise):
            (operand.map { [$0] } ?? []) + branches.flatMap { [$0.condition, $0.result] }
                + (otherwise.map { [$0] } ?? [])
        case .subscripted(let inner, let subscripts): [inner] + subscripts
        case .subquery(let subquery): subquery.test.map { [$0] } ?? []
        }
    }

    /// Stands for any number of columns.
    var isSeveral: Bool {
        switch self {
        case .star, .field(_, nil): true
        default: false
        }
    }

    var weight: Int { parts.reduce(1) { $0 + $1.weight } }

    var hasWindow: Bool {
        if case .call(let call) = self, call.window != nil { return true }
        return parts.contains(where: \.hasWindow)
    }
}
