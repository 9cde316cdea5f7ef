/// Why a statement is passed through instead of being answered from the cache. The raw value is the label under
/// which it is counted in the metrics; `explanation` is for people.
public struct Refusal: Error, Hashable, Sendable {
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        case catalogUnknown = "catalog_unknown"
        case unparsable, statementTooLong = "statement_too_long", severalStatements = "several_statements"
        case notASelect = "not_a_select", lockingClause = "locking_clause", selectInto = "select_into"
        case dataModifyingCTE = "data_modifying_cte", tablesample
        case function, operatorUnknown = "operator", cast, specialDate = "special_date", currentValue = "current_value"
        case unknownRelation = "unknown_relation", systemRelation = "system_relation", temporary, unlogged, foreign
        case view, sequence, rowSecurity = "row_security"
        case notPublished = "not_published", replicaIdentityNothing = "replica_identity_nothing"
        case ambiguousName = "ambiguous_name", unknownColumn = "unknown_column", systemColumn = "system_column"
        case dataType = "data_type"
        /// The statement's own hint.
        case nocacheHint = "nocache_hint"
        /// The cache is off, so nobody asked.
        case valuesUnread = "values_unread"
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
