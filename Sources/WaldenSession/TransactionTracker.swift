import WaldenWire

/// Why a statement inside a transaction may not be answered from the cache, nor its result kept.
enum TransactionObstacle: Hashable, Sendable {
    /// It has written, locked, assigned settings or opened a cursor, or may have.
    case wrote
    /// One snapshot serves all its statements, or its isolation level is not known.
    case isolation
    /// Only its end is accepted.
    case failed
}

/// The transaction of one session: what the client was told of it and what the server knows.
///
///     none ──BEGIN answered here──► deferred ──a statement needs the server──► opening ──its BEGIN answered──► open
///      ▲                               │ ▲                                        │                             │
///      ├─── COMMIT, ROLLBACK here ─────┘ └──────────── the server refused it ─────┘                             │
///      └────────────────────────────────── ReadyForQuery tells `I` ─────────────────────────────────────────────┘
///
/// `open` also follows a BEGIN that was not deferred. Under READ COMMITTED each statement sees what is committed when it
/// begins, so as long as the transaction has done nothing that only itself can see, a statement in it reads what it
/// would read outside.
///
/// Called by the session machine for each BEGIN it answers and each unit that ends. Never looks at bytes.
struct TransactionTracker: Sendable {
    /// A BEGIN that the client has an answer to and the server has not seen.
    struct Deferral: Hashable, Sendable {
        /// The client's own messages.
        let messages: [UInt8]
        let isExtended: Bool
        /// They hold the Parse of their statement.
        let parses: Bool
        /// Any node may run what follows.
        var mayRunOnReplica = false
    }

    private enum State: Hashable, Sendable {
        case none
        case deferred(Deferral)
        case opening(Deferral)
        case open
    }

    private var state = State.none
    /// Its level is READ COMMITTED, or READ UNCOMMITTED, for certain.
    private var isByStatement = false
    private var isDisturbed = false
    /// How often the server refused the deferred BEGIN.
    private(set) var refusals = 0

    /// The client believes that a transaction is open, of which the server knows nothing.
    var isDeferred: Bool {
        if case .deferred = state { true } else { false }
    }

    /// The transaction that is deferred may run on a replica.
    var deferredIsReadOnly: Bool {
        if case .deferred(let deferral) = state { deferral.mayRunOnReplica } else { false }
    }

    /// The deferred BEGIN is on its way to the server.
    var isOpening: Bool {
        if case .opening = state { true } else { false }
    }

    /// Where the client was told that it is, when the last ReadyForQuery of the server told `status`.
    func shown(_ status: TransactionStatus) -> TransactionStatus {
        switch state {
        case .deferred, .opening: .inTransaction
        case .none, .open: status
        }
    }

    /// Why the next statement must be the server's; nil when the cache may answer.
    func obstacle(_ status: TransactionStatus) -> TransactionObstacle? {
        switch shown(status) {
        case .idle: return nil
        case .failed: return .failed
        case .inTransaction:
            if !isByStatement { return .isolation }
            return isDisturbed ? .wrote : nil
        }
    }

    // MARK: Deferral

    /// The client has been told that its transaction is open.
    mutating func began(deferring messages: Deferral) {
        state = .deferred(messages)
        isByStatement = true
        isDisturbed = false
        refusals = 0
    }

    /// The deferred transaction ended without the server.
    mutating func endedUnseen() {
        if isDeferred { state = .none }
    }

    /// What must be sent now so that the server takes part; nil unless deferred.
    mutating func open() -> Deferral? {
        guard case .deferred(let messages) = state else { return nil }
        state = .opening(messages)
        return messages
    }

    /// The server has answered the deferred BEGIN and is in `status`.
    mutating func opened(_ status: TransactionStatus) {
        guard case .opening(let messages) = state else { return }
        if status == .inTransaction {
            state = .open
        } else {
            state = .deferred(messages)
            refusals += 1
        }
    }

    // MARK: Units

    /// What a unit that ended did, as far as transactions are concerned.
    struct UnitOutcome: Sendable {
        /// The unit was a BEGIN of this isolation level and nothing else; nil when it was something else.
        var began: BeginForm.Isolation?
        /// COMMIT or ROLLBACK completed within, perhaps to a savepoint.
        var crossedEnd = false
        /// More than one statement, so that their order is not known.
        var isMixed = false
        /// Something only the transaction itself can see, or may see.
        var disturbs = false
    }

    /// A unit of the client's ended: the server was in `old` before it and is in `new`.
    mutating func unitEnded(_ unit: UnitOutcome, from old: TransactionStatus, to new: TransactionStatus) {
        guard new != .idle else {
            state = .none
            return
        }
        if old == .idle {
            state = .open
            isByStatement = unit.began?.isByStatement ?? false
            isDisturbed = false
        } else if unit.crossedEnd, unit.isMixed {
            // Perhaps another transaction than before. AND CHAIN alone keeps the isolation level.
            isByStatement = false
        }
        if unit.disturbs { isDisturbed = true }
    }
}
