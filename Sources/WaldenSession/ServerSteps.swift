import DequeModule
public import WaldenCore
public import WaldenDependency
import WaldenWire

/// Where the rest of a server message goes whose beginning has been dealt with.
enum ServerSkip: Hashable {
    case relayed
    case swallowed
    case captured(UInt64)
}

extension SessionMachine {
    /// What to do with the front of the server's unread bytes. Consumes nothing by itself; the shell drops the bytes
    /// that a step counts once it has acted on it, then asks again.
    ///
    /// - Parameter now: When the bytes were read.
    public mutating func nextServerStep(_ input: borrowing RawSpan, now: Instant) -> ServerStep {
        if input.isEmpty { return .needMore }
        if phase == .transparent { return .relay(byteCount: input.byteCount) }
        if serverSkip > 0 {
            let count = min(serverSkip, input.byteCount)
            serverSkip -= count
            return serverSkipGoes.step(count)
        }
        do throws(WireError) {
            if isPooled, let step = try pooledStep(input) { return step }
            return try messageStep(input, now)
        } catch {
            return .violation(error)
        }
    }

    /// Walks over whole messages that go the same way and returns them as one step; stops before one that needs a
    /// step of its own.
    private mutating func messageStep(_ input: borrowing RawSpan, _ now: Instant) throws(WireError) -> ServerStep {
        var position = 0
        // Not `first`: a copy of a unit costs as much as the walk over a small answer.
        let way = units.isEmpty ? .relayed : units[0].way
        while let header = try MessageHeader.parse(input, at: position, limit: limits.messageBytes) {
            guard let tag = plainTag(header.tag, way) else {
                if position > 0 { break }
                return try singleStep(header, input, now)
            }
            if case .captured = way, !tag.isResult { break }
            let end = position + header.byteCount
            if end > input.byteCount {
                serverSkip = end - input.byteCount
                serverSkipGoes = way
                return way.step(input.byteCount)
            }
            position = end
        }
        return position > 0 ? way.step(position) : .needMore
    }

    /// The tag, when a message of that kind needs no look and changes nothing about the session.
    private func plainTag(_ rawValue: UInt8, _ way: ServerSkip) -> BackendTag? {
        let tag = BackendTag(rawValue: rawValue)
        switch tag {
        case .dataRow where !units.isEmpty && units[0].purpose.isInquiry: return nil
        case _ where tag.describes && !units.isEmpty && units[0].owesDescription: return nil
        case .dataRow, .rowDescription: return tag
        case .closeComplete where isPooled: return nil
        case .noticeResponse where policy.guardsCommits: return nil
        case .commandComplete:
            if case .captured = way { return tag }
            return nil
        case .bindComplete, .closeComplete, .copyData, .copyDone, .noData, .parameterDescription, .emptyQueryResponse,
            .portalSuspended, .noticeResponse, .copyOutResponse, .functionCallResponse:
            if case .captured = way { return nil }
            return tag
        default: return nil
        }
    }

    /// A message that is looked at or changes the session.
    private mutating func singleStep(
        _ header: MessageHeader, _ input: borrowing RawSpan, _ now: Instant
    ) throws(WireError) -> ServerStep {
        let tag = BackendTag(rawValue: header.tag)
        let isHidden = !units.isEmpty && units[0].isHidden
        // Whether an opaque text ran at all, the error tells.
        let awaitsVerdict =
            tag == .errorResponse && (isHidden || isPooled || units.first?.effects.isOpaque ?? false)
        let isDescription = tag.describes && !units.isEmpty && units[0].owesDescription
        let isGuarded =
            tag == .noticeResponse && policy.guardsCommits && header.byteCount <= limits.heldBytes
        if isInspected(tag) || awaitsVerdict || isDescription || isGuarded, header.byteCount > input.byteCount {
            // A description is as long as its columns and parameters are many, which PostgreSQL bounds.
            if header.byteCount <= (isDescription ? max(limits.heldBytes, 1 << 20) : limits.heldBytes) {
                return .needMore
            }
            return .violation(WireError(.lengthOutOfRange(declared: header.byteCount, limit: limits.heldBytes)))
        }
        let body = MessageHeader.byteCount..<header.byteCount
        var goesOn = !isHidden
        switch tag {
        case .readyForQuery:
            return unitEnded(header, try ReadyForQuery(in: input, body: body).status, now)
        case .parseComplete: goesOn = parseCompleted() && !isHidden
        case .closeComplete where isPooled: goesOn = closeCompleted() && !isHidden
        case .commandComplete: try commandCompleted(input, body)
        case .errorResponse:
            if let broken = breakFill() { return broken }
            let error = awaitsVerdict ? try? ErrorResponse(in: input, body: body) : nil
            failUnit(error)
            // The last word of a server that goes away is the client's, whatever was under way.
            let isLast = error?.severity == .fatal || error?.severity == .panic
            if isHidden { goesOn = isLast }
            if isPooled, !isHidden || isLast { return pooledError(error, header, input, isLast: isLast) }
        case .dataRow: inquiryAnswered(input, body)
        case .parameterStatus:
            if let broken = breakFill() { return broken }
            let status = try ParameterStatus(in: input, body: body)
            goesOn = parameterReported(status)
        case .backendKeyData where phase == .starting:
            return .backendKey(byteCount: header.byteCount, try BackendKeyData(in: input, body: body))
        case .copyInResponse:
            if let broken = breakFill() { return broken }
            copyInBegan()
        case .copyBothResponse:
            phase = .transparent
            return .becomeTransparent
        case .bindComplete, .closeComplete: break
        case _ where isDescription:
            switch try described(tag, input, body) {
            case .answer(let isHidden):
                if !isHidden { return wholeOrPart(header, input, units[0].way) }
                goesOn = false
            case .stale: return .giveUp(StaleStatements.changedResult(nil))
            }
        case .notificationResponse:
            if let broken = breakFill() { return broken }
            // It tells of a commit, which the session may look for now.
            saw(now)
            goesOn = true
        case .noticeResponse where isGuarded:
            if let end = try unconfirmedCommit(input, body) { return .giveUp(end) }
            if let broken = breakFill() { return broken }
        default:
            if let broken = breakFill() { return broken }
        }
        return wholeOrPart(header, input, goesOn ? .relayed : .swallowed)
    }

