import WaldenDependency

extension SyntaxReader {
    mutating func expression(_ index: Int) throws(Refusal) -> Expression {
        try nested { (reader) throws(Refusal) in try reader.wrappedExpression(index) }
    }

    private mutating func wrappedExpression(_ index: Int) throws(Refusal) -> Expression {
        let node = try unwrap(index)
        switch tree.key(of: node) {
        case "ColumnRef": return try columnReference(node)
        case "A_Const": return .literal(try literal(node))
        case "A_Expr": return .operation(try operation(node))
        case "BoolExpr": return try boolean(node)
        case "NullTest": return try nullTest(node)
        case "BooleanTest": return try booleanTest(node)
        case "FuncCall": return .call(try call(node))
        case "TypeCast": return try cast(node)
        case "CollateClause": return try collate(node)
        case "CaseExpr": return try caseExpression(node)
        case "CoalesceExpr": return .list(.coalesce, try arguments(node, "args"))
        case "MinMaxExpr": return try minMax(node)
        case "RowExpr": return .list(.row, try arguments(node, "args", ignoring: "row_format"))
        case "A_ArrayExpr": return .list(.array, try arguments(node, "elements"))
        case "A_Indirection": return try indirection(node)
        case "SubLink": return .subquery(try sublink(node))
        case "GroupingFunc": return .grouping(try arguments(node, "args"))
        case "GroupingSet": return .grouping(try arguments(node, "content", ignoring: "kind"))
        case "ParamRef":
            guard let number = tree.child(of: node, "number").flatMap({ tree.integer($0) }), number > 0 else {
                throw unsupported(node)
            }
            return .parameter(number)
        case "SQLValueFunction":
            let name = tree.child(of: node, "op").flatMap { tree.string($0) } ?? ""
            return .currentValue(name.hasPrefix("SVFOP_") ? String(name.dropFirst(6)) : name)
        default: throw unsupported(node)
        }
    }

    /// The expressions in the field `list` of a node that has nothing else of interest.
    private mutating func arguments(
        _ index: Int, _ list: StaticString, ignoring other: StaticString = "location"
    ) throws(Refusal) -> [Expression] {
        var fields = Fields(of: index, in: tree, kind: "expression")
        fields.ignore(other)
        let arguments = try expressions(fields.take(list))
        try fields.finish()
        return arguments
    }

    private func columnReference(_ index: Int) throws(Refusal) -> Expression {
        guard let list = tree.child(of: index, "fields") else { throw unsupported(index) }
        var parts: [String] = []
        for child in tree.children(of: list) {
            let node = try unwrap(child)
            if tree.isKey(of: node, "A_Star") { return .star(parts) }
            guard tree.isKey(of: node, "String") else { throw unsupported(node) }
            parts.append(try name(tree.child(of: node, "sval")))
        }
        return .column(parts)
    }

    private func literal(_ index: Int) throws(Refusal) -> Literal {
        var fields = Fields(of: index, in: tree, kind: "constant")
        if fields.flag("isnull") { return .null }
        if let value = fields.take("boolval") {
            return .boolean(tree.child(of: value, "boolval").map { tree.nodes[$0].kind == .yes } ?? false)
        }
        if let value = fields.take("fval") {
            guard let digits = tree.child(of: value, "fval").flatMap({ tree.string($0) }) else {
                throw unsupported(index)
            }
            return .decimal(digits)
        }
        if let value = fields.take("sval") {
            guard let text = tree.child(of: value, "sval") else { return .string("") }
            guard let string = tree.string(text) else { throw unsupported(index) }
            return .string(string)
        }
        if fields.take("bsval") != nil { return .bits }
        if let value = fields.take("ival") {
            if let number = tree.child(of: value, "ival").flatMap({ tree.integer($0) }) {
                return .integer(Int64(number))
            }
            return .integer(try unprintedInteger(at: tree.child(of: index, "location").flatMap { tree.integer($0) }))
        }
        throw unsupported(index)
    }

    /// The value of an integer constant that the JSON lacks: the library omits zero, and negative numbers as well, so
    /// the text has to tell.
    private func unprintedInteger(at location: Int?) throws(Refusal) -> Int64 {
        let refusal = Refusal(.unsupportedSyntax, "an integer that cannot be read")
        guard var position = location, position >= 0, position < source.count else { throw refusal }
        let isNegative = source[position] == UInt8(ascii: "-")
        if isNegative {
            position += 1
            while position < source.count, source[position] == 0x20 { position += 1 }
        }
        var value: Int64 = 0
        let start = position
        while position < source.count, position - start < 18, source[position] &- 0x30 < 10 {
            value = value * 10 + Int64(source[position] - 0x30)
            position += 1
        }
        let isWhole = position == source.count || !Self.continuesNumber(source[position])
        guard position > start, isWhole, isNegative || value == 0 else { throw refusal }
        return -value
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private mutating func boolean(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "boolean expression")
        guard let kind = fields.take("boolop") else { throw unsupported(index) }
        let arguments = try expressions(fields.take("args"))
        try fields.finish()
        switch tree.string(kind) {
        case "AND_EXPR": return .and(arguments)
        case "OR_EXPR": return .or(arguments)
        case "NOT_EXPR" where arguments.count == 1: return .not(arguments[0])
        default: throw unsupported(kind)
        }
    }

