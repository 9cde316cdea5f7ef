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

    // MARK: Messages

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
        guard pooled != nil, !refuseStale() else { return 0 }
        if named.isEmpty {
            provideUnnamed(environment)
            return 0
        }
        guard renames else { return 0 }
        let name: String
        switch known(named, in: input) {
        case .statement(let statement):
            var present = serial(of: statement, environment)
            if present == nil, mayStandEmpty(statement, for: FrontendTag(rawValue: input.byte(at: start))) {
                present = parseNothing(for: statement)
            }
            guard let serial = present ?? parseAgain(statement, environment) else { return 0 }
            units[units.count - 1].lastRenamed = (statement, serial)
            name = ServerStatements.name(serial)
        case .unheld: return 0
        case .none:
            // No name of the client's may mean one of Walden's.
            guard input.begins(with: ServerStatements.prefix, at: named) else { return 0 }
            name = ServerStatements.foreignPrefix + String(decoding: input.copy(named), as: UTF8.self)
        }
        RenamedMessage.appendHead(of: input, from: start, named: named, byteCount: byteCount, as: name, to: &injection)
        return named.upperBound
    }

    /// Whether an empty statement answers the message as the one would that the server does not have.
    private func mayStandEmpty(_ statement: PreparedStatement, for tag: FrontendTag) -> Bool {
        if tag == .describe { return statement.isDescribedByHeart && status != .failed }
        return tag == .bind && isTransactionFailed && statement.command == nil && statement.shape != nil
    }

    /// The server's unnamed statement is the client's, before a message that means it.
    private mutating func provideUnnamed(_ environment: some SessionEnvironment) {
        guard let server = pooled?.server else { return }
        let empty = [UInt8]()
        switch known(0..<0, in: empty.span.bytes) {
        case .unheld: break
        case .statement(let statement):
            if !server.unnamed.isKnown(as: statement) { parseAgain(statement, environment) }
        case .none:
            if case .none = server.unnamed { return }
            RenamedMessage.appendClose(of: empty, to: &injection)
            noteClose(.hidden(nil))
            server.unnamed = .none
        }
    }

    /// The client's own Parse in the last unit, held as a whole at the front of `input`. Returns what `rename` does.
    ///
    /// - Parameter isDescribed: What it is will be asked for: it may be needed on another server.
    mutating func sendParse(
        _ statement: PreparedStatement, _ input: borrowing RawSpan, isDescribed: Bool,
        _ environment: some SessionEnvironment
    ) -> Int {
        let last = units.count - 1
        guard let server = pooled?.server else {
            units[last].pendingParses.append(.init(statement: statement, isInjected: false))
            return 0
        }
        statement.shape = nil
        (statement.number, statement.standIn) = (nil, nil)
        if statement.name.isEmpty {
            server.unnamed = .statement(statement)
            statements.define(statement)
        }
        let origin = origin(of: statement, environment)
        statement.origin = origin
        guard renames, !statement.name.isEmpty, !server.ownStatements.contains(statement.name) else {
            units[last].pendingParses.append(.init(statement: statement, isInjected: false))
            guard isDescribed else { return 0 }
            injection += statement.parseMessage
            let subject = DescribedStatement(statement: statement, origin: origin, serial: nil, isCompared: false)
            describe(subject, as: statement.name)
            return statement.parseMessage.count
        }
        closeSpare(on: server)
        let serial = pooled?.pooling.statements.fresh() ?? 0
        let name = Array(ServerStatements.name(serial).utf8)
        RenamedMessage.appendParse(of: statement, as: name, to: &injection)
        units[last].pendingParses.append(.init(statement: statement, isInjected: false, arrival: .renamed(serial)))
        if isDescribed {
            let subject = DescribedStatement(statement: statement, origin: origin, serial: serial, isCompared: false)
            describe(subject, as: name)
        }
        return statement.parseMessage.count
    }

    /// Closes statements that nothing needs, along with the next Parse.
    private mutating func closeSpare(on server: ServerSession) {
        guard units[units.count - 1].pendingCloses.isEmpty else { return }
        for serial in server.statements.spareSerials.prefix(16) {
            RenamedMessage.appendClose(of: ServerStatements.name(serial), to: &injection)
            noteClose(.hidden(serial))
        }
    }

    /// The messages of a candidate, in the last unit. Returns what `rename` does.
    mutating func sendExecution(
        _ found: Candidate, _ statement: PreparedStatement, _ input: borrowing RawSpan,
        _ environment: some SessionEnvironment
    ) -> Int {
        guard case .execution(_, let binding) = found.source else { return 0 }
        if found.closesPortal { noteClose(.portal) }
        if !found.parses {
            if goesByOwnName(binding.statement) { inject(statement) }
            return rename(
                input, from: 0, named: binding.statement, byteCount: found.bind.count, environment)
        }
        // An unnamed statement that is executed at once seldom is again.
        let replaced = sendParse(statement, input, isDescribed: !statement.name.isEmpty, environment)
        if statement.name.isEmpty, found.describes, let origin = statement.origin {
            noteDescribe(portalOf: statement, origin)
        }
        if replaced == 0 { return 0 }
        injection.append(input, replaced..<found.bind.lowerBound)
        let renamed = rename(
            input, from: found.bind.lowerBound, named: binding.statement, byteCount: found.bind.count, environment)
        return max(renamed, found.bind.lowerBound)
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
        case .renamed(let serial): server.statements.parsed(serial)
        case .obstacle(let number): obstructed(number)?.obstacle?.isPlaced = true
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
            // An unnamed one has been forgotten, and perhaps another defined since.
            if !name.isEmpty { statements.forget(name) }
            return true
        case .hidden(let serial):
            if let serial { pooled?.server?.statements.left(serial) }
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
        forgetUndescribed(of: unit)
        var touchesUnnamed = unit.pendingParses.contains { $0.statement?.name.isEmpty ?? true }
        for close in unit.pendingCloses[unit.answeredCloses...] {
            switch close.subject {
            case .statement(let name, let statement?):
                let none: [UInt8] = []
                if !name.isEmpty || statements.find(0..<0, in: none.span.bytes) == nil { statements.define(statement) }
            case .hidden(nil): touchesUnnamed = true
            case .portal, .statement, .hidden: break
            }
        }
        for parse in unit.pendingParses[unit.answeredParses...] {
            if let statement = parse.statement, !parse.isInjected { statements.forgetUnnamed(statement) }
        }
        // How far the server got, is not told.
        if touchesUnnamed { server.unnamed = .unknown }
        if let error { StaleStatements.forget(error, on: server) }
    }
}
