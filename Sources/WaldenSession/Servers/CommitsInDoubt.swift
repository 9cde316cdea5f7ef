import DequeModule
import WaldenCore
import WaldenDependency
public import WaldenWire

/// What has become of a COMMIT.
public enum CommitOutcome: String, Hashable, Sendable, CaseIterable {
    case committed
    /// No record of its COMMIT is in the log that the new primary goes on with.
    case rolledBack = "rolled_back"
    case unknown
}

/// What a server calls the transaction in progress.
struct NamedTransaction {
    let id: TransactionID
    let reign: Reign
    /// Before the server was.
    let askedAt: Instant
}

/// A COMMIT that its server has been sent.
struct UnansweredCommit {
    let transaction: NamedTransaction
    let command: Candidate
    /// The client's.
    let bytes: [UInt8]
    let effects: UnitEffects
}

/// A COMMIT whose server was lost before it answered.
struct CommitInDoubt {
    let commit: UnansweredCommit
    let lostAt: Instant
    /// Nothing bound the session to the server that is lost.
    let mayGoOn: Bool
    var outcome: CommitOutcome?

    var transaction: NamedTransaction { commit.transaction }

    /// Why the server may know another transaction by the name, or none; nil: it knows this one.
    func obstacle(at server: ServerSession) -> String? {
        guard let reign = server.reign, reign.number > transaction.reign.number else {
            return "no other node has taken the primary's place"
        }
        guard reign.number == transaction.reign.number + 1, let beginning = reign.beginning else {
            return "nobody has seen where the new primary's log begins"
        }
        return beginning.obstacle(to: transaction.id, askedAt: transaction.askedAt)
    }

    /// Whether the server may tell more than that it is not known. One of the same reign does if it was reached after the
    /// loss: then nobody takes the primary's place.
    func isSettled(by server: ServerSession) -> Bool {
        guard let reign = server.reign else { return false }
        return reign.number != transaction.reign.number || server.bornAt > lostAt
    }
}

/// COMMITs that were under way when the primary was lost: what has become of them, the one that takes its place tells
/// (docs/adr/0049).
///
///     a write is answered ──► its transaction is named ──► COMMIT is held ──the server is lost──► in doubt
///                                                                                                  │
///         told, or the end of the session ◄── asked ◄── a server of the next reign, which knows the name
///
/// The name, an `xid8`, must be known before the COMMIT leaves: who is asked for it later may be dead. It means the same
/// transaction on the new primary only below the switch point (`SwitchPoint`); beyond, that may have given it to another.
/// Where anything is missing the client is told that nobody knows.
///
/// Called for each unit that ends, each COMMIT that is sent, and when a server is lost.
extension SessionMachine {
    /// A COMMIT has been lost with its server, and the client waits to be told what has become of it.
    public var isInDoubt: Bool { pooled?.doubt != nil }

    /// What the session ends with, where it would end with `error`: while a COMMIT is in doubt, with that.
    public func lastWord(_ error: ErrorResponse) -> ErrorResponse {
        isInDoubt ? .outcomeUnknown(because: error.message) : error
    }

    // MARK: Naming

    /// A unit of the client's has ended.
    mutating func noteTransaction(_ unit: Unit, _ now: Instant) {
        guard policy.resolvesCommits, let pooled else { return }
        if status == .idle || unit.effects.controlsTransaction || unit.effects.isOpaque || unit.crossedTransactionEnd {
            pooled.named = nil
        }
        let mayHaveName = transactionWrote && pooled.named == nil && !unit.effects.isReadOnly
        pooled.wroteUnnamed = status == .inTransaction && mayHaveName ? now : nil
    }

    /// Whether the server must be asked now what it calls the transaction in progress. It is asked when it has answered
    /// the write, not when the COMMIT comes: while the client is told and thinks, so that hardly any waits for it.
    mutating func nameTransaction() -> Bool {
        guard let pooled, let wroteAt = pooled.wroteUnnamed, pooled.server?.reign != nil, status == .inTransaction,
            units.isEmpty, !isUnitOpen, clientSkip == 0, serverSkip == 0, !isRelayOnly, injection.isEmpty
        else { return false }
        pooled.wroteUnnamed = nil
        pooled.namingBegan = wroteAt
        push(.naming, Self.naming)
        units[0].pendingParses = [.init(statement: nil, isInjected: true)]
        units[0].pendingCloses = [
            .init(subject: .portal, parsesBefore: 1), .init(subject: .hidden(nil), parsesBefore: 1),
        ]
        return true
    }

    /// By a statement and a portal with names, both closed at once, so that the client's unnamed ones stay.
    private static let naming: [UInt8] = {
        let name = "walden transaction"
        return Parse(name: name, query: "SELECT pg_catalog.pg_current_xact_id_if_assigned()").encoded()
            + Bind(portal: name, statement: name).encoded() + Execute(portal: name).encoded()
            + Close(.portal, name: name).encoded() + Close(.statement, name: name).encoded() + Sync().encoded()
    }()

    mutating func namingAnswered(_ values: [[UInt8]?]) {
        guard let pooled, let reign = pooled.server?.reign, let id = UInt64(Self.onlyText(values)) else { return }
        pooled.named = NamedTransaction(id: TransactionID(id), reign: reign, askedAt: pooled.namingBegan)
    }

    private static func onlyText(_ values: [[UInt8]?]) -> String {
        guard values.count == 1, let value = values[0] else { return "" }
        return String(decoding: value, as: UTF8.self)
    }

