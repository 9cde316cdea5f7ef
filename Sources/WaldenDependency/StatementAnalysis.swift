public import WaldenCore

/// Why a statement is passed through instead of being answered from the cache. The raw value is the label under
/// which it is counted in the metrics; `explanation` is for people.
public struct Refusal: Error, Hashable, Sendable {
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        case unparsable, statementTooLong = "statement_too_long", severalStatements = "several_statements"
        case notASelect = "not_a_select", lockingClause = "locking_clause", selectInto = "select_into"
        case dataModifyingCTE = "data_modifying_cte", tablesample
        case function, operatorUnknown = "operator", cast, specialDate = "special_date", currentValue = "current_value"
        case unknownRelation = "unknown_relation", systemRelation = "system_relation", temporary, unlogged, foreign
        case view, materializedView = "materialized_view", sequence, rowSecurity = "row_security"
        case notPublished = "not_published", replicaIdentityNothing = "replica_identity_nothing"
        case noTable = "no_table", parameter, unsupportedSyntax = "unsupported_syntax"
    }

    public let rule: Rule
    /// What it met, e.g. `function now() is stable`. Never holds values of parameters or literals.
    public let explanation: String

    public init(_ rule: Rule, _ explanation: String) {
        self.rule = rule
        self.explanation = explanation
    }
}

/// One assignment to a session setting that a statement makes when it succeeds.
public enum SettingChange: Hashable, Sendable {
    /// `SET name = …` (name lower-cased). The value is the source form: equal text means an equal setting.
    case set(name: String, value: String, local: Bool)
    case reset(name: String)
    case resetAll
    /// `DISCARD ALL`: settings, temporary tables, prepared statements, role.
    case discardAll
}

/// What a statement does to its session besides its result. Decides what the session's later statements may hit.
public enum SessionEffect: Hashable, Sendable {
    /// A SELECT or SHOW that changes nothing.
    case readOnly
    /// Writes rows or changes the schema (also: calls a volatile function); the session must read its own writes.
    case writes
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT …: the transaction status that the server reports says the rest.
    case transactionControl
    case settings([SettingChange])
    /// Creates a temporary relation that may shadow a cached name.
    case temporaryObjects
    /// May have changed settings in a way that cannot be read off the text (`set_config()`, DO, CALL, unparsable).
    case opaque
}

/// How values stand in a Bind message, and the types named in Parse.
public struct BoundParameter: Sendable {
    public let type: TypeID
    public let isBinary: Bool
    /// Nil for null.
    public let bytes: [UInt8]?

    public init(type: TypeID, isBinary: Bool, bytes: [UInt8]?) {
        self.type = type
        self.isBinary = isBinary
        self.bytes = bytes
    }
}
