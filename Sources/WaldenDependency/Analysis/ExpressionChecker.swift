import WaldenCore

extension QueryChecker {
    /// Checks an expression and gives its type: nil when that cannot be told, `TypeID.unknown` for an untyped literal
    /// or parameter.
    mutating func check(_ expression: Expression) throws(Refusal) -> TypeID? {
        switch expression {
        case .column(let parts): return try column(parts)
        case .star(let qualifier):
            // As an argument, e.g. of row(t.*).
            for column in try expand(qualifier) ?? [] { try read(column.pending) }
            return nil
        case .parameter(let number):
            parameters.note(number, suggested: nil, isPlain: false)
            return nil
        case .literal(let literal): return try check(literal, isPlain: false)
        case .operation(let operation): return try check(operation)
        case .and(let parts), .or(let parts):
            try check(all: parts)
            return .bool
        case .not(let inner), .isNull(let inner), .isNotNull(let inner), .booleanTest(let inner, _):
            _ = try check(inner)
            return .bool
        case .call(let call): return try check(call)
        case .cast(let inner, let type): return try check(inner, castTo: type)
        case .collate(let inner, _): return try check(inner)
        case .caseWhen(let operand, let branches, let otherwise):
            return try checkCase(operand, branches, otherwise)
        case .list(let kind, let parts): return try check(list: parts, kind)
        case .subscripted(let inner, let subscripts):
            _ = try check(inner)
            try check(all: subscripts)
            return nil
        case .field(let inner, let name):
            _ = try check(inner)
            try checkField(name)
            return nil
        case .grouping(let parts):
            try check(all: parts)
            return nil
        case .subquery(let subquery): return try check(subquery)
        case .currentValue(let name):
            throw Refusal(.currentValue, "\(name) depends on the time or the session")
        }
    }

    mutating func check(all expressions: [Expression]) throws(Refusal) {
        for expression in expressions { _ = try check(expression) }
    }

    /// - Parameter isPlain: The literal stands where it is not read as a date.
    private func check(_ literal: Literal, isPlain: Bool) throws(Refusal) -> TypeID? {
        switch literal {
        case .null: return .unknown
        case .boolean: return .bool
        case .integer: return .int4
        case .decimal(let digits): return Int64(digits) == nil ? .numeric : .int8
        case .bits: return nil
        case .string(let text):
            if !isPlain, SpecialDates.occur(in: text.utf8) {
                throw Refusal(.specialDate, "a literal holds now, today, tomorrow or yesterday")
            }
            return .unknown
        }
    }

    /// `(x).name` may be a call of the function `name`.
    private mutating func checkField(_ name: String?) throws(Refusal) {
        guard let name else { return }
        let function = QualifiedName(schema: nil, name: name)
        guard !resolver.functions(function, argumentCount: 1).isEmpty else { return }
        let argument = Expression.literal(.null)
        let call = FunctionCall(
            name: function, arguments: [argument], hasNamedArguments: false, isVariadic: false, isStar: false,
            orderBy: [], isWithinGroup: false, filter: nil, window: nil)
        try note(try resolver.check(call, arguments: [nil]).reads)
    }

    private mutating func checkCase(
        _ operand: Expression?, _ branches: [CaseBranch], _ otherwise: Expression?
    ) throws(Refusal) -> TypeID? {
        if let operand {
            _ = try check(operand)
            try resolver.check(operator: Self.equality, left: nil, right: nil)
        }
        var types: Set<TypeID?> = []
        for branch in branches {
            _ = try check(branch.condition)
            types.insert(try check(branch.result))
        }
        if let otherwise { types.insert(try check(otherwise)) }
        return types.count == 1 ? types.first ?? nil : nil
    }

    private static let equality = QualifiedName(schema: nil, name: "=")

    private mutating func check(list parts: [Expression], _ kind: ListKind) throws(Refusal) -> TypeID? {
        var types: Set<TypeID?> = []
        for part in parts { types.insert(try check(part)) }
        switch kind {
        case .row: return nil
        case .array:
            guard types.count == 1, let type = types.first ?? nil, type != .unknown else { return nil }
            return ArrayReading.array(of: type)
        case .coalesce, .greatest, .least: return types.count == 1 ? types.first ?? nil : nil
        }
    }

    mutating func check(_ call: FunctionCall) throws(Refusal) -> TypeID? {
        var types: [TypeID?] = []
        for argument in call.arguments { types.append(try check(argument)) }
        try check(all: call.orderBy)
        if let filter = call.filter { _ = try check(filter) }
        if let window = call.window { try check(all: window.expressions) }
        let checked = try resolver.check(call, arguments: types)
        try note(checked.reads)
        return checked.type
    }

    private mutating func check(_ inner: Expression, castTo name: TypeName) throws(Refusal) -> TypeID? {
        if case .parameter(let number) = inner {
            let type = try resolver.check(castOf: inner, type: nil, to: name)
            let isPlain = type.map { TypeProperties.isDateless($0, in: catalog) } ?? false
            parameters.note(number, suggested: name.isArray ? nil : type, isPlain: isPlain)
            return type
        }
        if case .literal(let literal) = inner {
            // Read by the type's input function and nothing else.
            let target = name.isArray ? nil : try resolver.type(name.name)
            let isPlain = target.map { TypeProperties.isDateless($0.id, in: catalog) } ?? false
            let type = try check(literal, isPlain: isPlain)
            return try resolver.check(castOf: inner, type: type, to: name)
        }
        return try resolver.check(castOf: inner, type: try check(inner), to: name)
    }

