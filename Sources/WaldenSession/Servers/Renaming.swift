import DequeModule
import WaldenCore
import WaldenWire

/// Statements on pooled servers: under Walden's names, one for each distinct statement, so that sessions share them.
///
/// While a session *uses its own names* (SQL may name its statements), they are what they are on a server of its own.
extension SessionMachine {
    /// Named statements go by Walden's names now.
    var renames: Bool { pooled.map { !$0.usesOwnNames } ?? false }

    /// Whether the server gets to know the statement by the client's name, and by nothing but its Parse.
    func goesByOwnName(_ name: Range<Int>) -> Bool {
        isPooled ? !renames && !name.isEmpty : true
    }

    /// What a name means once all that has been sent is done.
    enum KnownStatement {
        case statement(PreparedStatement)
        /// Its Parse was too long to hold.
        case unheld
        case none
    }

    /// The statement of that name, as far as its Parse was sent or answered with a hit.
    mutating func known(_ name: Range<Int>, in input: borrowing RawSpan) -> KnownStatement {
        // A pooled session's unnamed statement is noted when its Parse is sent: a Query drops it.
        if name.isEmpty { return statements.find(name, in: input).map { .statement($0) } ?? .none }
        for unit in units.reversed() where !unit.failed {
            if let found = unit.change(of: name, in: input) { return found }
        }
        return statements.find(name, in: input).map { .statement($0) } ?? .none
    }

    // MARK: Numbers

    /// The statement's number; a new one when what its text means may have changed since it got its last one.
    private mutating func number(
        _ statement: PreparedStatement, isParsedNow: Bool, _ environment: some SessionEnvironment
    ) -> StatementNumber? {
        guard let pooled else { return nil }
        let basis = StatementBasis(revision: settings.revision, catalog: environment.catalogGeneration)
        // What is assigned within the transaction in progress is not known yet.
        let isSettled = !settings.hasUncommitted && settings.obstacle != .opaque && !pooled.isSuspect
        if let known = statement.number, known.basis == basis, isSettled || !isParsedNow || known.key == nil {
            return known
        }
        var key: [UInt8]?
        if isSettled, !statement.mentionsMoment, let session = sessionNumber(environment) {
            key = statement.key(session: session, catalog: basis.catalog)
        }
        let names = pooled.pooling.statements
        return StatementNumber(value: key.map(names.number) ?? names.fresh(), key: key, basis: basis)
    }

    /// Whether a Parse under that number is on its way.
    private func isPending(_ number: UInt64) -> Bool {
        for unit in units where !unit.failed {
            for parse in unit.pendingParses[unit.answeredParses...] where parse.arrival == .renamed(number) {
                return true
            }
        }
        return false
    }

    /// Whether the server has the statement by itself, so that its Parse need not be sent: a Parse would succeed.
    mutating func isParsedAlready(_ statement: PreparedStatement, _ environment: some SessionEnvironment) -> Bool {
        guard let server = pooled?.server, renames, units.isEmpty, status != .failed, !statement.name.isEmpty,
            let number = number(statement, isParsedNow: true, environment), number.key != nil
        else { return false }
        statement.number = number
        return server.statements.use(number.value)
    }

    // MARK: Messages

    /// The name of a statement on the server, which has it once what is injected has been answered.
    private mutating func serverName(
        of statement: PreparedStatement, _ environment: some SessionEnvironment
    ) -> String? {
        guard let server = pooled?.server, let known = number(statement, isParsedNow: false, environment) else {
            return nil
        }
        statement.number = known
        if server.statements.use(known.value) || isPending(known.value) { return ServerStatements.name(known.value) }
        guard let fresh = number(statement, isParsedNow: true, environment) else { return nil }
        statement.number = fresh
        let name = ServerStatements.name(fresh.value)
        RenamedMessage.appendParse(of: statement, as: name, to: &injection)
        units[units.count - 1].pendingParses.append(
            .init(statement: statement, isInjected: true, arrival: .renamed(fresh.value)))
        return name
    }

    /// Makes the beginning of a Bind or Describe anew that names a statement of the client's, known or not. Returns how
    /// many bytes of `input`, from the front, the injection stands for.
    ///
    /// - Parameters:
    ///   - start: Where the message begins; what stands before it is dropped.
    ///   - named: Where the name stands.
    mutating func rename(
        _ input: borrowing RawSpan, from start: Int, named: Range<Int>, byteCount: Int,
        _ environment: some SessionEnvironment
    ) -> Int {
        guard pooled != nil else { return 0 }
        if named.isEmpty {
            provideUnnamed()
            return 0
        }
        guard renames else { return 0 }
        let name: String
        switch known(named, in: input) {
        case .statement(let statement):
            guard let known = serverName(of: statement, environment) else { return 0 }
            units[units.count - 1].lastRenamed = statement
            name = known
        case .unheld: return 0
        case .none:
            // No name of the client's may mean one of Walden's.
            guard input.begins(with: ServerStatements.prefix, at: named) else { return 0 }
            name = ServerStatements.foreignPrefix + String(decoding: input.copy(named), as: UTF8.self)
        }
        RenamedMessage.appendHead(of: input, from: start, named: named, byteCount: byteCount, as: name, to: &injection)
        return named.upperBound
    }

    /// The server's unnamed statement is the client's, before a message that means it.
    private mutating func provideUnnamed() {
        guard let server = pooled?.server else { return }
        let last = units.count - 1
        let empty = [UInt8]()
        switch known(0..<0, in: empty.span.bytes) {
        case .unheld: break
        case .statement(let statement):
            if server.unnamed.isKnown(as: statement) { return }
            injection += statement.parseMessage
            units[last].pendingParses.append(.init(statement: statement, isInjected: true))
            server.unnamed = .statement(statement)
        case .none:
            if case .none = server.unnamed { return }
            RenamedMessage.appendClose(of: empty, to: &injection)
            noteClose(.hidden(nil))
            server.unnamed = .none
        }
    }

