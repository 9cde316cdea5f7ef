import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// What a client may not do for longer than it is allowed to.
extension ProxyConnection {
    /// One look at what the client is doing.
    func lookAtLimits(_ limits: ClientTimeLimits, now: Instant) {
        guard state == .relaying, let pooled else { return }
        let isOpen = machine?.status != .idle
        let doing: ClientWatch.Doing =
            if pooled.waiting == nil, machine?.isQuiescent ?? true {
                .nothing
            } else if pooled.waiting != nil || machine?.hasUnitsUnderWay ?? false {
                .running(inTransaction: isOpen)
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
