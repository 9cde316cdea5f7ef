import WaldenDependency

extension SyntaxReader {
    /// Reads the fields of an A_Expr.
    mutating func operation(_ index: Int) throws(Refusal) -> Operation {
        var fields = Fields(of: index, in: tree, kind: "operator")
        guard let kind = fields.take("kind"), let right = fields.take("rexpr") else { throw unsupported(index) }
        let left = try optionalExpression(fields.take("lexpr"))
        let form = try operationForm(kind)
        let name = try qualifiedName(fields.take("name"))
        try fields.finish()
        let operands: [Expression] =
            switch form {
            case .isIn, .between, .notBetween, .betweenSymmetric, .notBetweenSymmetric: try listItems(right)
            default: [try expression(right)]
            }
        return Operation(form: form, name: name, left: left, right: operands)
    }

    private func operationForm(_ index: Int) throws(Refusal) -> Operation.Form {
        switch tree.string(index) {
        case "AEXPR_OP": .plain
        case "AEXPR_OP_ANY": .any
        case "AEXPR_OP_ALL": .all
        case "AEXPR_DISTINCT": .distinct
        case "AEXPR_NOT_DISTINCT": .notDistinct
        case "AEXPR_NULLIF": .nullIf
        case "AEXPR_IN": .isIn
        case "AEXPR_LIKE": .like
        case "AEXPR_ILIKE": .ilike
        case "AEXPR_SIMILAR": .similar
        case "AEXPR_BETWEEN": .between
        case "AEXPR_NOT_BETWEEN": .notBetween
        case "AEXPR_BETWEEN_SYM": .betweenSymmetric
        case "AEXPR_NOT_BETWEEN_SYM": .notBetweenSymmetric
        default: throw unsupported(index)
        }
    }

    /// Reads the fields of a FuncCall.
    mutating func call(_ index: Int) throws(Refusal) -> FunctionCall {
        var fields = Fields(of: index, in: tree, kind: "function call")
        fields.ignore("funcformat", "agg_distinct")
        let name = try qualifiedName(fields.take("funcname"))
        let isVariadic = fields.flag("func_variadic")
        let isStar = fields.flag("agg_star")
        let isWithinGroup = fields.flag("agg_within_group")
        let orderBy = try sortKeys(fields.take("agg_order"))
        let filter = try optionalExpression(fields.take("agg_filter"))
        let window: WindowDefinition? = if let over = fields.take("over") { try self.window(over) } else { nil }
        let list = fields.take("args")
        try fields.finish()
        var arguments: [Expression] = []
        var hasNamedArguments = false
        for child in list.map({ tree.children(of: $0) }) ?? [] {
            let node = try unwrap(child)
            if tree.isKey(of: node, "NamedArgExpr"), let inner = tree.child(of: node, "arg") {
                hasNamedArguments = true
                arguments.append(try expression(inner))
            } else {
                arguments.append(try expression(child))
            }
        }
        return FunctionCall(
            name: name, arguments: arguments, hasNamedArguments: hasNamedArguments, isVariadic: isVariadic,
            isStar: isStar, orderBy: orderBy, isWithinGroup: isWithinGroup, filter: filter, window: window)
    }

    /// Reads the fields of a TypeCast.
    mutating func cast(_ index: Int) throws(Refusal) -> Expression {
        var fields = Fields(of: index, in: tree, kind: "cast")
        guard let argument = fields.take("arg"), let type = fields.take("typeName") else { throw unsupported(index) }
        try fields.finish()
        return .cast(try expression(argument), try typeName(type))
    }

    func typeName(_ index: Int) throws(Refusal) -> TypeName {
        var fields = Fields(of: index, in: tree, kind: "type name")
        fields.ignore("typemod")
        let name = try qualifiedName(fields.take("names"))
        let isSetOf = fields.flag("setof")
        let isArray = fields.take("arrayBounds") != nil
        let hasModifiers = fields.take("typmods") != nil
        // %TYPE is left over here, and refused.
        try fields.finish()
        return TypeName(name: name, hasModifiers: hasModifiers, isArray: isArray, isSetOf: isSetOf)
    }
}
