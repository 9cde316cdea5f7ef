import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

/// Which server what the client sends needs, and when.
extension SessionMachine {
    /// The step that must be taken before anything may go to a server; nil when nothing stands in the way.
    mutating func stepBefore(demand: ServerDemand) -> ClientStep? {
        switch prepareServer(for: demand) {
        case .done: nil
        case .acquire(let demand): .acquire(demand)
        case .ask: .openTransaction
        case .drain: .drain
        case .tell(let bytes): .tell(bytes)
        }
    }

    /// The same for a message of whatever the transaction in progress is.
    ///
    /// - Parameter effect: Of the statement that it belongs to; nil: not known. A transaction that is READ ONLY by default
    ///   alone may well be made READ WRITE by its first statement.
    mutating func stepBeforeMessage(of effect: SessionEffect? = nil) -> ClientStep? {
        guard isPooled else { return nil }
        if !isRelayOnly, units.contains(where: \.takesStatements) { return .drain }
        let mayRead = effect.map { $0 == .readOnly } ?? !isReadOnlyByDefault
        let demand = mayRead ? transactionDemand : .primary
        pooled?.promised = []
        return stepBefore(demand: demand)
    }

    /// The same for a unit that is offered.
    mutating func stepBefore(
        _ candidate: Candidate, _ analysis: StatementAnalysis, _ input: borrowing RawSpan
    ) -> ClientStep? {
        guard isPooled else { return nil }
        if !isRelayOnly {
            // What SQL is about to name must be known by then.
            let names = namesStatements(analysis)
            if names, renames, units.contains(where: { !$0.isHidden || $0.definesStatements }) { return .drain }
            if candidate.isExtended || names, units.contains(where: \.takesStatements) { return .drain }
        }
        let demand = demand(of: candidate, analysis, input)
        if !hasServer { pooled?.promised = transaction.isDeferred || status == .idle ? analysis.promisedSettings : [] }
        return stepBefore(demand: demand) ?? (discardSequences(before: analysis) ? .openTransaction : nil)
    }