    private func isInspected(_ tag: BackendTag) -> Bool {
        switch tag {
        case .readyForQuery, .commandComplete, .parameterStatus, .backendKeyData, .dataRow: true
        default: false
        }
    }

    private mutating func wholeOrPart(
        _ header: MessageHeader, _ input: borrowing RawSpan, _ way: ServerSkip
    ) -> ServerStep {
        let count = min(header.byteCount, input.byteCount)
        serverSkip = header.byteCount - count
        serverSkipGoes = way
        return way.step(count)
    }

    /// Gives up the capture of the unit whose answers are coming in, if there is one.
    private mutating func breakFill() -> ServerStep? {
        guard let fill = units.first?.fill else { return nil }
        units[0].fill = nil
        return .fillBroken(fill)
    }

    /// Stops the capture for `fill`, e.g. because the result has grown past the limit.
    public mutating func giveUpFill(_ fill: UInt64) {
        for index in units.indices where units[index].fill == fill { units[index].fill = nil }
        if serverSkipGoes == .captured(fill) { serverSkipGoes = .relayed }
    }

    /// The keys of the rows in the result whose unit has just ended, if its fill wants them and they can be read.
    public func resultKeys(in result: borrowing RawSpan) -> ResultKeys? {
        capturedKeys?.keys(in: result)
    }

    /// Fills of units that will not be answered any more.
    public func unfinishedFills() -> [UInt64] {
        units.compactMap(\.fill)
    }

    // MARK: What the answers tell

    /// Returns whether the client is to see the answer.
    private mutating func parseCompleted() -> Bool {
        guard !units.isEmpty, units[0].answeredParses < units[0].pendingParses.count else { return true }
        let parse = units[0].pendingParses[units[0].answeredParses]
        units[0].answeredParses += 1
        pooledParseCompleted(parse)
        guard let statement = parse.statement else { return !parse.isInjected }
        if case .renamed = parse.arrival {
            if !parse.isInjected { statements.define(statement) }
        } else if parse.isInjected {
            statements.reachedServer(statement)
        } else {
            statement.isOnServer = true
            if !isPooled || !statement.name.isEmpty { statements.define(statement) }
        }
        return !parse.isInjected
    }

    private mutating func commandCompleted(_ input: borrowing RawSpan, _ body: Range<Int>) throws(WireError) {
        guard isCaching || isPooled, !units.isEmpty, !units[0].effects.isReadOnly else { return }
        let tag = try CommandComplete(in: input, body: body).tag
        switch TransactionEnd(tag: tag) {
        case .committed:
            units[0].crossedTransactionEnd = true
            settings.transactionCommitted(afterRollback: units[0].rolledBack)
        case .rolledBack:
            units[0].crossedTransactionEnd = true
            units[0].rolledBack = true
        case .statementsGone:
            if !isPooled { statements.forgetAll() } else { statementsDropped(tag: tag) }
        case .assigned: if units[0].effects.settings.isEmpty { units[0].setsTransaction = true }
        case nil: break
        }
    }

    /// Whether an ErrorResponse is the grammar's: without a context it was not raised while something ran.
    private func isSyntaxError(_ error: ErrorResponse) -> Bool {
        error.sqlState == .syntaxError && error.fields[.context] == nil && error.fields[.internalQuery] == nil
    }

