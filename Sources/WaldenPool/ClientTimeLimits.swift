public import WaldenCore

/// For how long a client may do what. Zero: for ever.
public struct ClientTimeLimits: Hashable, Sendable {
    public var query: Duration
    public var transaction: Duration
    public var idleTransaction: Duration
    public var idle: Duration

    public init(
        query: Duration = .zero, transaction: Duration = .zero, idleTransaction: Duration = .zero,
        idle: Duration = .zero
    ) {
        self.query = query
        self.transaction = transaction
        self.idleTransaction = idleTransaction
        self.idle = idle
    }

    /// How often clients are to be looked at; nil: no limit is set.
    public var lookInterval: Duration? {
        let least = [query, transaction, idleTransaction, idle].filter { $0 > .zero }.min()
        return least.map { min(.seconds(1), max(.milliseconds(10), $0 / 4)) }
    }
}

/// What one client was seen doing by looks at intervals, so that nothing need be noted while it does it.
public struct ClientWatch: Hashable, Sendable {
    /// What a client is doing.
    public enum Doing: Hashable, Sendable {
        case nothing
        /// A transaction is open and no statement under way.
        case restingInTransaction
        case running(inTransaction: Bool)
    }

    public enum Excess: Hashable, Sendable {
        case query
        case transaction
        case idleTransaction
        case idle
    }

    private var doing = Doing.nothing
    private var answers: UInt64 = 0
    private var transactions: UInt64 = 0
    private var since: Instant
    private var transactionSince: Instant?
    private var wasTold = false

    public init(now: Instant) {
        since = now
    }

    /// - Parameters:
    ///   - answers: Units of the client that have ended, ever.
    ///   - transactions: Of them, those that left no transaction open.
    /// - Returns: the limit that is exceeded; a query's once.
    public mutating func look(
        _ doing: Doing, answers: UInt64, transactions: UInt64, now: Instant, limits: ClientTimeLimits
    ) -> Excess? {
        if doing != self.doing || answers != self.answers {
            since = now
            wasTold = false
        }
        let isOpen = doing == .restingInTransaction || doing == .running(inTransaction: true)
        if !isOpen {
            transactionSince = nil
        } else if transactionSince == nil || transactions != self.transactions {
            transactionSince = now
        }
        (self.doing, self.answers, self.transactions) = (doing, answers, transactions)
        func exceeds(_ limit: Duration, _ since: Instant) -> Bool {
            limit > .zero && now.elapsed(since: since) >= limit
        }
        if let transactionSince, exceeds(limits.transaction, transactionSince) { return .transaction }
        switch doing {
        case .nothing: return exceeds(limits.idle, since) ? .idle : nil
        case .restingInTransaction: return exceeds(limits.idleTransaction, since) ? .idleTransaction : nil
        case .running:
            guard !wasTold, exceeds(limits.query, since) else { return nil }
            wasTold = true
            return .query
        }
    }
}