    /// What SQL is about to name must still be what it was.
    mutating func mustCompareNamed(
        _ candidate: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> Bool {
        guard isPooled, !isRelayOnly else { return false }
        let analysis = analysis(of: candidate, input, environment)
        return compareNamed(by: candidate, analysis, input, environment)
    }

    /// What must be done before `forwardUnit` for the unit offered.
    ///
    /// - Parameters:
    ///   - hasFill: Its result is to be captured.
    ///   - fillsOnReplica: And is what a replica shows.
    public mutating func prepareToForward(
        _ input: borrowing RawSpan, _ environment: some SessionEnvironment, hasFill: Bool,
        fillsOnReplica: Bool = false
    ) -> ForwardStep {
        if isPooled, let candidate {
            let analysis = analysis(of: candidate, input, environment)
            let isForPrimary = hasFill && !fillsOnReplica && !transaction.isDeferred
            let needed = isForPrimary ? .primary : demand(of: candidate, analysis, input)
            switch prepareServer(for: needed) {
            case .done: break
            case .acquire(let demand): return .acquire(demand)
            case .ask, .drain: return .openTransaction
            case .tell(let bytes): return .tell(bytes)
            }
            if discardSequences(before: analysis) { return .openTransaction }
        }
        if openTransaction() { return .openTransaction }
        if let candidate {
            if mustCompareNamed(candidate, input, environment) { return .openTransaction }
            if comparison(of: candidate, input, environment) != .none { return .openTransaction }
        }
        // Compared in vain, it fails whatever the server would answer.
        if isPooled, isUnitOpen, units[units.count - 1].failed || units[units.count - 1].staleness != nil {
            return .forwardWithoutFill
        }
        guard hasFill, let server = pooled?.server else { return .forward }
        // The server may have other defaults than the one that the key was made for, or be of the other kind.
        return server.isPrimary != fillsOnReplica && isKeyCurrent ? .forward : .forwardWithoutFill
    }

    /// How fresh a replica must be to fill the cache with the result of the unit offered; nil: no replica may, or the
    /// session is served by the primary already.
    public func fillNeeds(_ input: borrowing RawSpan, _ environment: some SessionEnvironment) -> ReadNeeds? {
        guard let pooled, !pooled.staysOnPrimary, pooled.server?.isPrimary != true, let candidate,
            case .read(let needs) = demand(of: candidate, analysis(of: candidate, input, environment), input)
        else { return nil }
        return needs
    }

    /// What the transaction in progress, or the one that is deferred, needs. Of the level `strict` each statement asks
    /// anew for all that was committed when it came, which is not known of a replica that the transaction stays on.
    var transactionDemand: ServerDemand {
        transaction.deferredIsReadOnly && level != .strict ? .readTransaction(readNeeds(nil)) : .primary
    }

    /// What the unit offered needs.
    func demand(
        of candidate: Candidate, _ analysis: StatementAnalysis, _ input: borrowing RawSpan
    ) -> ServerDemand {
        if transaction.isDeferred { return analysis.effect == .readOnly ? transactionDemand : .primary }
        guard status == .idle, units.isEmpty, !isUnitOpen else { return .primary }
        if case .begin(let form) = candidate.command(in: input) {
            return form.mayRunOnReplica && level != .strict ? .readTransaction(readNeeds(nil)) : .primary
        }
        guard case .anyNode = analysis.readRoute, !settings.hasUnseenObjects else { return .primary }
        return .read(readNeeds(analysis))
    }

    /// - Parameter analysis: Of the one statement; nil: of a transaction that is yet to come.
    func readNeeds(_ analysis: StatementAnalysis?) -> ReadNeeds {
        let reads = pooled?.reads ?? ReadTracker()
        var needs = ReadNeeds(
            level: analysis?.level ?? level, wroteAt: consistency.wroteAt, sawAt: reads.answeredAt)
        needs.shown = reads.shown
        needs.lastReplica = reads.replica
        needs.lastReplicaAt = reads.replicaAt
        needs.isSettled = reads.isSettled
        needs.avoided = pooled?.avoided
        needs.preference = analysis?.routePreference ?? settings.own.route
        needs.maxLag = settings.own.maxLag
        return needs
    }

    /// Sync and Flush outside of any unit, while the session has no server: the answer is known.
    func answerWithoutServer(_ tag: FrontendTag, _ header: MessageHeader) -> ClientStep {
        .answer(byteCount: header.byteCount, tag == .sync ? ReadyForQuery(shownStatus).encoded() : [])
    }

    // MARK: Reads on replicas

    /// Keeps the bytes of a read that has just been sent, in case it must be run again: to a replica each, for that refuses
    /// what is no read; to the primary only what is proven to be one.
    mutating func holdRead(_ input: borrowing RawSpan, _ byteCount: Int, _ analysis: StatementAnalysis) {
        guard let server = pooled?.server, let last = units.last, last.effects.isReadOnly, last.begin == nil else {
            return
        }
        if holdsReads {
            if units.count == 1 { units[0].heldRead = input.copy(0..<byteCount) }
        } else if server.isPrimary, policy.retriesReads, status == .idle, case .anyNode = analysis.readRoute,
            isAlone, byteCount <= limits.heldBytes
        {
            units[units.count - 1].unansweredRead = input.copy(0..<byteCount)
        }
    }

    /// Of what is under way the client has asked the last unit alone.
    var isAlone: Bool { units.dropLast().allSatisfy(\.isHidden) }

    /// Whether a read that is sent now is held, if it is one.
    var willHoldRead: Bool { holdsReads && units.isEmpty && !transaction.isDeferred }

    private var holdsReads: Bool {
        guard let pooled, let server = pooled.server else { return false }
        return !server.isPrimary && status == .idle && pooled.mayRunAgain
    }

    /// The step for answers to a read that is held; nil: it is held no more, and the answers are relayed as any.
    ///
    /// Nothing is relayed before it is known whether the replica will show the result. What comes before that is little.
    mutating func heldReadStep(_ input: borrowing RawSpan) throws(WireError) -> ServerStep? {
        var position = 0
        var parameters: [UInt32]?
        while let header = try MessageHeader.parse(input, at: position, limit: limits.messageBytes) {
            let end = position + header.byteCount
            let tag = BackendTag(rawValue: header.tag)
            switch tag {
            case .parseComplete, .bindComplete, .rowDescription, .noData, .parameterDescription, .noticeResponse:
                guard end <= limits.heldBytes else { return released() }
                if end > input.byteCount { return .needMore }
                if tag.describes, isStale(tag, parameters: &parameters, input, header.body(at: position)) {
                    units[0].isToRerun = true
                    units[0].failed = true
                    return .swallow(byteCount: end)
                }
                position = end
            case .errorResponse:
                guard header.byteCount <= limits.heldBytes else { return released() }
                if end > input.byteCount { return .needMore }
                let error = try ErrorResponse(in: input, body: header.body(at: position))
                guard let state = error.sqlState, let refusal = Self.refusals[state] else { return released() }
                // What only the primary can run, a client of the read-only address has no place for.
                let isForPrimary = refusal == .nodesKind
                if isForPrimary, pooled?.pooling.isReadOnly ?? false { return released() }
                if error.severity == .fatal || error.severity == .panic { return .swallow(byteCount: end) }
                pooled?.runsAgain(notOn: pooled?.server?.node, isForPrimary: isForPrimary)
                units[0].isToRerun = true
                units[0].failed = true
                return .swallow(byteCount: end)
            default: return released()
            }
        }
        return .needMore
    }

    private mutating func released() -> ServerStep? {
        units[0].heldRead = nil
        return nil
    }

    /// What a replica answers to statements that it cannot run, or not to the end: a write, a conflict with what it
    /// replays, serializable isolation, its own end (PostgreSQL `storage/ipc/procsignal.c`, `tcop/postgres.c`).
    private static let refusals: [SQLState: ReplicaRefusal] = [
        .readOnlySQLTransaction: .nodesKind, .featureNotSupported: .nodesKind, .serializationFailure: .nodesState,
        .deadlockDetected: .nodesState, .adminShutdown: .nodesState, .crashShutdown: .nodesState,
        .cannotConnectNow: .nodesState,
    ]

    private enum ReplicaRefusal {
        /// Every replica would answer so.
        case nodesKind
        /// Another may do it.
        case nodesState
    }

    // MARK: What was not routed

    /// Notes why the unit forwarded runs on the primary, if it reads and nobody chose that.
    mutating func noteUnrouted(_ analysis: StatementAnalysis) {
        guard let pooled, pooled.server?.isPrimary ?? false else { return }
        pooled.unrouted =
            switch analysis.readRoute {
            case .anyNode: pooled.needsPrimary ? .rerun : .bound
            case .primary(let refusal): refusal.rule == .notASelect ? nil : .unproven(refusal.rule)
            }
    }

    /// For the unit forwarded last, once: why it runs on the primary, unless the shell has chosen that.
    public mutating func takeUnrouted() -> UnroutedRead? {
        guard let pooled, let unrouted = pooled.unrouted else { return nil }
        pooled.unrouted = nil
        return unrouted
    }

    /// A read that might have run on a replica is sent to the primary: it shows what replicas have shown to the session, as
    /// far as that could be found out.
    public mutating func readsAtPrimary() {
        pooled?.reads.settle()
    }

    /// The server that the session has is as fresh as the unit at the front needs (`ServerDemand.confirm`).
    public mutating func confirmServer() {
        pooled?.isConfirmed = true
    }
}

extension ClientStep {
    /// The same step where a unit missed.
    var asMissStep: MissStep? {
        switch self {
        case .acquire(let demand): .acquire(demand)
        case .openTransaction, .drain: .openTransaction
        case .tell(let bytes): .tell(bytes)
        default: nil
        }
    }
}
