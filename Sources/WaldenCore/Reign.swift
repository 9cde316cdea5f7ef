/// The moment at which a node takes the role of primary from another, as far as it tells of the other's transactions.
public struct SwitchPoint: Hashable, Sendable {
    /// The new primary gives the identifiers below this one to no transaction of its own, for its log has used them
    /// already: looked at while it was a standby and took no writes.
    public let nextTransaction: TransactionID
    /// Since then at the latest the old primary has run without a crash, as far as the sentinel has seen. After one, a server
    /// gives identifiers again whose first use had not reached its disk.
    public let watchedSince: Instant

    public init(nextTransaction: TransactionID, watchedSince: Instant) {
        self.nextTransaction = nextTransaction
        self.watchedSince = watchedSince
    }

    /// Why the new primary may know another transaction by this identifier than the old one had when it was asked for it,
    /// after `moment`; nil: it is the same.
    public func obstacle(to transaction: TransactionID, askedAt moment: Instant) -> String? {
        if transaction >= nextTransaction { return "the new primary's log does not name the transaction" }
        return moment > watchedSince ? nil : "the old primary was lost sight of after the transaction had begun"
    }
}

/// The time in which one node is the primary, as one process has seen it.
public struct Reign: Hashable, Sendable {
    /// One more than that of the primary before.
    public let number: UInt64
    /// Nil: nobody has seen it.
    public let beginning: SwitchPoint?

    public init(number: UInt64, beginning: SwitchPoint? = nil) {
        self.number = number
        self.beginning = beginning
    }
}
