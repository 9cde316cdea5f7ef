import DequeModule
import WaldenCore
import WaldenWire

/// BEGIN is answered here and sent to the server with the first statement that needs it (docs/adr/0011).
extension SessionMachine {
    /// The answer to a BEGIN that is deferred, or to the end of a transaction that the server never saw; nil when the
    /// server must answer.
    mutating func answerTransaction(
        _ found: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> ClientStep? {
        guard units.isEmpty, let command = found.command(in: input) else { return nil }
        switch command {
        case .begin(let form):
            guard mayDefer(form, found, input, environment) else { return nil }
            transaction.began(deferring: deferral(of: declared(form), found, input, isWhole: true))
        case .commit, .rollback:
            guard transaction.isDeferred, found.isBare(in: input) else { return nil }
            transaction.endedUnseen()
        }
        switch found.source {
        case .query: statements.forgetUnnamed()
        case .execution(let statement, _): if found.parses { defineUnseen(statement) }
        }
        return .answer(byteCount: found.byteCount, found.answer(tag: command.completionTag, shownStatus))
    }

    /// A transaction command without parameters, whose Parse no server has seen.
    mutating func defineUnseen(_ statement: PreparedStatement) {
        statement.shape = .nothing
        statements.define(statement)
    }

    private func mayDefer(
        _ form: BeginForm, _ found: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> Bool {
        guard policy.defersBegin, status == .idle, !transaction.isDeferred, obstacle() == nil else { return false }
        let isolation = form.isolation ?? defaultIsolation(environment)
        return isolation?.isByStatement ?? false && found.isBare(in: input)
    }

    /// Some drivers send BEGIN and the first statement before one Sync. The answer to a BEGIN that leads such a unit,
    /// without ReadyForQuery; what follows is a unit of its own then. Nil when there is none, or it is the server's.
    mutating func answerLeadingBegin(
        _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) throws(WireError) -> ClientStep? {
        guard units.isEmpty, let found = try leadingExecution(input), case .begin(let form)? = found.command(in: input),
            case .execution(let statement, _) = found.source, mayDefer(form, found, input, environment)
        else { return nil }
        transaction.began(deferring: deferral(of: declared(form), found, input, isWhole: false))
        if found.parses { defineUnseen(statement) }
        let reply = found.answer(tag: form.tag.rawValue, shownStatus)
        let ready = ReadyForQuery(shownStatus).encoded()
        return .answer(byteCount: found.byteCount, Array(reply.dropLast(ready.count)))
    }

    /// What is sent when the server must take part: the client's own messages; or, where another server may have other
    /// defaults and none of the client's statements, a command that says the same.
    ///
    /// - Parameter isWhole: The unit ends with the command.
    private func deferral(
        of form: BeginForm, _ found: Candidate, _ input: borrowing RawSpan, isWhole: Bool
    ) -> TransactionTracker.Deferral {
        guard isPooled else {
            let messages = input.copy(0..<found.byteCount) + (isWhole ? [] : FrontendTag.syncMessage)
            return .init(messages: messages, isExtended: found.isExtended, parses: found.parses)
        }
        return .init(
            messages: Query(form.spelledOut(form.isolation ?? knownIsolation?.level ?? .readCommitted)).encoded(),
            isExtended: false,
            parses: false, mayRunOnReplica: form.isReadOnly == true && !form.isSerializable)
    }

    /// `default_transaction_read_only`, which servers report since version 14.
    var isReadOnlyByDefault: Bool { pooled?.told["default_transaction_read_only"] == "on" }

    private func declared(_ form: BeginForm) -> BeginForm { form.declaredReadOnly(byDefault: isReadOnlyByDefault) }

    /// What the client has last been told, or is about to be.
    var shownStatus: TransactionStatus { transaction.shown(status) }

    /// Before anything is sent to the server that belongs to a transaction it has not seen: whether its BEGIN had to be
    /// sent first. Then `takeInjection()` holds it, and nothing follows until it is answered: a cancel request that
    /// comes too early ends a BEGIN like any other statement, and what follows would run outside of a transaction.
    public mutating func openTransaction() -> Bool {
        guard let deferral = transaction.open() else { return false }
        var unit = Unit(isExtended: deferral.isExtended, isHidden: true)
        unit.purpose = .begin
        units.append(unit)
        if deferral.isExtended { prepareReplay(deferral) } else { pooled?.server?.unnamed = .none }
        injection += deferral.messages
        return true
    }

    /// Whether the answer to that BEGIN is still to come, or to what brings a pooled server to the session's state.
    public var isOpeningTransaction: Bool { transaction.isOpening || pooled?.awaited != nil }

    /// The statement of a deferred BEGIN must be on the server, by a Parse of its own or by the one replayed.
    private mutating func prepareReplay(_ deferral: TransactionTracker.Deferral) {
        let bytes = deferral.messages.span.bytes
        guard let header = try? MessageHeader.parse(bytes, at: 0, limit: limits.messageBytes) else { return }
        let body = MessageHeader.byteCount..<header.byteCount
        if deferral.parses {
            guard let view = try? ParseView(in: bytes, body: body) else { return }
            // It may have been replaced since; then the one that took its place is still to come.
            let current = statements.find(view.name, in: bytes)
            let isCurrent = current.map { bytes.holds($0.parseMessage, at: 0..<header.byteCount) } ?? false
            units[units.count - 1].pendingParses.append(
                .init(statement: isCurrent ? current : nil, isInjected: true))
        } else if let view = try? BindView(in: bytes, body: body),
            let known = statements.find(view.statement, in: bytes)
        {
            inject(known)
        }
    }

    // MARK: The session's default isolation level

    /// The level that BEGIN takes when it names none; nil when it is not known. No message tells of the setting, so the
    /// server is asked, once, and again after whatever may have changed it.
    func defaultIsolation(_ environment: some SessionEnvironment) -> BeginForm.Isolation? {
        guard let known = knownIsolation, known.basis == isolationBasis(environment) else { return nil }
        return known.level
    }

    private func isolationBasis(_ environment: some SessionEnvironment) -> IsolationBasis {
        IsolationBasis(settings: settings.isolationRevision, catalog: environment.catalogGeneration)
    }

    /// Asks the server for its default, ahead of a BEGIN that could have been deferred had it been known.
    mutating func inquireIsolation(_ command: TransactionCommand?, _ environment: some SessionEnvironment) {
        // What has been overtaken by another reading of the catalog must not be used when BEGIN is answered.
        if defaultIsolation(environment) == nil { knownIsolation = nil }
        guard case .begin(let form) = command, form.isolation == nil, policy.defersBegin, units.isEmpty,
            status == .idle, obstacle() == nil, knownIsolation == nil
        else { return }
        var unit = Unit(isExtended: true, isHidden: true)
        unit.purpose = .isolationInquiry
        unit.pendingParses = [.init(statement: nil, isInjected: true)]
        units.append(unit)
        inquiryBasis = isolationBasis(environment)
        injection += Self.inquiry
    }

    /// By a named statement that is closed at once, so that the client's unnamed one stays.
    private static let inquiry: [UInt8] = {
        let name = "walden isolation inquiry"
        return Parse(name: name, query: "SHOW default_transaction_isolation").encoded()
            + Bind(statement: name).encoded() + Execute().encoded() + Close(.statement, name: name).encoded()
            + Sync().encoded()
    }()

    /// A row of the answer has come.
    mutating func inquiryAnswered(_ input: borrowing RawSpan, _ body: Range<Int>) {
        guard let row = try? DataRow(in: input, body: body) else { return }
        switch units.first?.purpose {
        case .defaultsInquiry: return defaultsAnswered(row.values)
        case .census: return censusAnswered(row.values)
        case .naming: return namingAnswered(row.values)
        case .verdict: return verdictAnswered(row.values)
        default: break
        }
        guard let basis = inquiryBasis, row.values.count == 1, let value = row.values[0] else { return }
        let name = String(decoding: value, as: UTF8.self).uppercased()
        knownIsolation = BeginForm.Isolation(rawValue: name).map { KnownIsolation(level: $0, basis: basis) }
    }

    /// A hidden unit ended. The error that ends the session, when there is no way on.
    mutating func hiddenUnitEnded(_ unit: Unit) -> ErrorResponse? {
        if case .defaultsInquiry = unit.purpose { defaultsInquiryEnded() }
        if let error = pooledHiddenUnitEnded(unit) { return error }
        guard case .begin = unit.purpose else { return nil }
        transaction.opened(status)
        guard !transaction.isDeferred else {
            // Once it may have been a cancel request that came early; what was asked for has not begun yet.
            guard transaction.refusals > 1 || status != .idle else { return nil }
            let fields = unit.error?.fields
            return ErrorResponse(
                severity: .fatal, sqlState: fields?.sqlState ?? .internalError,
                message: fields?.message ?? "the server did not begin the transaction",
                detail: "The transaction's BEGIN had been answered by Walden before the server saw it.")
        }
        return nil
    }

    // MARK: What units do to a transaction

    func outcome(of unit: Unit) -> TransactionTracker.UnitOutcome {
        var outcome = TransactionTracker.UnitOutcome()
        let effects = unit.effects
        if effects.statementCount == 1, !unit.failed, let form = unit.begin {
            outcome.began =
                form.isolation
                ?? knownIsolation.flatMap { known in
                    known.basis.settings == settings.isolationRevision ? known.level : nil
                }
        }
        outcome.crossedEnd = unit.crossedTransactionEnd
        outcome.isMixed = effects.statementCount != 1
        let assigns = !effects.settings.isEmpty && !(effects.assignsOwnSettingsOnly && effects.statementCount == 1)
        outcome.disturbs =
            effects.writes || effects.isOpaque || effects.createsTemporaryObjects || assigns || unit.setsTransaction
        return outcome
    }
}

/// What the answer to `SHOW default_transaction_isolation` rests on.
struct IsolationBasis: Hashable, Sendable {
    /// The session's own assignments.
    let settings: UInt64
    /// The server's configuration file, as far as it is polled.
    let catalog: UInt64
}

struct KnownIsolation: Hashable, Sendable {
    let level: BeginForm.Isolation
    let basis: IsolationBasis
}

extension Candidate {
    var isExtended: Bool {
        if case .execution = source { true } else { false }
    }

    func command(in input: borrowing RawSpan) -> TransactionCommand? {
        switch source {
        case .query(let text): TransactionCommand(text, in: input)
        case .execution(let statement, _): statement.command
        }
    }

    /// Without parameters, declared or given, so that the server could not object to them.
    func isBare(in input: borrowing RawSpan) -> Bool {
        guard case .execution(let statement, let binding) = source else { return true }
        guard statement.types.count == MemoryLayout<Int16>.size else { return false }
        return (try? binding.parameters(in: input))?.values.isEmpty ?? false
    }

    /// The messages that the server would answer with to a command without rows.
    func answer(tag: String, _ status: TransactionStatus) -> [UInt8] {
        var bytes: [UInt8] = []
        if isExtended {
            if parses { ParseComplete().encode(into: &bytes) }
            BindComplete().encode(into: &bytes)
            if describes { NoData().encode(into: &bytes) }
        }
        CommandComplete(tag).encode(into: &bytes)
        if closesPortal { CloseComplete().encode(into: &bytes) }
        ReadyForQuery(status).encode(into: &bytes)
        return bytes
    }
}

extension RawSpan {
    /// The byte at `offset`, which must lie within.
    func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