    /// The client's own Parse in the last unit, held as a whole at the front of `input`. Returns what `rename` does.
    mutating func sendParse(
        _ statement: PreparedStatement, _ input: borrowing RawSpan, named: Range<Int>,
        _ environment: some SessionEnvironment
    ) -> Int {
        let last = units.count - 1
        guard let server = pooled?.server else {
            units[last].pendingParses.append(.init(statement: statement, isInjected: false))
            return 0
        }
        if statement.name.isEmpty {
            server.unnamed = .statement(statement)
            statements.define(statement)
        }
        guard renames, !statement.name.isEmpty, !server.ownStatements.contains(statement.name),
            let number = number(statement, isParsedNow: true, environment)
        else {
            units[last].pendingParses.append(.init(statement: statement, isInjected: false))
            return 0
        }
        statement.number = number
        let name = ServerStatements.name(number.value)
        if server.statements.contains(number.value) || isPending(number.value) {
            // It is parsed again, as it would be by a server of its own, and in its turn.
            RenamedMessage.appendClose(of: name, to: &injection)
            noteClose(.hidden(number.value))
        }
        let byteCount = statement.parseMessage.count
        RenamedMessage.appendHead(of: input, from: 0, named: named, byteCount: byteCount, as: name, to: &injection)
        units[last].pendingParses.append(
            .init(statement: statement, isInjected: false, arrival: .renamed(number.value)))
        return named.upperBound
    }

    /// The messages of a candidate, in the last unit. Returns what `rename` does.
    ///
    /// - Parameter isParsed: The server has the statement that the candidate's Parse defines.
    mutating func sendExecution(
        _ found: Candidate, _ statement: PreparedStatement, isParsed: Bool, _ input: borrowing RawSpan,
        _ environment: some SessionEnvironment
    ) -> Int {
        guard case .execution(_, let binding) = found.source else { return 0 }
        if found.closesPortal { noteClose(.portal) }
        if !found.parses {
            if goesByOwnName(binding.statement) { inject(statement) }
            return rename(
                input, from: 0, named: binding.statement, byteCount: found.bind.count, environment)
        }
        if isParsed {
            // Its Parse is left out; it would succeed, and what it answers comes first.
            units[units.count - 1].owesParseComplete = true
            statements.define(statement)
        } else {
            let name = (MessageHeader.byteCount)..<(MessageHeader.byteCount + statement.name.count)
            let replaced = sendParse(statement, input, named: name, environment)
            if replaced == 0 { return 0 }
            injection.append(input, replaced..<found.bind.lowerBound)
        }
        return rename(
            input, from: found.bind.lowerBound, named: binding.statement, byteCount: found.bind.count, environment)
    }

    /// The client's Close of a statement, in the last unit. Returns what `rename` does.
    mutating func sendClose(_ input: borrowing RawSpan, named: Range<Int>, byteCount: Int) -> Int {
        let name = input.copy(named)
        let statement = statements.find(named, in: input)
        statements.forget(name)
        guard let server = pooled?.server else { return 0 }
        noteClose(.statement(name, statement))
        if name.isEmpty { server.unnamed = .none }
        guard renames, !name.isEmpty, server.ownStatements.remove(name) == nil else { return 0 }
        // Others may use the statement, so one is closed that does not exist: that is answered alike.
        RenamedMessage.appendClose(of: ServerStatements.foreignPrefix, to: &injection)
        return byteCount
    }

    // MARK: Answers

    /// A ParseComplete has come; `parse` is what it answers.
    mutating func pooledParseCompleted(_ parse: Unit.PendingParse) {
        guard let server = pooled?.server else { return }
        switch parse.arrival {
        case .renamed(let number): server.statements.arrived(number)
        case .own: if let name = parse.statement?.name, !name.isEmpty { server.ownStatements.insert(name) }
        }
    }

    /// A CloseComplete has come from a pooled server. Returns whether the client is to see it.
    mutating func closeCompleted() -> Bool {
        guard let unit = units.first, unit.answeredCloses < unit.pendingCloses.count else { return true }
        units[0].answeredCloses += 1
        switch unit.pendingCloses[unit.answeredCloses].subject {
        case .portal: return true
        case .statement(let name, _):
            statements.forget(name)
            return true
        case .hidden(let number):
            if let number { pooled?.server?.statements.left(number) }
            return false
        }
    }

    /// Notes a Close in the last unit, as far as its answer matters.
    mutating func noteClose(_ subject: Unit.PendingClose.Subject) {
        guard pooled != nil else { return }
        let last = units.count - 1
        units[last].pendingCloses.append(.init(subject: subject, parsesBefore: units[last].pendingParses.count))
    }

    /// The unit at the front of a pooled session has failed: what was to come of it does not.
    mutating func pooledUnitFailed(_ error: ErrorResponse?) {
        guard let server = pooled?.server, let unit = units.first else { return }
        var touchesUnnamed = unit.pendingParses.contains { $0.statement?.name.isEmpty ?? true }
        for close in unit.pendingCloses[unit.answeredCloses...] {
            switch close.subject {
            case .statement(_, let statement?): statements.define(statement)
            case .hidden(nil): touchesUnnamed = true
            case .portal, .statement, .hidden: break
            }
        }
        for parse in unit.pendingParses[unit.answeredParses...] {
            if let statement = parse.statement, !parse.isInjected { statements.forgetUnnamed(statement) }
        }
        // How far the server got, is not told.
        if touchesUnnamed { server.unnamed = .unknown }
        if let error { StaleStatements.forget(error, in: &self) }
    }
}
