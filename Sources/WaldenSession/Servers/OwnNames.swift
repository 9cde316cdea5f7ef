import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

/// Statements under the client's own names, as long as SQL may name them: then a pooled server holds these and none of
/// Walden's, so that EXECUTE, DEALLOCATE, PREPARE and `pg_prepared_statements` find what they would find on a server of
/// the client's own.
extension SessionMachine {
    /// Sends deferred statements ahead of a Query that may name them. They need a Sync of their own: after an error the
    /// server skips to the next Sync, and a Query is none.
    ///
    /// - Parameters:
    ///   - text: Of the Query; nil: it may name any.
    ///   - analysis: Of it.
    mutating func injectDeferredBeforeQuery(
        named text: Range<Int>? = nil, in bytes: borrowing RawSpan, _ analysis: StatementAnalysis? = nil
    ) {
        // A transaction that has failed takes no Parse, and no command that could name a statement.
        if isPooled, status == .failed { return }
        let deferred = deferred(named: text, in: bytes, analysis)
        units.append(Unit(isExtended: true, isHidden: true))
        let before = injection.count
        takeOwnNames()
        guard isPooled else {
            for statement in deferred { inject(statement) }
            return endPreparation(since: before)
        }
        endPreparation(since: before)
        // One that can be parsed no more must not keep the others away.
        for statement in deferred {
            units.append(Unit(isExtended: true, isHidden: true))
            let before = injection.count
            inject(statement)
            endPreparation(since: before)
        }
    }

    mutating func endPreparation(since count: Int) {
        if injection.count > count { injection += FrontendTag.syncMessage } else { units.removeLast() }
    }

    /// The same within the last, extended unit.
    mutating func injectDeferred(
        named text: Range<Int>? = nil, in bytes: borrowing RawSpan, _ analysis: StatementAnalysis? = nil
    ) {
        let deferred = deferred(named: text, in: bytes, analysis)
        takeOwnNames()
        for statement in deferred { inject(statement) }
    }

    mutating func injectDeferred(named statement: PreparedStatement, _ analysis: StatementAnalysis) {
        let message = statement.parseMessage
        injectDeferred(named: statement.text, in: message.span.bytes, analysis)
    }

    /// Any of them may be named.
    mutating func injectDeferred() {
        let none: [UInt8] = []
        injectDeferred(in: none.span.bytes)
    }

    private func deferred(
        named text: Range<Int>?, in bytes: borrowing RawSpan, _ analysis: StatementAnalysis?
    ) -> [PreparedStatement] {
        guard isPooled, let text, let analysis, !analysis.effects.contains(.opaque),
            !Self.namesAll.contains(where: { bytes.mentions($0, in: text) })
        else { return statements.deferred }
        return statements.deferred.filter { bytes.mentions($0.name, in: text) }
    }

    /// Words in texts that may mean any statement.
    private static let namesAll = ["all", "pg_prepared_statements", "pg_prepared_statement"].map { Array($0.utf8) }

    /// From the last unit on, until the session is seen at rest without statements of SQL's.
    private mutating func takeOwnNames() {
        guard let pooled, let server = pooled.server, renames else { return }
        pooled.usesOwnNames = true
        for serial in server.statements.serials {
            RenamedMessage.appendClose(of: ServerStatements.name(serial), to: &injection)
            noteClose(.hidden(serial))
        }
        let others =
            server.ownStatements.sorted { $0.lexicographicallyPrecedes($1) }
            + server.censuses.map(Census.name).sorted().map { Array($0.utf8) }
        for name in others {
            RenamedMessage.appendClose(of: name, to: &injection)
            noteClose(.hidden(nil))
        }
        server.ownStatements.removeAll()
        server.censuses.removeAll()
    }

    /// The Parse of a statement under the client's name, in the last unit; it needs no other any more.
    mutating func injectOwn(_ statement: PreparedStatement) {
        guard let server = pooled?.server else { return }
        let last = units.count - 1
        let verdict = statement.verdict
        statement.verdict = nil
        if case .obstructed(let error) = verdict {
            return obstruct(statement, error)
        }
        if let obstacle = statement.obstacle, obstacle.isPlaced || isUnderWay(obstacle) {
            guard verdict != nil || statement.shape == nil else { return }
            statement.obstacle = nil
            RenamedMessage.appendClose(of: statement.name, to: &injection)
            noteClose(.hidden(nil))
        }
        RenamedMessage.appendParse(of: statement, as: statement.name, to: &injection)
        units[last].pendingParses.append(.init(statement: statement, isInjected: true))
        guard let number = statement.standIn ?? statement.number, let serial = server.statements.use(number.value)
        else {
            return
        }
        RenamedMessage.appendClose(of: ServerStatements.name(serial), to: &injection)
        noteClose(.hidden(serial))
    }

    /// The same where the server has the statements that SQL may name.
    mutating func takeOwnName(of statement: PreparedStatement) {
        if isUnderOwnName(statement) { return }
        if let obstacle = statement.obstacle, obstacle.isPlaced || isUnderWay(obstacle) { return }
        obstruct(statement, StaleStatements.changedResult(nil))
    }

