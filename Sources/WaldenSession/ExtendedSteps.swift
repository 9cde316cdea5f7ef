import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

extension SessionMachine {
    /// One extended-protocol message at the front: part of a candidate, or forwarded by itself.
    mutating func extendedStep(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan,
        _ environment: some SessionEnvironment
    ) throws(WireError) -> ClientStep {
        if awaitsStatement(tag, header, input) { return .drain }
        if let step = stepBeforeNaming(tag, header, input, environment) { return step }
        var bypass: Bypass?
        if !isUnitOpen, tag == .parse || tag == .bind {
            switch try scanExecution(input) {
            case .incomplete: return .needMore
            case .found(let found): return offer(found, input, environment)
            case .other(let reason):
                if let answered = try answerLeadingBegin(input, environment) { return answered }
                bypass = reason
            }
        }
        // With a body they are refused, which is the server's to say.
        let asksForNothing = (tag == .sync || tag == .flush) && header.byteCount == MessageHeader.byteCount
        if isPooled, !isUnitOpen, asksForNothing, !hasServer, !transaction.isDeferred {
            return answerWithoutServer(tag, header)
        }
        if let step = stepBeforeMessage() { return step }
        if openTransaction() { return .openTransaction }
        if let name = statementName(tag, header, input) {
            switch comparison(of: name, in: input, environment, forDescribe: tag == .describe) {
            case .none: break
            case .ask: return .openTransaction
            case .drain: return .drain
            }
        }
        return try forwardMessage(tag, header, input, environment, bypass: bypass)
    }

    /// Whether what becomes of the message hangs on the Parse or Close of an earlier unit, which may fail before it gets
    /// there: a pooled server that has the statement from elsewhere would not show that.
    private mutating func awaitsStatement(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan
    ) -> Bool {
        let earlier = units.count - (isUnitOpen ? 1 : 0)
        guard isPooled, !isRelayOnly, earlier > 0 else { return false }
        let body = MessageHeader.byteCount..<min(header.byteCount, input.byteCount)
        var name: Range<Int>?
        var definition: Range<Int>?
        switch tag {
        case .parse:
            guard header.byteCount <= input.byteCount, let view = try? ParseView(in: input, body: body) else { break }
            name = view.name
            definition = view.query.lowerBound..<header.byteCount
        case .bind: name = (try? BindView(in: input, body: body))?.statement
        case .describe:
            let view = try? DescribeView(in: input, body: body)
            name = view?.kind == .statement ? view?.name : nil
        case .close:
            let view = try? CloseView(in: input, body: body)
            name = view?.kind == .statement ? view?.name : nil
        default: break
        }
        guard let name, !name.isEmpty else { return false }
        for index in 0..<earlier where !units[index].failed {
            if units[index].change(of: name, in: input) != nil { return true }
            if let definition, units[index].parses(definition, in: input) { return true }
        }
        guard definition == nil, case .statement(let statement) = known(name, in: input) else { return false }
        let message = statement.parseMessage
        let bytes = message.span.bytes
        let own = statement.text.lowerBound..<message.count
        return (0..<earlier).contains { !units[$0].failed && units[$0].parses(own, in: bytes) }
    }

    /// The name of the statement that a Bind or Describe at the front means, of which `input` may hold the beginning.
    private func statementName(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan
    ) -> Range<Int>? {
        guard isPooled else { return nil }
        let body = MessageHeader.byteCount..<min(header.byteCount, input.byteCount)
        switch tag {
        case .bind: return (try? BindView(in: input, body: body))?.statement
        case .describe:
            let view = try? DescribeView(in: input, body: body)
            return view?.kind == .statement ? view?.name : nil
        default: return nil
        }
    }

    /// Forwards one message of a unit that is no candidate, noting what it does to the session.
    private mutating func forwardMessage(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan,
        _ environment: some SessionEnvironment, bypass: Bypass?
    ) throws(WireError) -> ClientStep {
        let isHeld = header.byteCount <= limits.heldBytes
        if isHeld, header.byteCount > input.byteCount { return .needMore }
        openUnit()
        let last = units.count - 1
        let available = MessageHeader.byteCount..<min(header.byteCount, input.byteCount)
        var replaced = 0
        if isPooled { refuseStale() }
        switch tag {
        case .parse where isHeld: replaced = try noteParse(input, 0..<header.byteCount, environment)
        case .parse: noteLongParse(input, available)
        case .bind:
            // The names stand first, so that a Bind too long to hold is understood as far as it matters.
            guard let view = try? BindView(in: input, body: available) else {
                units[last].effects.add(.opaque)
                units[last].isSuspect = true
                break
            }
            noteBind(view.statement, input, environment)
            replaced = rename(input, from: 0, named: view.statement, byteCount: header.byteCount, environment)
        case .describe:
            let view = try DescribeView(in: input, body: available)
            guard view.kind == .statement else { break }
            if goesByOwnName(view.name), !isParsedInLastUnit(view.name, input),
                let statement = statements.find(view.name, in: input)
            {
                inject(statement)
            }
            replaced = rename(input, from: 0, named: view.name, byteCount: header.byteCount, environment)
            noteDescribe(view.name, input)
        case .close:
            let view = try CloseView(in: input, body: available)
            if view.kind == .statement {
                replaced = sendClose(input, named: view.name, byteCount: header.byteCount)
            } else {
                noteClose(.portal)
            }
        case .execute: units[last].executes = true
        case .sync: syncSent()
        default: break
        }
        let (count, rest) = streamed(header, input)
        clientSkip = rest
        clientSkipIsDropped = false
        return .forward(byteCount: count, replacing: replaced, bypass: bypass)
    }