    /// - Parameter error: Given for a unit that may have had any effect, or a hidden one.
    private mutating func failUnit(_ error: ErrorResponse?) {
        guard !units.isEmpty else { return }
        units[0].failed = true
        pooledUnitFailed(error)
        if units[0].isHidden {
            units[0].error = error
        } else if let error, isSyntaxError(error), units[0].effects.statementCount == 1 {
            // The unit's only text could not be parsed, so it had no effect.
            units[0].effects = UnitEffects()
        }
        // Whether the server had read the ignored Sync already when the copy failed, cannot be told.
        if units[0].awaitsSecondSync || units[0].endsByCall { isRelayOnly = true }
    }

    private mutating func copyInBegan() {
        guard let first = units.first, !first.copyEnded else { return }
        units[0].copiesIn = true
        guard first.isExtended else {
            if units.count > 1 { isRelayOnly = isRelayOnly || isPooled }
            return
        }
        if units.count > 1 {
            isRelayOnly = true
        } else if !isUnitOpen {
            units[0].awaitsSecondSync = true
        }
    }

    mutating func unitEnded(
        _ header: MessageHeader, _ newStatus: TransactionStatus, _ now: Instant
    ) -> ServerStep {
        let oldStatus = status
        status = newStatus
        guard phase == .ready else {
            phase = .ready
            return .unitEnded(byteCount: header.byteCount, fill: nil)
        }
        // Units that only relay are not counted apart in an open pipeline, hence a unit may be missing here.
        guard let unit = units.popFirst() else {
            isRelayOnly = true
            return .unitEnded(byteCount: header.byteCount, fill: nil)
        }
        forgetUndescribed(of: unit)
        if unit.isToRerun, let held = unit.heldRead {
            return .rerun(byteCount: header.byteCount, held)
        }
        if unit.isHidden {
            if case .verdict = unit.purpose {
                verdictEnded(unit, header, now)
                return .swallow(byteCount: header.byteCount)
            }
            return hiddenUnitEnded(unit).map { .giveUp($0) } ?? .swallow(byteCount: header.byteCount)
        }
        capturedKeys = unit.keyReader
        if units.isEmpty { isUnitOpen = false }
        if isCaching || isPooled { transaction.unitEnded(outcome(of: unit), from: oldStatus, to: newStatus) }
        if unit.executes, !unit.effects.isControlOnly || unit.effects.statementCount == 0 { saw(now) }
        if isCaching || isPooled, !unit.effects.isReadOnly || oldStatus != .idle {
            settings.unitEnded(
                unit.effects, failed: unit.failed, crossedTransactionEnd: unit.crossedTransactionEnd,
                rolledBack: unit.rolledBack, isIdle: newStatus == .idle)
            // A replica has refused it.
            transactionWrote = transactionWrote || unit.effects.writes && pooled?.server?.isPrimary ?? true
            if transactionWrote { consistency.wrote(now) }
            if newStatus == .idle { transactionWrote = false }
        }
        noteTransaction(unit, now)
        noteUnitEnded(unit, from: oldStatus)
        return .unitEnded(byteCount: header.byteCount, fill: unit.failed ? nil : unit.fill)
    }
}

extension ServerSkip {
    func step(_ byteCount: Int) -> ServerStep {
        switch self {
        case .relayed: .relay(byteCount: byteCount)
        case .swallowed: .swallow(byteCount: byteCount)
        case .captured(let fill): .capture(byteCount: byteCount, fill: fill)
        }
    }
}

extension Unit {
    /// Where the answers go that need no look.
    var way: ServerSkip {
        if isHidden || isToRerun { return .swallowed }
        return fill.map(ServerSkip.captured) ?? .relayed
    }
}

extension BackendTag {
    /// Whether a message of this kind is part of a result that may be kept.
    var isResult: Bool { self == .dataRow || self == .rowDescription || self == .commandComplete }

    /// Whether a message of this kind may belong to the answer to a Describe.
    var describes: Bool { self == .parameterDescription || self == .rowDescription || self == .noData }
}

/// What a command tag says about transactions and prepared statements (PostgreSQL `tcop/cmdtaglist.h`).
enum TransactionEnd {
    case committed
    /// The whole transaction, or back to a savepoint: the tag is the same.
    case rolledBack
    case statementsGone
    /// SET or RESET, also of the transaction's own characteristics.
    case assigned

    init?(tag: String) {
        switch tag {
        case "COMMIT", "PREPARE TRANSACTION": self = .committed
        case "ROLLBACK": self = .rolledBack
        case "DEALLOCATE", "DEALLOCATE ALL", "DISCARD ALL": self = .statementsGone
        case "SET", "RESET": self = .assigned
        default: return nil
        }
    }
}
