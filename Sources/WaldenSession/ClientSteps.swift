import DequeModule
public import WaldenCore
import WaldenDependency
import WaldenWire

extension SessionMachine {
    /// What to do with the front of the client's unread bytes. Consumes nothing by itself: the shell drops the bytes
    /// that a step counts once it has acted on it, then asks again.
    public mutating func nextClientStep(
        _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> ClientStep {
        do throws(WireError) {
            if input.isEmpty { return .needMore }
            if phase == .transparent { return .forward(byteCount: input.byteCount, bypass: nil) }
            if clientSkip > 0 { return forwardSkipped(input) }
            guard let header = try MessageHeader.parse(input, at: 0, limit: limits.messageBytes) else {
                return .needMore
            }
            if phase == .starting { return startingStep(header, input) }
            return isCaching || isPooled ? try readyStep(header, input, environment) : relayStep(header, input)
        } catch {
            return .violation(error)
        }
    }

    private mutating func forwardSkipped(_ input: borrowing RawSpan) -> ClientStep {
        let count = min(clientSkip, input.byteCount)
        clientSkip -= count
        return clientSkipIsDropped ? .answer(byteCount: count, []) : .forward(byteCount: count, bypass: nil)
    }

    /// While the server authenticates, only answers to it may pass; what else the client sends already waits.
    private mutating func startingStep(_ header: MessageHeader, _ input: borrowing RawSpan) -> ClientStep {
        switch FrontendTag(rawValue: header.tag) {
        case .password: return stream(header, input)
        case .terminate: return .terminate(byteCount: min(header.byteCount, input.byteCount))
        default: return .drain
        }
    }

    private mutating func readyStep(
        _ header: MessageHeader, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) throws(WireError) -> ClientStep {
        let tag = FrontendTag(rawValue: header.tag)
        if let doubt = pooled?.doubt { return doubtStep(doubt) }
        if transaction.isOpening || pooled?.awaited != nil, tag != .terminate { return .drain }
        switch tag {
        case .query, .parse, .bind, .functionCall:
            if units.count >= limits.unitsUnderWay { return .drain }
        default: break
        }
        if isPooled, tag == .sync || tag == .flush, units.count == 1, units[0].isCopyingIn, !units[0].isExtended {
            return stream(header, input)
        }
        switch tag {
        case .query: return try queryStep(header, input, environment)
        case .parse, .bind, .describe, .execute, .close, .sync, .flush:
            return try extendedStep(tag, header, input, environment)
        case .functionCall: return functionCallStep(header, input)
        case .copyDone, .copyFail, .copyData:
            // Outside of COPY a server drops them, which it need not be asked for.
            if isPooled, units.isEmpty { return drop(header, input) }
            if tag != .copyData, !units.isEmpty { units[units.count - 1].copyEnded = true }
            return stream(header, input)
        case .terminate: return .terminate(byteCount: min(header.byteCount, input.byteCount))
        default: return .violation(WireError(.unknownTag(header.tag)))
        }
    }

    private mutating func functionCallStep(_ header: MessageHeader, _ input: borrowing RawSpan) -> ClientStep {
        if let step = stepBefore(demand: .primary) { return step }
        if openTransaction() { return .openTransaction }
        var unit = Unit(isExtended: false)
        unit.executes = true
        if !isPooled || !LargeObjectFunctions.isCalled(by: input) {
            unit.effects.add(.opaque)
            unit.isSuspect = true
        } else {
            unit.effects.add(.writes)
        }
        units.append(unit)
        return stream(header, input)
    }

    /// Forwards what has come of the message at the front, and the rest of it as it comes.
    func streamed(_ header: MessageHeader, _ input: borrowing RawSpan) -> (count: Int, rest: Int) {
        let count = min(header.byteCount, input.byteCount)
        return (count, header.byteCount - count)
    }

    private mutating func stream(
        _ header: MessageHeader, _ input: borrowing RawSpan, bypass: Bypass? = nil
    ) -> ClientStep {
        let (count, rest) = streamed(header, input)
        clientSkip = rest
        clientSkipIsDropped = false
        return .forward(byteCount: count, bypass: bypass)
    }

    /// The same, but the server does not get it.
    private mutating func drop(_ header: MessageHeader, _ input: borrowing RawSpan) -> ClientStep {
        let (count, rest) = streamed(header, input)
        clientSkip = rest
        clientSkipIsDropped = true
        return .answer(byteCount: count, [])
    }

    // MARK: Simple protocol

    private mutating func queryStep(
        _ header: MessageHeader, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) throws(WireError) -> ClientStep {
        guard header.byteCount <= limits.heldBytes else {
            if let step = stepBeforeMessage() { return step }
            if openTransaction() { return .openTransaction }
            injectDeferredBeforeQuery(in: input)
            pushQuery(fill: nil)
            units[units.count - 1].effects.add(.opaque)
            units[units.count - 1].isSuspect = true
            return stream(header, input, bypass: .tooLong)
        }
        guard header.byteCount <= input.byteCount else { return .needMore }
        let view = try QueryView(in: input, body: MessageHeader.byteCount..<header.byteCount)
        let found = Candidate(
            byteCount: header.byteCount, source: .query(text: view.text), parses: false, describes: false,
            closesPortal: false)
        return offer(found, input, environment)
    }

    /// A Query ends an extended unit that had no Sync: the server answers both with one ReadyForQuery.
    mutating func pushQuery(fill: UInt64?) {
        if isUnitOpen {
            isUnitOpen = false
            units[units.count - 1].endsByCall = true
        } else {
            units.append(Unit(isExtended: false, fill: fill))
        }
        units[units.count - 1].executes = true
        // The server drops it before it reads the text.
        pooled?.server?.unnamed = .none
    }

    /// Offers a candidate for lookup, or forwards it when the session may not hit now.
    mutating func offer(
        _ found: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> ClientStep {
        if let answered = answerTransaction(found, input, environment) { return answered }
        candidate = found
        candidateKeys = nil
        guard isCaching else { return forwardCandidate(input, environment, nil) }
        if let obstacle = obstacle() { return forwardCandidate(input, environment, obstacle) }
        if !knowsDefaults(environment) {
            // Nothing is asked for the sake of a statement that is the server's anyway.
            let analysis = analysis(of: found, input, environment)
            if analysis.effect != .readOnly, case .uncacheable(let refusal) = analysis.verdict {
                return forwardCandidate(input, environment, .refused(refusal.rule))
            }
            if let step = stepBefore(found, analysis, input) { return step }
            switch askForDefaults(environment) {
            case .asked: return .openTransaction
            case .awaited: return .drain
            case .unknown: return forwardCandidate(input, environment, .sessionDefaults)
            }
        }
        guard beginKey(environment) else { return forwardCandidate(input, environment, .tooManySessions) }
        guard isShapeKnown(of: found, environment) else {
            return forwardCandidate(input, environment, .unknownStatement)
        }
        appendKey(of: found, in: input)
        return .lookup
    }

    private mutating func forwardCandidate(
        _ input: borrowing RawSpan, _ environment: some SessionEnvironment, _ bypass: Bypass?
    ) -> ClientStep {
        if isPooled, let candidate {
            if awaitsName(candidate, input) { return .drain }
            let analysis = analysis(of: candidate, input, environment)
            if let step = stepBefore(candidate, analysis, input) { return step }
            self.candidate?.analysis = analysis
        }
        if openTransaction() { return .openTransaction }
        if let candidate {
            if mustCompareNamed(candidate, input, environment) { return .openTransaction }
            switch comparison(of: candidate, input, environment) {
            case .none: break
            case .ask: return .openTransaction
            case .drain: return .drain
            }
        }
        let sent = forwardUnit(input, environment, fill: nil)
        return .forward(byteCount: sent.byteCount, replacing: sent.replacing, bypass: bypass)
    }

    /// The cache has the answer to the unit offered. Nil when it must wait: units are under way whose answers come
    /// first. The shell drops the bytes that the frame counts.
    ///
    /// - Parameter position: The hit shows the state there, or at one before; nil: `saw(resultOf:endedAt:)` has told what
    ///   it shows.
    public mutating func hitAccepted(showing position: LSN? = nil) -> HitFrame? {
        guard let candidate, units.isEmpty else { return nil }
        self.candidate = nil
        consistency.hit()
        if let position { pooled?.reads.shown = position }
        pooled?.unitAnswered()
        if candidate.parses, case .execution(let statement, _) = candidate.source { statements.define(statement) }
        return HitFrame(
            byteCount: candidate.byteCount, parseComplete: candidate.parses, bindComplete: candidate.isExtended,
            closeComplete: candidate.closesPortal, isInTransaction: shownStatus != .idle)
    }

    /// The cache does not have the answer to the unit offered.
    public mutating func missed(_ input: borrowing RawSpan, _ environment: some SessionEnvironment) -> MissStep {
        guard let candidate else { return .pass(.pipeline) }
        let analysis = analysis(of: candidate, input, environment)
        if transaction.isDeferred, let step = stepBeforeMessage(of: analysis.effect)?.asMissStep { return step }
        if openTransaction() { return .openTransaction }
        // If the catalog, or the server's configuration, has been read anew since, the older generation gets refused.
        let generation = keyGeneration
        // Of a transaction on a replica it is not known what its first statement saw.
        if let server = pooled?.server, !server.isPrimary, status != .idle || transaction.isDeferred {
            return .pass(.replica)
        }
        switch analysis.verdict {
        case .uncacheable(let refusal): return .pass(.refused(refusal.rule))
        case .cacheable(let plan):
            var bound: [BoundParameter] = []
            var formats: [FormatCode] = []
            if case .execution(let statement, let binding) = candidate.source {
                guard let parameters = try? parameters(of: statement, binding, in: input) else {
                    return .pass(.refused(.parameter))
                }
                bound = parameters.values
                formats = parameters.resultFormats
            }
            do throws(Refusal) {
                let dependencies = try plan.bind(bound)
                candidateKeys = dependencies.resultKeys.map { ResultKeyReader(plan: $0, formats: formats) }
                return .fill(dependencies, generation: generation, policy: analysis.policy, level: analysis.level)
            } catch {
                return .pass(.refused(error.rule))
            }
        }
    }

    func analysis(
        of candidate: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> StatementAnalysis {
        if let analysis = candidate.analysis { return analysis }
        return switch candidate.source {
        case .query(let text): analyse(text, in: input, environment)
        case .execution(let statement, _): analyse(statement, environment)
        }
    }

    func analyse(_ statement: PreparedStatement, _ environment: some SessionEnvironment) -> StatementAnalysis {
        let message = statement.parseMessage
        let bytes = message.span.bytes
        return analyse(statement.text, in: bytes, environment)
    }

    /// Sends the unit offered to the server; its result is captured for `fill`. Returns the bytes to forward.
    public mutating func forwardUnit(
        _ input: borrowing RawSpan, _ environment: some SessionEnvironment, fill: UInt64?
    ) -> Forwarding {
        guard let candidate else { return Forwarding(byteCount: 0) }
        self.candidate = nil
        let analysis = analysis(of: candidate, input, environment)
        let command = candidate.command(in: input)
        inquireIsolation(command, environment)
        var replaced = 0
        let deallocated = deallocated(candidate, input)
        switch candidate.source {
        case .query(let text):
            statements.forgetUnnamed()
            if let deallocated {
                provideDeallocatedBeforeQuery(deallocated)
            } else if namesStatements(analysis, command: candidate, input) {
                injectDeferredBeforeQuery(named: text, in: input, analysis)
            }
            pushQuery(fill: fill)
        case .execution(let statement, _):
            if isUnitOpen {
                // It holds what had to be compared before.
                isUnitOpen = false
                units[units.count - 1].fill = fill
            } else {
                units.append(Unit(isExtended: true, fill: fill))
            }
            if !isPooled {
                if candidate.parses {
                    units[units.count - 1].pendingParses.append(.init(statement: statement, isInjected: false))
                } else {
                    inject(statement)
                }
            }
            if let deallocated {
                provideDeallocated(deallocated)
            } else if namesStatements(analysis, command: candidate, input) {
                injectDeferred(named: statement, analysis)
            }
            if isPooled { replaced = sendExecution(candidate, statement, input, environment) }
            units[units.count - 1].executes = true
        }
        units[units.count - 1].deallocates = deallocated
        if fill != nil { units[units.count - 1].keyReader = candidateKeys }
        candidateKeys = nil
        if case .begin(let form) = command { units[units.count - 1].begin = form }
        if isPooled { units[units.count - 1].dropsStatements = candidate.dropsStatements(analysis, in: input) }
        if command == .commit { units[units.count - 1].endsTransaction = true }
        if command == .rollback { units[units.count - 1].isRollback = true }
        noteUnrouted(analysis)
        note(analysis, isPrepared: candidate.parses)
        // It binds the session to nothing.
        if deallocated != nil, renames { units[units.count - 1].isSuspect = false }
        holdRead(input, candidate.byteCount, analysis)
        if command == .commit { holdCommit(candidate, input) }
        return Forwarding(byteCount: candidate.byteCount, replacing: replaced)
    }
}

extension SessionEffect {
    /// Whether the statement may name prepared statements, so that deferred ones must reach the server before it.
    var mayTouchStatements: Bool {
        switch self {
        case .readOnly, .writes, .transactionControl: false
        case .settings, .preparedStatements, .temporaryObjects, .opaque: true
        }
    }
}
