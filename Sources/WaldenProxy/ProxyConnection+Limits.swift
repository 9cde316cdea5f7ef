import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// What a client may not do for longer than it is allowed to.
extension ProxyConnection {
    /// One look at what the client is doing.
    func lookAtLimits(_ limits: ClientTimeLimits, now: Instant) {
        guard state == .relaying, let pooled, let machine else { return }
        let doing: ClientWatch.Doing =
            if machine.isQuiescent {
                .nothing
            } else if machine.hasUnitsUnderWay || pooled.waiting != nil {
                .running(inTransaction: machine.status != .idle)
            } else {
                .restingInTransaction
            }
        let excess = pooled.watch.look(
            doing, answers: pooled.answers, transactions: pooled.transactions, now: now, limits: limits)
        switch excess {
        case nil: break
        case .query: cancelRequested {}
        case .transaction: end(.transactionTimeout, "transaction timeout", cause: "transaction_timeout")
        case .idleTransaction:
            end(
                .idleInTransactionSessionTimeout, "idle-in-transaction timeout", cause: "idle_transaction_timeout")
        case .idle: end(.idleSessionTimeout, "idle-session timeout", cause: "client_idle_timeout")
        }
    }

    /// In PostgreSQL's words.
    private func end(_ sqlState: SQLState, _ what: String, cause: String) {
        fail(
            ErrorResponse(
                severity: .fatal, sqlState: sqlState, message: "terminating connection due to \(what)",
                detail: "Walden's pool.\(cause) has passed."),
            cause: cause)
    }
}
