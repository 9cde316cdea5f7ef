/// A SELECT, VALUES or set operation with its CTEs, as far as analysis understands SQL. What has no place here is
/// refused by the parser, never left out.
public struct Query: Sendable {
    public let commonTables: [CommonTable]
    public let isRecursive: Bool
    public let body: QueryBody
    public let orderBy: [Expression]
    public let limit: Expression?
    public let offset: Expression?

    public init(
        commonTables: [CommonTable], isRecursive: Bool, body: QueryBody, orderBy: [Expression], limit: Expression?,
        offset: Expression?
    ) {
        self.commonTables = commonTables
        self.isRecursive = isRecursive
        self.body = body
        self.orderBy = orderBy
        self.limit = limit
        self.offset = offset
    }
}

public struct CommonTable: Sendable {
    public let name: String
    public let columnNames: [String]
    public let query: Query

    public init(name: String, columnNames: [String], query: Query) {
        self.name = name
        self.columnNames = columnNames
        self.query = query
    }
}

public indirect enum QueryBody: Sendable {
    case select(SelectCore)
    case values([[Expression]])
    /// UNION, INTERSECT or EXCEPT.
    case combined(left: Query, right: Query)
}

public struct SelectCore: Sendable {
    /// DISTINCT ON; empty for plain DISTINCT and without it.
    public let distinctOn: [Expression]
    public let isDistinct: Bool
    public let targets: [Target]
    public let from: [FromItem]
    public let filter: Expression?
    public let groupBy: [Expression]
    public let having: Expression?
    public let windows: [WindowDefinition]

    public init(
        distinctOn: [Expression], isDistinct: Bool, targets: [Target], from: [FromItem], filter: Expression?,
        groupBy: [Expression], having: Expression?, windows: [WindowDefinition]
    ) {
        self.distinctOn = distinctOn
        self.isDistinct = isDistinct
        self.targets = targets
        self.from = from
        self.filter = filter
        self.groupBy = groupBy
        self.having = having
        self.windows = windows
    }
}

public struct Target: Sendable {
    /// The name after AS.
    public let name: String?
    public let expression: Expression

    public init(name: String?, expression: Expression) {
        self.name = name
        self.expression = expression
    }
}

public struct WindowDefinition: Sendable {
    public let partitionBy: [Expression]
    public let orderBy: [Expression]
    /// Offsets of the frame.
    public let bounds: [Expression]

    public init(partitionBy: [Expression], orderBy: [Expression], bounds: [Expression]) {
        self.partitionBy = partitionBy
        self.orderBy = orderBy
        self.bounds = bounds
    }

    var expressions: [Expression] { partitionBy + orderBy + bounds }
}

public struct Alias: Hashable, Sendable {
    public let name: String
    public let columnNames: [String]

    public init(name: String, columnNames: [String]) {
        self.name = name
        self.columnNames = columnNames
    }
}

/// One item of FROM.
public indirect enum FromItem: Sendable {
    case relation(QualifiedName, alias: Alias?)
    case subquery(Query, alias: Alias?, isLateral: Bool)
    /// Functions side by side (ROWS FROM), mostly one.
    case functions([FunctionCall], withOrdinality: Bool, alias: Alias?)
    case join(Join)
}

public struct Join: Sendable {
    public enum Kind: Hashable, Sendable {
        case inner, left, right, full
    }

    public enum Condition: Sendable {
        /// CROSS JOIN.
        case always
        case natural
        case using([String])
        case on(Expression)
    }

    public let kind: Kind
    public let left: FromItem
    public let right: FromItem
    public let condition: Condition
    public let alias: Alias?
    /// `USING (…) AS name`.
    public let usingAlias: String?

    public init(
        kind: Kind, left: FromItem, right: FromItem, condition: Condition, alias: Alias?, usingAlias: String?
    ) {
        self.kind = kind
        self.left = left
        self.right = right
        self.condition = condition
        self.alias = alias
        self.usingAlias = usingAlias
    }
}