    /// Takes a statement's name on the server, by an empty one: that can always be parsed, also where what the statement
    /// reads is gone, or the transaction has failed.
    mutating func takeName(_ name: [UInt8]) {
        guard let server = pooled?.server, server.ownStatements.insert(name).inserted else { return }
        injection += Parse(name: String(decoding: name, as: UTF8.self), query: "").encoded()
        units[units.count - 1].pendingParses.append(.init(statement: nil, isInjected: true))
    }

    /// What must happen before a message of an open unit whose text may name statements: those of the unit itself must
    /// be known by then, so the server is asked for its answers.
    mutating func stepBeforeNaming(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> ClientStep? {
        guard isPooled, renames, isUnitOpen, !isRelayOnly, tag == .parse || tag == .bind,
            header.byteCount <= input.byteCount
        else { return nil }
        let last = units.count - 1
        guard units[last].answeredParses < units[last].pendingParses.count || units[last].owesDescription,
            !units[last].failed
        else { return nil }
        let body = MessageHeader.byteCount..<header.byteCount
        let analysis: StatementAnalysis
        if tag == .parse {
            guard let view = try? ParseView(in: input, body: body) else { return nil }
            analysis = analyse(view.query, in: input, environment)
        } else {
            guard let name = (try? BindView(in: input, body: body))?.statement,
                case .statement(let statement) = known(name, in: input)
            else { return nil }
            analysis = analyse(statement, environment)
        }
        guard namesStatements(analysis) else { return nil }
        if units[last].isFlushed { return .drain }
        units[last].isFlushed = true
        injection += FrontendTag.flushMessage
        return .openTransaction
    }

    // MARK: Statements that changed

    /// Whether the server has a statement by the client's name, or will have.
    func isUnderOwnName(_ statement: PreparedStatement) -> Bool {
        if statement.isOnServer { return true }
        for index in units.indices where !units[index].failed {
            for parse in units[index].pendingParses[units[index].answeredParses...] where parse.statement === statement
            {
                if parse.arrival == .own { return true }
            }
        }
        return false
    }

    /// Has statements parsed again and compared, each in a unit of its own, that the text of the unit offered may name.
    /// Returns whether the answers must be awaited.
    mutating func compareNamed(
        by candidate: Candidate, _ analysis: StatementAnalysis, _ input: borrowing RawSpan,
        _ environment: some SessionEnvironment
    ) -> Bool {
        guard namesStatements(analysis, command: candidate, input), status != .failed, hasServer, !isUnitOpen,
            deallocated(candidate, input) == nil
        else { return false }
        var isAsked = false
        for statement in deferred(of: candidate, analysis, input)
        where statement.shape != nil && statement.verdict == nil && !isUnderOwnName(statement) {
            isAsked = true
            var unit = Unit(isExtended: true, isHidden: true)
            unit.purpose = .comparison(statement)
            unit.isComparing = true
            units.append(unit)
            parseAgain(statement, environment)
            injection += FrontendTag.syncMessage
        }
        if isAsked { pooled?.awaited = .description }
        return isAsked
    }

    private func deferred(
        of candidate: Candidate, _ analysis: StatementAnalysis, _ input: borrowing RawSpan
    ) -> [PreparedStatement] {
        switch candidate.source {
        case .query(let text): return deferred(named: text, in: input, analysis)
        case .execution(let statement, _):
            let message = statement.parseMessage
            return deferred(named: statement.text, in: message.span.bytes, analysis)
        }
    }

    /// One of these units has ended.
    mutating func namedCompared(_ statement: PreparedStatement, _ unit: Unit) {
        if !units.contains(where: { $0.isHidden && $0.isComparing }) { pooled?.awaited = nil }
        if unit.failed, status == .failed {
            // The transaction has failed of it, before the client's own statement could: that comes to nothing by itself,
            // and what the statement is afterwards is another question.
            pooled?.failure = unit.error
        } else if unit.failed || unit.staleness != nil {
            statement.verdict = .obstructed(unit.error ?? StaleStatements.changedResult(nil))
        } else {
            statement.verdict = .unchanged
        }
    }
}

extension RawSpan {
    /// Whether `name` stands anywhere in `range` by itself, in letters of either case.
    func mentions(_ name: [UInt8], in range: Range<Int>) -> Bool {
        guard range.count >= name.count else { return false }
        for start in range.lowerBound...(range.upperBound - name.count) {
            var length = 0
            while length < name.count, Self.folded(byte(at: start + length)) == Self.folded(name[length]) {
                length += 1
            }
            guard length == name.count else { continue }
            let end = start + length
            let isBegun = start > range.lowerBound && Self.continuesName(byte(at: start - 1))
            let goesOn = end < range.upperBound && Self.continuesName(byte(at: end))
            if !isBegun, !goesOn { return true }
        }
        return false
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80..., UInt8(ascii: "_"), UInt8(ascii: "$"): true
        default: false
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
}
