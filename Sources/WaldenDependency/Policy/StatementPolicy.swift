public import WaldenCore

/// How the cache is to treat a cacheable statement, beyond what makes its results right.
public final class StatementPolicy: Sendable {
    public let shape: StatementShape
    /// The operator's rule that matches it.
    public let rule: CacheRule?

    /// How closely its results are audited.
    public let audit: AuditGrade

    public init(shape: StatementShape, rule: CacheRule? = nil, audit: AuditGrade = .none) {
        self.shape = shape
        self.rule = rule
        self.audit = audit
    }

    /// The level that hits of it need; nil: as the session or the instance says.
    public var consistency: ConsistencyLevel? { rule?.consistency }
}
