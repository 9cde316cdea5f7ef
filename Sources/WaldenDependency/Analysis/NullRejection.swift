import WaldenCore

/// Finds slots whose columns cannot all be null where a condition has some truth value. Comparisons of built-in types
/// are strict: null when an operand is. What is not understood rejects nothing.
struct NullRejection {
    let resolver: NameResolver
    /// The slot and, where known, the type of a column.
    let column: ([String]) -> (Int, TypeID?)?

    func slots(_ expression: Expression, toBe truth: Bool) -> Set<Int> {
        switch expression {
        case .and(let parts): truth ? any(parts, truth) : all(parts, truth)
        case .or(let parts): truth ? all(parts, truth) : any(parts, truth)
        case .not(let inner): slots(inner, toBe: !truth)
        case .column: slot(expression)
        case .isNull(let inner): truth ? [] : slot(inner)
        case .isNotNull(let inner): truth ? slot(inner) : []
        case .booleanTest(let inner, let test): slots(inner, test, toBe: truth)
        case .operation(let operation): slots(operation, toBe: truth)
        default: []
        }
    }

    private func any(_ parts: [Expression], _ truth: Bool) -> Set<Int> {
        parts.reduce(into: []) { $0.formUnion(slots($1, toBe: truth)) }
    }

    private func all(_ parts: [Expression], _ truth: Bool) -> Set<Int> {
        guard let first = parts.first else { return [] }
        return parts.dropFirst().reduce(slots(first, toBe: truth)) { $0.intersection(slots($1, toBe: truth)) }
    }

    private func slot(_ expression: Expression) -> Set<Int> {
        guard case .column(let parts) = expression, let (slot, _) = column(parts) else { return [] }
        return [slot]
    }

    private func slots(_ inner: Expression, _ test: BooleanTest, toBe truth: Bool) -> Set<Int> {
        switch (test, truth) {
        case (.isTrue, true), (.isNotTrue, false): slots(inner, toBe: true)
        case (.isFalse, true), (.isNotFalse, false): slots(inner, toBe: false)
        // Known to be true or false.
        case (.isUnknown, false), (.isNotUnknown, true):
            slots(inner, toBe: true).intersection(slots(inner, toBe: false))
        default: []
        }
    }

    private func slots(_ operation: Operation, toBe truth: Bool) -> Set<Int> {
        switch operation.form {
        case .plain where Comparison(operator: operation.name.name) != nil:
            // With transform_null_equals, = NULL is IS NULL.
            if operation.left?.isNullLiteral ?? true || operation.right.first?.isNullLiteral ?? true { return [] }
            return compared(operation.left, operation.name).union(compared(operation.right.first, operation.name))
        case .isIn, .like: return compared(operation.left, operation.name)
        // False of an empty array.
        case .any: return truth ? compared(operation.left, operation.name) : []
        case .between, .notBetween:
            let isKnown = ["<", "<=", ">", ">="].allSatisfy { name in
                !compared(operation.left, QualifiedName(schema: nil, name: name)).isEmpty
            }
            // A range that one bound alone rules out is decided without a null; the tested value is in both.
            return isKnown ? slot(operation.left ?? .literal(.null)) : []
        default: return []
        }
    }

    /// The slot of an operand that is a column of a built-in type beside an operator of the server's own.
    private func compared(_ operand: Expression?, _ name: QualifiedName) -> Set<Int> {
        guard case .column(let parts)? = operand, let (slot, type) = column(parts), let type,
            TypeProperties.family(of: type, in: resolver.catalog) != nil, resolver.isBuiltInOperator(name, beside: type)
        else { return [] }
        return [slot]
    }
}

extension Expression {
    fileprivate var isNullLiteral: Bool {
        if case .literal(.null) = self { true } else { false }
    }
}