    /// - Parameter isCondition: It is a condition of its own, which must be true.
    mutating func check(_ subquery: Subquery, isCondition: Bool = false) throws(Refusal) -> TypeID? {
        if let test = subquery.test {
            _ = try check(test)
            try resolver.check(operator: subquery.comparison ?? Self.equality, left: nil, right: nil)
        }
        // Of EXISTS, only whether there are rows is asked.
        let checked = try subquery.form == .exists ? checkDerived(subquery.query) : checkAll(subquery.query)
        note(subquery, checked, isCondition: isCondition)
        switch subquery.form {
        case .exists, .any, .all: return .bool
        case .scalar: return checked.columns?.count == 1 ? checked.columns?[0].type : nil
        case .array: return nil
        }
    }
}

// MARK: Operators

extension QueryChecker {
    private mutating func check(_ operation: Operation) throws(Refusal) -> TypeID? {
        if let pairs = operation.rowPairs {
            // As the server does, so that each parameter takes its type from the column beside it.
            for pair in pairs { _ = try check(pair) }
            return .bool
        }
        let operands = (operation.left.map { [$0] } ?? []) + operation.right
        let types = try checkOperands(operands, of: operation)
        let left = operation.left == nil ? TypeID.unspecified : types.first ?? nil
        let right = types.last ?? nil
        switch operation.form {
        case .plain, .like, .ilike, .similar:
            return try resolver.check(operator: operation.name, left: left, right: right)
        case .any, .all:
            try resolver.check(operator: operation.name, left: nil, right: nil)
        case .distinct, .notDistinct, .nullIf:
            try resolver.check(operator: Self.equality, left: nil, right: nil)
            if operation.form == .nullIf { return left }
        case .isIn: try resolver.check(operator: operation.name, left: nil, right: nil)
        case .between, .notBetween, .betweenSymmetric, .notBetweenSymmetric:
            for name in ["<", "<=", ">", ">="] {
                try resolver.check(operator: QualifiedName(schema: nil, name: name), left: nil, right: nil)
            }
        }
        return .bool
    }

    /// Checks operands; a literal or parameter beside one of a type without dates is plain, and a parameter is given
    /// that type.
    private mutating func checkOperands(
        _ operands: [Expression], of operation: Operation
    ) throws(Refusal) -> [TypeID?] {
        var types: [TypeID?] = Array(repeating: nil, count: operands.count)
        var firm: Set<TypeID?> = []
        for (index, operand) in operands.enumerated() where !operand.isUntyped {
            types[index] = try check(operand)
            firm.insert(types[index])
        }
        let beside = firm.count == 1 ? firm.first ?? nil : nil
        let isPlain = beside.map { TypeProperties.isDateless($0, in: catalog) } ?? false
        for (index, operand) in operands.enumerated() where operand.isUntyped {
            switch operand {
            case .literal(let literal): types[index] = try check(literal, isPlain: isPlain)
            case .parameter(let number):
                types[index] = .unknown
                parameters.note(number, suggested: suggested(by: beside, operation), isPlain: isPlain)
            default: break
            }
        }
        return types
    }

    /// The type that the server gives an untyped parameter beside an operand of type `type`, for comparisons.
    private func suggested(by type: TypeID?, _ operation: Operation) -> TypeID? {
        guard let type, TypeProperties.family(of: type, in: catalog) != nil,
            resolver.isBuiltInOperator(operation.name, beside: type)
        else { return nil }
        let element = type == .varchar ? .text : type
        switch operation.form {
        case .plain where Comparison(operator: operation.name.name) != nil: return element
        case .isIn, .between, .notBetween: return element
        case .any, .all: return ArrayReading.array(of: element)
        case .like where type == .text || type == .varchar: return .text
        default: return nil
        }
    }
}

extension Operation {
    /// The comparisons of columns that a comparison of rows, or of a row with a list of rows, is made of.
    fileprivate var rowPairs: [Operation]? {
        guard form == .plain || form == .isIn, name.name == "=" || name.name == "<>",
            case .list(.row, let first)? = left, !first.isEmpty
        else { return nil }
        var pairs: [Operation] = []
        for row in right {
            guard case .list(.row, let parts) = row, parts.count == first.count,
                !(first + parts).contains(where: \.isSeveral)
            else { return nil }
            pairs += zip(first, parts).map { Operation(form: .plain, name: name, left: $0, right: [$1]) }
        }
        return pairs
    }
}

extension Expression {
    /// A literal of type unknown or a parameter: takes its type from what stands beside it.
    fileprivate var isUntyped: Bool {
        switch self {
        case .literal(.string), .literal(.null), .parameter: true
        default: false
        }
    }

    /// The column name that the server gives it in a select list (`parser/parse_target.c`, `FigureColname`); nil when
    /// that is not followed.
    var impliedName: String? {
        switch self {
        case .column(let parts): parts.last
        case .call(let call): call.name.name
        case .cast(let inner, _): if case .literal = inner { nil } else { inner.impliedName }
        case .field(_, let name): name
        case .operation(let operation): operation.form == .nullIf ? "nullif" : "?column?"
        case .literal, .parameter, .and, .or, .not, .isNull, .isNotNull, .booleanTest: "?column?"
        case .list(.coalesce, _): "coalesce"
        case .list(.greatest, _): "greatest"
        case .list(.least, _): "least"
        case .list(.row, _): "row"
        case .list(.array, _): "array"
        case .star, .collate, .caseWhen, .subscripted, .grouping, .subquery, .currentValue: nil
        }
    }
}
