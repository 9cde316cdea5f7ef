/// A scalar expression as parsed, with names not yet resolved.
public indirect enum Expression: Sendable {
    /// `a`, `t.a` or `s.t.a`.
    case column([String])
    /// `*`, `t.*` or `s.t.*`: the qualifier.
    case star([String])
    /// `$n`, from 1.
    case parameter(Int)
    case literal(Literal)
    case operation(Operation)
    case and([Expression])
    case or([Expression])
    case not(Expression)
    case isNull(Expression)
    case isNotNull(Expression)
    case booleanTest(Expression, BooleanTest)
    case call(FunctionCall)
    case cast(Expression, TypeName)
    case collate(Expression, QualifiedName)
    case caseWhen(operand: Expression?, branches: [CaseBranch], otherwise: Expression?)
    /// COALESCE, GREATEST, LEAST, ROW and ARRAY.
    case list(ListKind, [Expression])
    /// `x[1]`, `x[1:2]`.
    case subscripted(Expression, [Expression])
    /// `(x).name`; nil: `(x).*`.
    case field(Expression, String?)
    /// GROUPING(…), and ROLLUP, CUBE and GROUPING SETS within GROUP BY.
    case grouping([Expression])
    case subquery(Subquery)
    /// CURRENT_DATE, CURRENT_USER …, by name.
    case currentValue(String)
}

public enum ListKind: Hashable, Sendable {
    case coalesce, greatest, least, row, array
}

public enum BooleanTest: Hashable, Sendable {
    case isTrue, isNotTrue, isFalse, isNotFalse, isUnknown, isNotUnknown
}

public enum Literal: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// An int4 constant.
    case integer(Int64)
    /// A numeric constant, or an integer too large for int4, as digits.
    case decimal(String)
    /// Of type unknown.
    case string(String)
    /// B'…' or X'…'.
    case bits
}

public struct CaseBranch: Sendable {
    public let condition: Expression
    public let result: Expression

    public init(condition: Expression, result: Expression) {
        self.condition = condition
        self.result = result
    }
}

/// An operator with its operands.
public struct Operation: Sendable {
    public enum Form: Hashable, Sendable {
        /// `left op right`, or `op right` without left.
        case plain
        /// `left op ANY (right)`, `left op ALL (right)` with an array.
        case any, all
        case distinct, notDistinct, nullIf
        /// `left [NOT] IN (right, …)`.
        case isIn
        case like, ilike, similar
        case between, notBetween, betweenSymmetric, notBetweenSymmetric
    }

    public let form: Form
    public let name: QualifiedName
    public let left: Expression?
    /// One operand; two for BETWEEN; any number for IN.
    public let right: [Expression]

    public init(form: Form, name: QualifiedName, left: Expression?, right: [Expression]) {
        self.form = form
        self.name = name
        self.left = left
        self.right = right
    }
}

public struct FunctionCall: Sendable {
    public let name: QualifiedName
    public let arguments: [Expression]
    /// The arguments are given by name, so that they cannot be told by position.
    public let hasNamedArguments: Bool
    /// `f(VARIADIC array)`.
    public let isVariadic: Bool
    /// `f(*)`.
    public let isStar: Bool
    public let orderBy: [Expression]
    public let isWithinGroup: Bool
    public let filter: Expression?
    public let window: WindowDefinition?

    public init(
        name: QualifiedName, arguments: [Expression], hasNamedArguments: Bool, isVariadic: Bool, isStar: Bool,
        orderBy: [Expression], isWithinGroup: Bool, filter: Expression?, window: WindowDefinition?
    ) {
        self.name = name
        self.arguments = arguments
        self.hasNamedArguments = hasNamedArguments
        self.isVariadic = isVariadic
        self.isStar = isStar
        self.orderBy = orderBy
        self.isWithinGroup = isWithinGroup
        self.filter = filter
        self.window = window
    }

    /// Everything in it that is evaluated.
    var expressions: [Expression] {
        arguments + orderBy + (filter.map { [$0] } ?? []) + (window?.expressions ?? [])
    }
}

public struct TypeName: Hashable, Sendable {
    public let name: QualifiedName
    public let hasModifiers: Bool
    public let isArray: Bool
    public let isSetOf: Bool

    public init(name: QualifiedName, hasModifiers: Bool, isArray: Bool, isSetOf: Bool) {
        self.name = name
        self.hasModifiers = hasModifiers
        self.isArray = isArray
        self.isSetOf = isSetOf
    }
}

public struct Subquery: Sendable {
    public enum Form: Hashable, Sendable {
        case exists, scalar, array
        /// `x op ANY (SELECT …)`, also `x IN (SELECT …)`; `x op ALL (SELECT …)`.
        case any, all
    }

    public let form: Form
    public let test: Expression?
    /// Nil for IN, which means `=`.
    public let comparison: QualifiedName?
    public let query: Query

    public init(form: Form, test: Expression?, comparison: QualifiedName?, query: Query) {
        self.form = form
        self.test = test
        self.comparison = comparison
        self.query = query
    }
}