    private mutating func nullTest(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "IS NULL")
        guard let argument = fields.take("arg"), let kind = fields.take("nulltesttype") else {
            throw unsupported(index)
        }
        try fields.finish()
        let tested = try expression(argument)
        switch tree.string(kind) {
        case "IS_NULL": return .isNull(tested)
        case "IS_NOT_NULL": return .isNotNull(tested)
        default: throw unsupported(kind)
        }
    }

    private mutating func booleanTest(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "IS TRUE")
        guard let argument = fields.take("arg"), let kind = fields.take("booltesttype") else {
            throw unsupported(index)
        }
        try fields.finish()
        let test: BooleanTest =
            switch tree.string(kind) {
            case "IS_TRUE": .isTrue
            case "IS_NOT_TRUE": .isNotTrue
            case "IS_FALSE": .isFalse
            case "IS_NOT_FALSE": .isNotFalse
            case "IS_UNKNOWN": .isUnknown
            case "IS_NOT_UNKNOWN": .isNotUnknown
            default: throw unsupported(kind)
            }
        return .booleanTest(try expression(argument), test)
    }

    private mutating func minMax(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "GREATEST")
        let isGreatest = fields.take("op").map { tree.isString($0, "IS_GREATEST") } ?? false
        let arguments = try expressions(fields.take("args"))
        try fields.finish()
        return .list(isGreatest ? .greatest : .least, arguments)
    }

    private mutating func collate(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "COLLATE")
        guard let argument = fields.take("arg") else { throw unsupported(index) }
        let collation = try qualifiedName(fields.take("collname"))
        try fields.finish()
        return .collate(try expression(argument), collation)
    }

    private mutating func caseExpression(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "CASE")
        let operand = try optionalExpression(fields.take("arg"))
        let otherwise = try optionalExpression(fields.take("defresult"))
        var branches: [CaseBranch] = []
        if let list = fields.take("args") {
            for child in tree.children(of: list) { branches.append(try caseBranch(unwrap(child))) }
        }
        try fields.finish()
        return .caseWhen(operand: operand, branches: branches, otherwise: otherwise)
    }

    private mutating func caseBranch(_ index: Int) throws(Refusal) -> CaseBranch {
        var fields = Fields(of: index, in: tree, kind: "WHEN")
        guard tree.isKey(of: index, "CaseWhen"), let condition = fields.take("expr"), let result = fields.take("result")
        else { throw unsupported(index) }
        try fields.finish()
        return CaseBranch(condition: try expression(condition), result: try expression(result))
    }

    private mutating func indirection(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "indirection")
        guard let argument = fields.take("arg"), let steps = fields.take("indirection") else {
            throw unsupported(index)
        }
        try fields.finish()
        var result = try expression(argument)
        let path = tree.children(of: steps)
        // Each step makes the expression one level deeper.
        guard path.count <= Self.stepLimit else { throw Refusal(.unsupportedSyntax, "nested too deeply") }
        for child in path {
            let node = try unwrap(child)
            switch tree.key(of: node) {
            case "String": result = .field(result, try name(tree.child(of: node, "sval")))
            case "A_Star": result = .field(result, nil)
            case "A_Indices":
                var fields = Fields(of: node, in: tree, kind: "subscript")
                fields.ignore("is_slice")
                let lower = try optionalExpression(fields.take("lidx"))
                let upper = try optionalExpression(fields.take("uidx"))
                try fields.finish()
                result = .subscripted(result, [lower, upper].compactMap { $0 })
            default: throw unsupported(node)
            }
        }
        return result
    }

    private mutating func sublink(_ index: Int) throws(Refusal) -> Subquery {
        var fields = Fields(of: index, in: tree, kind: "subquery")
        guard let kind = fields.take("subLinkType"), let inner = fields.take("subselect") else {
            throw unsupported(index)
        }
        let test = try optionalExpression(fields.take("testexpr"))
        let comparison = fields.take("operName")
        try fields.finish()
        let form: Subquery.Form =
            switch tree.string(kind) {
            case "EXISTS_SUBLINK": .exists
            case "EXPR_SUBLINK": .scalar
            case "ARRAY_SUBLINK": .array
            case "ANY_SUBLINK": .any
            case "ALL_SUBLINK": .all
            default: throw unsupported(kind)
            }
        let name: QualifiedName? = comparison == nil ? nil : try qualifiedName(comparison)
        return Subquery(form: form, test: test, comparison: name, query: try subselect(inner))
    }
}
