import WaldenCore

extension PredicateBuilder {
    func conditions(for operation: Operation, toBe truth: Bool) -> Alternatives {
        switch operation.form {
        case .plain: rows(operation).map { conditions(for: $0, toBe: truth) } ?? comparison(operation, truth)
        case .isIn: rows(operation).map { conditions(for: $0, toBe: truth) } ?? membership(operation, truth)
        case .like: like(operation, truth)
        case .any: truth ? arrayMembership(operation) : Self.anyRow
        case .between: range(operation, truth)
        case .notBetween: range(operation, !truth)
        default: Self.anyRow
        }
    }

    /// `(a, b) = (1, 2)`, `(a, b) IN ((1, 2), …)` and their opposites, which the server takes apart as well.
    private func rows(_ operation: Operation) -> Expression? {
        guard case .list(.row, let left)? = operation.left, operation.right.count <= Self.alternativeLimit else {
            return nil
        }
        let isEqual = operation.name.name == "="
        guard isEqual || operation.name.name == "<>" else { return nil }
        var pairs: [Expression] = []
        for row in operation.right {
            guard case .list(.row, let right) = row, right.count == left.count, !left.isEmpty,
                !(left + right).contains(where: \.isSeveral)
            else { return nil }
            let parts = zip(left, right).map { left, right in
                Expression.operation(Operation(form: .plain, name: operation.name, left: left, right: [right]))
            }
            pairs.append(isEqual ? .and(parts) : .or(parts))
        }
        return isEqual ? .or(pairs) : .and(pairs)
    }

    /// `LIKE` and `NOT LIKE`, by the beginning of the pattern.
    private func like(_ operation: Operation, _ truth: Bool) -> Alternatives {
        guard let left = operation.left, let column = column(left), column.type == .text || column.type == .varchar,
            operation.name.name == "~~" || operation.name.name == "!~~", isKnown(operation.name, beside: column),
            let right = operation.right.first
        else { return Self.anyRow }
        let matches = (operation.name.name == "~~") == truth
        switch right {
        case .literal(.string(let text)):
            return like(column, text, escape: UInt8(ascii: "\\"), matches)
        case .parameter(let number):
            let use = ParameterUse(index: number - 1, inferredType: parameters.inferredType(number), castType: nil)
            let test = TestTemplate.likeParameter(use, escape: UInt8(ascii: "\\"), matches: matches)
            return [[TermTemplate(column: column, test: test)]]
        case .call(let call):
            // LIKE … ESCAPE, as the grammar writes it.
            guard call.name == QualifiedName(schema: "pg_catalog", name: "like_escape"), call.arguments.count == 2,
                case .literal(.string(let text)) = call.arguments[0],
                case .literal(.string(let escape)) = call.arguments[1], escape.utf8.count <= 1,
                escape.utf8.first.map({ $0 < 0x80 }) ?? true
            else { return Self.anyRow }
            return like(column, text, escape: escape.utf8.first, matches)
        default: return Self.anyRow
        }
    }

    private func like(_ column: ColumnReference, _ text: String, escape: UInt8?, _ matches: Bool) -> Alternatives {
        guard let pattern = LikePattern(Array(text.utf8), escape: escape) else { return Self.anyRow }
        return [[TermTemplate(column: column, test: .like(pattern, matches: matches))]]
    }

    private func comparison(_ operation: Operation, _ truth: Bool) -> Alternatives {
        guard let left = operation.left, let right = operation.right.first,
            let comparison = Comparison(operator: operation.name.name)
        else { return Self.anyRow }
        let sides =
            if let column = column(left) { (column, right, comparison) } else if let column = column(right) {
                (column, left, comparison.mirrored)
            } else { nil as (ColumnReference, Expression, Comparison)? }
        guard let (column, other, oriented) = sides, isKnown(operation.name, beside: column) else {
            return Self.anyRow
        }
        // With transform_null_equals the server reads this as IS NULL.
        if case .literal(.null) = other { return Self.anyRow }
        return term(column, truth ? oriented : oriented.negated, other)
    }

    private func term(_ column: ColumnReference, _ comparison: Comparison, _ other: Expression) -> Alternatives {
        guard let operand = operand(other, beside: column) else { return Self.anyRow }
        if comparison != .equal, comparison != .notEqual, !column.family.isOrdered { return Self.anyRow }
        return [[TermTemplate(column: column, test: .compare(comparison, operand))]]
    }

    private func range(_ operation: Operation, _ isInside: Bool) -> Alternatives {
        guard let left = operation.left, operation.right.count == 2, let column = column(left),
            ["<", "<=", ">", ">="].allSatisfy({ isKnown(QualifiedName(schema: nil, name: $0), beside: column) })
        else { return Self.anyRow }
        let (low, high) = (operation.right[0], operation.right[1])
        return isInside
            ? intersection(term(column, .greaterOrEqual, low), term(column, .lessOrEqual, high))
            : union(term(column, .less, low), term(column, .greater, high))
    }

    /// `IN`, named `=`, and `NOT IN`, named `<>`.
    private func membership(_ operation: Operation, _ truth: Bool) -> Alternatives {
        // The list beside a float4 is rounded to that type, a single operand is not.
        guard let left = operation.left, let column = column(left), isKnown(operation.name, beside: column),
            operation.right.count <= Self.valueLimit, column.type != .float4
        else { return Self.anyRow }
        var operands: [Operand] = []
        for item in operation.right {
            guard let operand = operand(item, beside: column) else { return Self.anyRow }
            operands.append(operand)
        }
        if (operation.name.name == "=") == truth {
            return [[TermTemplate(column: column, test: .isIn(operands))]]
        }
        // Any of these inequalities is a necessary condition.
        let terms = operands.prefix(Self.termLimit).map { operand in
            TermTemplate(column: column, test: .compare(.notEqual, operand))
        }
        return [Array(terms)]
    }