    /// The question for the name is all that is under way, so a cancel request finds nothing of the client's.
    public var isBeingNamed: Bool { units.count == 1 && isNaming }

    private var isNaming: Bool {
        units.contains { unit in
            if case .naming = unit.purpose { unit.isHidden } else { false }
        }
    }

    /// The COMMIT offered must wait until it is known what would be lost with it.
    func awaitsName(_ candidate: Candidate, _ input: borrowing RawSpan) -> Bool {
        policy.resolvesCommits && isNaming && candidate.command(in: input) == .commit
    }

    /// Keeps a COMMIT that has just been sent until the server begins to answer.
    mutating func holdCommit(_ candidate: Candidate, _ input: borrowing RawSpan) {
        guard let pooled, let named = pooled.named, status == .inTransaction, units.count == 1, !isUnitOpen,
            !isRelayOnly, candidate.isBare(in: input)
        else { return }
        pooled.unansweredCommit = UnansweredCommit(
            transaction: named, command: candidate, bytes: input.copy(0..<candidate.byteCount),
            effects: units[0].effects)
    }

    // MARK: Loss

    /// The client's bytes, if what was lost with the server is a COMMIT whose transaction has a name.
    mutating func doubtfulCommit(_ now: Instant) -> [UInt8]? {
        guard let pooled, let commit = pooled.unansweredCommit, units.count == 1 else { return nil }
        pooled.doubt = CommitInDoubt(
            commit: commit, lostAt: now, mayGoOn: pooled.isFree && pooled.pooling.mode == .transaction)
        return commit.bytes
    }

    // MARK: Resolution

    /// The step for the COMMIT at the front, which is in doubt.
    mutating func doubtStep(_ doubt: CommitInDoubt) -> ClientStep {
        if let outcome = doubt.outcome { return tell(outcome, of: doubt) }
        guard let pooled, let server = pooled.server else { return .acquire(.primary) }
        if pooled.awaited == .verdict { return .drain }
        if let obstacle = doubt.obstacle(at: server) { return tell(.unknown, of: doubt, because: obstacle) }
        server.unnamed = .none
        let question = "SELECT pg_catalog.pg_xact_status('\(doubt.transaction.id)'::pg_catalog.xid8)"
        push(.verdict, Query(question).encoded())
        return .openTransaction
    }

    mutating func verdictAnswered(_ values: [[UInt8]?]) {
        pooled?.doubt?.outcome =
            switch Self.onlyText(values) {
            case "committed": .committed
            case "aborted": .rolledBack
            // Null where the status is no longer kept; in progress where it was prepared for a second phase.
            default: .unknown
            }
    }

    /// The verdict is known: the COMMIT ends as it would have by its own server's answer.
    mutating func verdictEnded(_ verdict: Unit, _ header: MessageHeader, _ now: Instant) {
        pooled?.awaited = nil
        guard let doubt = pooled?.doubt else { return }
        guard !verdict.failed, let outcome = doubt.outcome, outcome != .unknown else {
            pooled?.doubt?.outcome = .unknown
            return
        }
        if doubt.commit.command.parses, case .execution(let statement, _) = doubt.commit.command.source {
            defineUnseen(statement)
        }
        var unit = Unit(isExtended: doubt.commit.command.isExtended)
        unit.effects = doubt.commit.effects
        unit.executes = true
        unit.failed = outcome == .rolledBack
        unit.crossedTransactionEnd = outcome == .committed
        if outcome == .committed { settings.transactionCommitted(afterRollback: false) }
        status = .inTransaction
        units.append(unit)
        _ = unitEnded(header, .idle, now)
    }

    private mutating func tell(
        _ outcome: CommitOutcome, of doubt: CommitInDoubt,
        because reason: String = "the new primary does not know it any more, or not yet"
    ) -> ClientStep {
        pooled?.doubt = nil
        let bytes: [UInt8]
        switch outcome {
        case .committed: bytes = doubt.commit.command.answer(tag: TransactionCommand.commit.completionTag, .idle)
        case .rolledBack: bytes = ErrorResponse.rolledBackByFailover.encoded() + ReadyForQuery(.idle).encoded()
        case .unknown:
            return .resolved(
                outcome, byteCount: doubt.commit.bytes.count, [], end: .outcomeUnknown(because: reason))
        }
        return .resolved(
            outcome, byteCount: doubt.commit.bytes.count, bytes,
            end: doubt.mayGoOn ? nil : .serverLost("What the session had there beyond its transaction is lost."))
    }
}

extension ErrorResponse {
    static func serverLost(_ detail: String) -> ErrorResponse {
        ErrorResponse(
            severity: .fatal, sqlState: .adminShutdown,
            message: "terminating connection because the server that served it is lost", detail: detail)
    }

    /// - Parameter reason: Why it cannot be found out.
    static func outcomeUnknown(because reason: String? = nil) -> ErrorResponse {
        ErrorResponse(
            severity: .fatal, sqlState: .transactionResolutionUnknown,
            message: "the server closed the connection before it answered the end of a transaction",
            detail: "Whether the transaction has been committed is not known." + (reason.map { " (\($0))" } ?? ""))
    }

    /// In the code of transactions that may be run again as a whole.
    static let rolledBackByFailover = ErrorResponse(
        sqlState: .serializationFailure,
        message: "the transaction was rolled back because its server was lost before it was committed",
        detail: "The new primary has no record of its COMMIT.", hint: "The transaction might succeed if retried.")
}