    private mutating func noteParse(
        _ input: borrowing RawSpan, _ message: Range<Int>, _ environment: some SessionEnvironment
    ) throws(WireError) -> Int {
        let view = try ParseView(in: input, body: MessageHeader.byteCount..<message.upperBound)
        let analysis = analyse(view.query, in: input, environment)
        note(analysis, isPrepared: true)
        if namesStatements(analysis) { injectDeferred(named: view.query, in: input, analysis) }
        let isTaken = provideTaken(view.name, input)
        defer { if isTaken { markDoomed() } }
        return sendParse(
            PreparedStatement(parsing: view, message: message, in: input), input,
            isDescribed: isPooled && !isTaken && isToBeDescribed(view.name, from: message.upperBound, input),
            environment)
    }

    /// Whether Walden must ask what a statement is whose Parse ends at `end`: the client's next message does not, nor
    /// executes an unnamed one at once.
    private func isToBeDescribed(_ name: Range<Int>, from end: Int, _ input: borrowing RawSpan) -> Bool {
        guard let next = try? MessageHeader.parse(input, at: end, limit: limits.messageBytes) else { return true }
        switch FrontendTag(rawValue: next.tag) {
        case .bind: return !name.isEmpty
        case .describe:
            let body = (end + MessageHeader.byteCount)..<min(end + next.byteCount, input.byteCount)
            guard let view = try? DescribeView(in: input, body: body) else { return true }
            return view.kind != .statement || !input.holds(input.copy(name), at: view.name)
        default: return true
        }
    }

    /// A Parse too long to hold: its statement is one of the server's, by the client's name.
    private mutating func noteLongParse(_ input: borrowing RawSpan, _ body: Range<Int>) {
        let last = units.count - 1
        units[last].effects.add(.opaque)
        units[last].isSuspect = true
        injectDeferred()
        pooled?.server?.unnamed = .unknown
        units[last].pendingParses.append(.init(statement: nil, isInjected: false))
    }

    /// The server will refuse the Parse sent last.
    private mutating func markDoomed() {
        let last = units.count - 1
        let parse = units[last].pendingParses.count - 1
        if isPooled, parse >= 0 { units[last].pendingParses[parse].isDoomed = true }
    }

    /// What a name means before it is given to another statement. Returns whether it is taken.
    private mutating func provideTaken(_ name: Range<Int>, _ input: borrowing RawSpan) -> Bool {
        if name.isEmpty {
            // The server drops its unnamed statement before it looks at the new one.
            statements.forgetUnnamed()
            return false
        } else if case .statement(let taken) = known(name, in: input) {
            // The server must know the first one, to refuse the second.
            if !isPooled { inject(taken) } else if renames { takeName(taken.name) } else { takeOwnName(of: taken) }
            return true
        }
        return false
    }

    private mutating func noteBind(
        _ name: Range<Int>, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) {
        let last = units.count - 1
        // Its effect was counted with its Parse.
        if isParsedInLastUnit(name, input) { return }
        let found: PreparedStatement?
        if isPooled, case .statement(let statement) = known(name, in: input) {
            found = statement
        } else {
            found = isPooled ? nil : statements.find(name, in: input)
        }
        guard let statement = found else {
            // Of a pooled session's statements all are known but those that SQL has prepared, which the census counts.
            units[last].effects.add(isPooled && !hasPreparedSettings ? .preparedStatements : .opaque)
            return
        }
        let analysis = analyse(statement, environment)
        note(analysis, isPrepared: true)
        if namesStatements(analysis) { injectDeferred(named: statement, analysis) }
        if goesByOwnName(name) { inject(statement) }
    }

    /// Whether the last unit itself parses the statement, so that the one known by that name so far is not meant.
    private func isParsedInLastUnit(_ name: Range<Int>, _ input: borrowing RawSpan) -> Bool {
        for parse in units[units.count - 1].pendingParses {
            if parse.isInjected, parse.statement == nil { continue }
            guard let statement = parse.statement else { return true }
            if input.holds(statement.name, at: name) { return true }
        }
        return false
    }

    // MARK: Units

    mutating func openUnit() {
        guard !isUnitOpen else { return }
        isUnitOpen = true
        if units.count == 1, units[0].awaitsSecondSync { return }
        units.append(Unit(isExtended: true))
    }

    mutating func syncSent() {
        isUnitOpen = false
        if units.count == 1 { units[0].awaitsSecondSync = false }
    }

    // MARK: Deferred statements

    /// Sends the Parse of a deferred statement ahead of what needs it in the last unit.
    mutating func inject(_ statement: PreparedStatement) {
        let last = units.count - 1
        guard last >= 0, !statement.isOnServer, units[last].staleness == nil else { return }
        // Its Parse may be on its way in this unit or an earlier one.
        for unit in units where !unit.failed {
            for parse in unit.pendingParses[unit.answeredParses...] where parse.statement === statement {
                if parse.arrival == .own { return }
            }
        }
        if isPooled { return injectOwn(statement) }
        injection += statement.parseMessage
        units[last].pendingParses.append(.init(statement: statement, isInjected: true))
    }
}

extension FrontendTag {
    static let syncMessage: [UInt8] = [FrontendTag.sync.rawValue, 0, 0, 0, 4]
    static let flushMessage: [UInt8] = [FrontendTag.flush.rawValue, 0, 0, 0, 4]
}