    /// `column = ANY (array)`.
    private func arrayMembership(_ operation: Operation) -> Alternatives {
        guard operation.name.name == "=", let left = operation.left, let right = operation.right.first,
            let column = column(left), isKnown(operation.name, beside: column)
        else { return Self.anyRow }
        switch right {
        case .parameter(let number):
            return arrayTerm(column, number, castType: nil)
        case .cast(.parameter(let number), let name):
            guard let type = arrayType(name) else { return Self.anyRow }
            return arrayTerm(column, number, castType: type)
        case .cast(.literal(.string(let text)), let name):
            guard let type = arrayType(name) else { return Self.anyRow }
            return literalArray(text, type: type, column)
        case .literal(.string(let text)):
            let element = column.type == .varchar ? TypeID.text : column.type
            guard let type = ArrayReading.array(of: element) else { return Self.anyRow }
            return literalArray(text, type: type, column)
        case .list(.array, let items):
            guard items.allSatisfy({ keepsItsType($0, beside: column) }) else { return Self.anyRow }
            return membership(Operation(form: .isIn, name: operation.name, left: left, right: items), true)
        case .cast(.list(.array, let items), let name):
            guard isPlainArray(name, of: column) else { return Self.anyRow }
            return membership(Operation(form: .isIn, name: operation.name, left: left, right: items), true)
        default: return Self.anyRow
        }
    }

    private func arrayTerm(_ column: ColumnReference, _ number: Int, castType: TypeID?) -> Alternatives {
        let use = ParameterUse(
            index: number - 1, inferredType: parameters.inferredType(number) ?? castType, castType: castType)
        return [[TermTemplate(column: column, test: .isInArray(use))]]
    }

    private func literalArray(_ text: String, type: TypeID, _ column: ColumnReference) -> Alternatives {
        let bytes = Array(text.utf8)
        let elements = ArrayReading.elements(bytes.span.bytes, isBinary: false, arrayType: type, column: column)
        guard let elements else { return Self.anyRow }
        return [[TermTemplate(column: column, test: .isIn(elements.map { .constant($0) }))]]
    }

    /// The OID of the array type that a cast names, if elements are not changed by a type modifier.
    private func arrayType(_ name: TypeName) -> TypeID? {
        guard name.isArray, !name.hasModifiers, let element = try? resolver.type(name.name) else { return nil }
        return ArrayReading.array(of: element.id)
    }

    /// Whether a cast to this type leaves elements that are constants of the column's type as they are.
    private func isPlainArray(_ name: TypeName, of column: ColumnReference) -> Bool {
        guard name.isArray, !name.hasModifiers, let element = try? resolver.type(name.name) else { return false }
        return element.id == column.type
    }

    /// Whether an element of ARRAY[…] is compared as what it is beside the column, whatever type its siblings give
    /// the array.
    private func keepsItsType(_ item: Expression, beside column: ColumnReference) -> Bool {
        switch item {
        case .literal(.integer), .literal(.decimal), .literal(.null): true
        case .literal(.string): column.family == .text
        case .cast(_, let name): (try? resolver.type(name.name))?.id == column.type
        default: false
        }
    }

    // MARK: Constants

    /// The other side of a comparison with `column`, if it is a constant or a parameter.
    private func operand(_ expression: Expression, beside column: ColumnReference) -> Operand? {
        switch expression {
        case .literal(let literal): return .constant(constant(literal, beside: column))
        case .parameter(let number):
            return .parameter(
                ParameterUse(index: number - 1, inferredType: parameters.inferredType(number), castType: nil))
        case .cast(let inner, let name):
            guard !name.isArray, !name.hasModifiers, let type = try? resolver.type(name.name) else { return nil }
            switch inner {
            case .parameter(let number):
                return .parameter(
                    ParameterUse(
                        index: number - 1, inferredType: parameters.inferredType(number), castType: type.id))
            case .literal(let literal): return .constant(constant(literal, castTo: type.id, beside: column))
            default: return nil
            }
        default: return nil
        }
    }

    private func constant(_ literal: Literal, beside column: ColumnReference) -> Constant {
        switch literal {
        case .null: .null
        case .bits: .unknown
        case .boolean(let value): column.family == .boolean ? .value(.integer(value ? 1 : 0)) : .unknown
        case .integer(let value): constant(String(value), type: .int4, beside: column)
        case .decimal(let digits): constant(digits, type: .numeric, beside: column)
        case .string(let text): constant(text, type: column.type == .varchar ? .text : column.type, beside: column)
        }
    }

    private func constant(_ literal: Literal, castTo type: TypeID, beside column: ColumnReference) -> Constant {
        switch (literal, type) {
        case (.null, _): .null
        case (.string(let text), _): constant(text, type: type, beside: column)
        case (.integer(let value), .int2), (.integer(let value), .int4), (.integer(let value), .int8),
            (.integer(let value), .numeric):
            constant(String(value), type: type, beside: column)
        case (.decimal(let digits), .numeric), (.decimal(let digits), .int8):
            constant(digits, type: type, beside: column)
        case (.boolean(let value), .bool):
            column.family == .boolean ? .value(.integer(value ? 1 : 0)) : .unknown
        default: .unknown
        }
    }

    private func constant(_ text: String, type: TypeID, beside column: ColumnReference) -> Constant {
        let bytes = Array(text.utf8)
        // A small positive integer beside an oid is taken as one.
        if type == .int4, column.family == .oid, let value = Int32(text), value >= 0 {
            return .value(.integer(Int64(value)))
        }
        return ConstantReading.constant(bytes.span.bytes, isBinary: false, type: type, column: column)
    }
}
