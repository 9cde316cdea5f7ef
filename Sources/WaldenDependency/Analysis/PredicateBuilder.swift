import WaldenCore

/// Derives from a condition what the rows of one table must satisfy for it to hold.
///
/// Three-valued logic is kept by asking two questions of every expression: what must hold for it to be true, and what
/// for it to be false; null is neither. Whatever is not understood answers "any row", so each answer is a necessary
/// condition.
struct PredicateBuilder {
    /// Alternatives of terms that all hold.
    typealias Alternatives = [[TermTemplate]]

    let resolver: NameResolver
    let parameters: ParameterTable
    let relation: RelationEntry
    /// The table's column that has the value of a column reference of the condition, if one certainly has.
    var lookUp: ([String]) -> ColumnEntry? = { _ in nil }

    static let alternativeLimit = 64
    static let termLimit = 16
    static let valueLimit = 1000

    static let anyRow: Alternatives = [[]]
    static let noRow: Alternatives = []

    /// What a row must satisfy for `expression` to be true (or false) of it.
    func conditions(for expression: Expression, toBe truth: Bool) -> Alternatives {
        switch expression {
        case .and(let parts): truth ? all(parts, truth) : any(parts, truth)
        case .or(let parts): truth ? any(parts, truth) : all(parts, truth)
        case .not(let inner): conditions(for: inner, toBe: !truth)
        case .literal(.boolean(let value)): value == truth ? Self.anyRow : Self.noRow
        case .literal(.null): Self.noRow
        case .isNull(let inner): nullness(of: inner, isNull: truth)
        case .isNotNull(let inner): nullness(of: inner, isNull: !truth)
        case .booleanTest(let inner, let test): conditions(for: inner, test: test, toBe: truth)
        case .column: boolean(expression, truth)
        case .operation(let operation): conditions(for: operation, toBe: truth)
        default: Self.anyRow
        }
    }

    private func nullness(of expression: Expression, isNull: Bool) -> Alternatives {
        guard let column = column(expression) else { return Self.anyRow }
        return [[TermTemplate(column: column, test: isNull ? .isNull : .isNotNull)]]
    }

    private func boolean(_ expression: Expression, _ truth: Bool) -> Alternatives {
        guard let column = column(expression), column.family == .boolean else { return Self.anyRow }
        let value = Operand.constant(.value(.integer(truth ? 1 : 0)))
        return [[TermTemplate(column: column, test: .compare(.equal, value))]]
    }

    private func conditions(for inner: Expression, test: BooleanTest, toBe truth: Bool) -> Alternatives {
        switch (test, truth) {
        case (.isTrue, true), (.isNotTrue, false): conditions(for: inner, toBe: true)
        case (.isFalse, true), (.isNotFalse, false): conditions(for: inner, toBe: false)
        case (.isNotTrue, true), (.isTrue, false): union(boolean(inner, false), nullness(of: inner, isNull: true))
        case (.isNotFalse, true), (.isFalse, false): union(boolean(inner, true), nullness(of: inner, isNull: true))
        case (.isUnknown, _): nullness(of: inner, isNull: truth)
        case (.isNotUnknown, _): nullness(of: inner, isNull: !truth)
        }
    }

    // MARK: Combination

    private func all(_ parts: [Expression], _ truth: Bool) -> Alternatives {
        parts.reduce(Self.anyRow) { intersection($0, conditions(for: $1, toBe: truth)) }
    }

    private func any(_ parts: [Expression], _ truth: Bool) -> Alternatives {
        parts.reduce(Self.noRow) { union($0, conditions(for: $1, toBe: truth)) }
    }

    func union(_ left: Alternatives, _ right: Alternatives) -> Alternatives {
        var result = left
        for alternative in right {
            if let index = result.firstIndex(where: { Self.merged($0, alternative) != nil }),
                let merged = Self.merged(result[index], alternative)
            {
                result[index] = merged
            } else {
                result.append(alternative)
            }
        }
        let isEveryRow = result.count > Self.alternativeLimit || result.contains(where: \.isEmpty)
        return isEveryRow ? Self.anyRow : result
    }

    /// Two equalities of one column as one IN.
    private static func merged(_ left: [TermTemplate], _ right: [TermTemplate]) -> [TermTemplate]? {
        guard left.count == 1, right.count == 1, left[0].column == right[0].column,
            let some = left[0].test.equalOperands, let others = right[0].test.equalOperands,
            some.count + others.count <= valueLimit
        else { return nil }
        return [TermTemplate(column: left[0].column, test: .isIn(some + others))]
    }

    func intersection(_ left: Alternatives, _ right: Alternatives) -> Alternatives {
        if left.count * right.count > Self.alternativeLimit {
            // Either side alone is a necessary condition.
            return left.count <= right.count ? left : right
        }
        return left.flatMap { terms in
            right.map { Array((terms + $0).prefix(Self.termLimit)) }
        }
    }

    // MARK: Columns

    /// The column that the expression is, if its values can be compared.
    func column(_ expression: Expression) -> ColumnReference? {
        guard case .column(let parts) = expression, let entry = lookUp(parts),
            let family = TypeProperties.family(of: entry.type, in: resolver.catalog)
        else { return nil }
        return ColumnReference(name: entry.name, type: entry.type, family: family)
    }

    /// Whether `name` beside the column is an operator whose outcome is known.
    func isKnown(_ name: QualifiedName, beside column: ColumnReference) -> Bool {
        guard resolver.isBuiltInOperator(name, beside: column.type) else { return false }
        return !column.family.isCollated
            || relation.column(named: column.name)?.hasDeterministicCollation ?? false
    }
}

extension TestTemplate {
    /// The operands of which one is equal to the column.
    fileprivate var equalOperands: [Operand]? {
        switch self {
        case .compare(.equal, let operand): [operand]
        case .isIn(let operands): operands
        default: nil
        }
    }
}
