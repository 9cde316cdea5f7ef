/// What the SQL parser read from one text.
public struct ParsedText: Sendable {
    public let statements: [ParsedStatement]

    public init(statements: [ParsedStatement]) {
        self.statements = statements
    }
}

public struct ParsedStatement: Sendable {
    /// A statement as a query that can be analysed, or why it is none.
    public enum Form: Sendable {
        case query(Query)
        case refused(Refusal)
    }

    /// What the syntax alone says; functions and operators may add to it.
    public let effect: SessionEffect
    /// What the syntax alone says of binding the session to its server.
    public let binding: SessionBinding
    /// Every function named anywhere in the statement.
    public let functions: Set<QualifiedName>
    /// Every operator named anywhere in the statement.
    public let operators: Set<QualifiedName>
    /// Every relation named anywhere in the statement, also those that are names of its own CTEs.
    public let relations: Set<QualifiedName>
    public let form: Form
    /// One SELECT, VALUES or TABLE, or EXPLAIN of one that does not run it; by its syntax it neither writes nor locks.
    public let isRead: Bool
    /// Every type named anywhere in the statement.
    public let types: Set<QualifiedName>
    /// The names of its CTEs, wherever they stand.
    public let commonTables: Set<String>
    /// It calls `current_setting` with another argument than the name of a custom setting (`'app.tenant'`).
    public let readsServerSettings: Bool

    public init(
        effect: SessionEffect, functions: Set<QualifiedName>, operators: Set<QualifiedName>,
        relations: Set<QualifiedName>, form: Form, isRead: Bool = false, types: Set<QualifiedName> = [],
        commonTables: Set<String> = [], readsServerSettings: Bool = false,
        binding: SessionBinding = .none
    ) {
        self.binding = binding
        self.effect = effect
        self.functions = functions
        self.operators = operators
        self.relations = relations
        self.form = form
        self.isRead = isRead
        self.types = types
        self.commonTables = commonTables
        self.readsServerSettings = readsServerSettings
    }
}

/// A name with an optional schema.
public struct QualifiedName: Hashable, Sendable, CustomStringConvertible {
    public let schema: String?
    public let name: String

    public init(schema: String?, name: String) {
        self.schema = schema
        self.name = name
    }

    public var description: String { schema.map { "\($0).\(name)" } ?? name }
}
