import DequeModule
import WaldenCore
import WaldenWire

/// A statement whose description a server owes.
struct DescribedStatement {
    let statement: PreparedStatement
    let origin: StatementOrigin
    /// It goes by `walden_<serial>`; nil: by the client's name, or none.
    let serial: UInt64?
    /// It was parsed again: what it is now must be what it was.
    let isCompared: Bool
}

/// What a client was told of a statement when it was parsed, or could have asked for, holds at every later execution, on
/// any server, or the execution fails as it would with PostgreSQL (docs/adr/0042).
extension SessionMachine {
    // MARK: Asking

    enum Comparison {
        /// Nothing stands in the way.
        case none
        /// `takeInjection()` holds what is to be sent in the client's own unit; nothing follows until it is answered.
        case ask
        /// What is under way must be answered first.
        case drain
    }

    /// Whether the statement of that name must be parsed again and compared before it is used.
    mutating func comparison(
        of name: Range<Int>, in input: borrowing RawSpan, _ environment: some SessionEnvironment,
        forDescribe: Bool = false
    ) -> Comparison {
        guard isPooled, case .statement(let statement) = known(name, in: input) else { return .none }
        if forDescribe, renames, statement.isDescribedByHeart, status != .failed { return .none }
        let isBegun = isUnitOpen
        let comparison = comparison(of: statement, environment)
        if comparison == .ask, forDescribe {
            units[units.count - 1].parametersToTell = statement.shape?.parameters
            units[units.count - 1].beginsComparing = !isBegun
        }
        return comparison
    }

    mutating func comparison(
        of statement: PreparedStatement, _ environment: some SessionEnvironment
    ) -> Comparison {
        guard let server = pooled?.server, !isRelayOnly, statement.shape != nil else { return .none }
        if !units.isEmpty {
            let last = units.count - 1
            if isUnitOpen, units[last].failed || units[last].staleness != nil { return .none }
            if units[last].isCopyingIn || units[last].awaitsSecondSync { return .none }
        }
        if statement.name.isEmpty {
            if server.unnamed.isKnown(as: statement) { return .none }
        } else if renames
            ? serial(of: statement, environment) != nil : isUnderOwnName(statement) || statement.verdict != nil
        {
            return .none
        }
        if status == .failed {
            if units.count > (isUnitOpen ? 1 : 0) { return .drain }
            if isTransactionFailed { return .none }
        }
        openUnit()
        units[units.count - 1].isComparing = true
        parseAgain(statement, environment)
        injection += FrontendTag.flushMessage
        pooled?.awaited = .description
        return .ask
    }

    /// The same for a unit that is offered. A read that is held can be run again, so nothing needs to wait for it.
    mutating func comparison(
        of candidate: Candidate, _ input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> Comparison {
        guard isPooled, case .execution(_, let binding) = candidate.source, !candidate.parses, !willHoldRead else {
            return .none
        }
        return comparison(of: binding.statement, in: input, environment)
    }

    /// Whether what is sent next meets a transaction that has failed.
    var isTransactionFailed: Bool {
        guard status == .failed else { return false }
        return units.isEmpty || units.count == 1 && !units[0].executes
    }

    /// Sends the Parse of a statement that the client has prepared, and has it described, in the last unit.
    @discardableResult
    mutating func parseAgain(_ statement: PreparedStatement, _ environment: some SessionEnvironment) -> UInt64? {
        guard let pooled, let server = pooled.server else { return nil }
        let last = units.count - 1
        let serial = statement.name.isEmpty ? nil : pooled.pooling.statements.fresh()
        let name = serial.map { Array(ServerStatements.name($0).utf8) } ?? []
        let isCompared = statement.shape != nil
        RenamedMessage.appendParse(of: statement, as: name, to: &injection)
        // What is compared first is not the client's statement yet.
        units[last].pendingParses.append(
            .init(
                statement: isCompared ? nil : statement, isInjected: true,
                arrival: serial.map(Unit.Arrival.renamed) ?? .own))
        if serial == nil { server.unnamed = .statement(statement) }
        let origin = origin(of: statement, environment)
        if !isCompared { statement.origin = origin }
        describe(
            DescribedStatement(statement: statement, origin: origin, serial: serial, isCompared: isCompared), as: name)
        return serial
    }

    /// Sends an empty statement in the place of one that the server does not have: for a Bind that meets a failed
    /// transaction, which is refused for it, whatever it would run, and for the Describe of one without a result.
    mutating func parseNothing(for statement: PreparedStatement) -> UInt64? {
        guard let pooled else { return nil }
        let serial = pooled.pooling.statements.fresh()
        let types = statement.shape?.parameters?.map { TypeID($0) } ?? []
        injection += Parse(name: ServerStatements.name(serial), query: "", parameterTypes: types).encoded()
        units[units.count - 1].pendingParses.append(
            .init(statement: nil, isInjected: true, arrival: .renamed(serial)))
        return serial
    }

    /// Has a statement described that was parsed just before in the last unit.
    mutating func describe(_ subject: DescribedStatement, as name: [UInt8]) {
        RenamedMessage.appendDescribe(of: name, to: &injection)
        units[units.count - 1].pendingDescribes.append(.init(subject: subject, isHidden: true))
    }

    /// Notes that the portal of an unnamed statement is described, which is parsed and executed in the last unit.
    mutating func noteDescribe(portalOf statement: PreparedStatement, _ origin: StatementOrigin) {
        let subject = DescribedStatement(statement: statement, origin: origin, serial: nil, isCompared: false)
        units[units.count - 1].pendingDescribes.append(.init(subject: subject, isHidden: false, isOfPortal: true))
    }

    /// Notes the client's own Describe of a statement in the last unit.
    mutating func noteDescribe(_ name: Range<Int>, _ input: borrowing RawSpan) {
        guard isPooled else { return }
        var subject: DescribedStatement?
        if case .statement(let statement) = known(name, in: input), statement.shape == nil,
            let origin = statement.origin
        {
            subject = DescribedStatement(
                statement: statement, origin: origin, serial: serialUnderWay(statement), isCompared: false)
        }
        units[units.count - 1].pendingDescribes.append(.init(subject: subject, isHidden: false))
    }

    /// A statement was found to have another shape than it had: the server is sent something that it refuses, so that
    /// the rest of the unit is skipped, and the transaction fails, as behind PostgreSQL's own error. Returns whether
    /// nothing of the last unit is done any more.
    @discardableResult
    mutating func refuseStale() -> Bool {
        let last = units.count - 1
        if units[last].staleness == .found {
            RenamedMessage.appendDescribe(of: Array(ServerStatements.foreignPrefix.utf8), to: &injection)
            units[last].staleness = .refused
        }
        return units[last].staleness != nil || units[last].failed
    }

    // MARK: Answers

    /// A part of the answer to a Describe has come, whole at the front; or a RowDescription that is none. Returns whether
    /// the client is to see it, or why the session cannot go on.
    mutating func described(
        _ tag: BackendTag, _ input: borrowing RawSpan, _ body: Range<Int>
    ) throws(WireError) -> Described {
        let described = units[0].pendingDescribes[units[0].answeredDescribes]
        if described.isOfPortal {
            units[0].answeredDescribes += 1
            described.subject?.statement.portal = tag == .rowDescription ? input.copy(body) : []
            return .answer(isHidden: false)
        }
        if tag == .parameterDescription {
            units[0].describedParameters = try ParameterDescription(in: input, body: body).types.map(\.rawValue)
            return .answer(isHidden: described.isHidden)
        }
        guard let parameters = units[0].describedParameters else { return .answer(isHidden: false) }
        units[0].describedParameters = nil
        units[0].answeredDescribes += 1
        guard let subject = described.subject else { return .answer(isHidden: described.isHidden) }
        let shape = StatementShape(
            parameters: parameters, columns: try Self.columns(tag, input, body: body))
        if !subject.isCompared {
            learn(shape, of: subject)
        } else if units[0].isComparing {
            compare(shape, with: subject)
            if !units[0].isHidden { comparisonEnded() }
        } else if isKept(subject, shape) {
            compare(shape, with: subject)
        } else {
            return .stale
        }
        return .answer(isHidden: described.isHidden)
    }

    enum Described {
        case answer(isHidden: Bool)
        /// What follows belongs to a statement that is not the client's any more.
        case stale
    }

    private static func columns(
        _ tag: BackendTag, _ input: borrowing RawSpan, body: Range<Int>
    ) throws(WireError) -> [StatementShape.Column]? {
        guard tag == .rowDescription else { return nil }
        return try RowDescription(in: input, body: body).columns.map(StatementShape.Column.init)
    }

    private mutating func learn(_ shape: StatementShape, of subject: DescribedStatement) {
        let statement = subject.statement
        statement.shape = shape
        statement.origin = nil
        let number = number(subject.origin, shape)
        statement.number = number
        statement.standIn = nil
        if let serial = subject.serial, let number { pooled?.server?.statements.identified(serial, as: number.value) }
    }

    private mutating func compare(_ shape: StatementShape, with subject: DescribedStatement) {
        guard let server = pooled?.server else { return }
        let statement = subject.statement
        guard isKept(subject, shape) else {
            if let serial = subject.serial { server.statements.unidentified(serial) } else { server.unnamed = .unknown }
            units[0].staleness = .found
            return
        }
        if statement.shape?.parameters == nil { statement.shape = shape }
        if !renames { statement.verdict = .unchanged }
        guard let serial = subject.serial else { return }
        let isUnchanged = statement.number?.basis == subject.origin.basis
        guard let number = isUnchanged ? statement.number : number(subject.origin, shape) else { return }
        statement.standIn = number
        server.statements.identified(serial, as: number.value)
    }

    /// Within the answers to a read that is held: whether a statement is not the client's any more.
    func isStale(_ tag: BackendTag, parameters: inout [UInt32]?, _ input: borrowing RawSpan, _ body: Range<Int>) -> Bool
    {
        guard units[0].owesDescription, let subject = units[0].pendingDescribes[units[0].answeredDescribes].subject,
            subject.isCompared
        else { return false }
        if tag == .parameterDescription {
            parameters = (try? ParameterDescription(in: input, body: body))?.types.map(\.rawValue)
            return false
        }
        guard let known = parameters, let columns = try? Self.columns(tag, input, body: body) else { return false }
        parameters = nil
        return !isKept(subject, StatementShape(parameters: known, columns: columns))
    }

    /// Whether the statement, parsed again, is the client's still: it looks the same, and its constants were read alike.
    private func isKept(_ subject: DescribedStatement, _ shape: StatementShape) -> Bool {
        let statement = subject.statement
        if let first = statement.number, !statement.isRead(alike: first.basis, subject.origin.basis) { return false }
        return statement.shape?.isKept(by: shape) ?? true
    }

    /// The unit at the front has ended or failed: what was parsed in it and not described is nobody's.
    mutating func forgetUndescribed(of unit: borrowing Unit) {
        guard let server = pooled?.server else { return }
        for parse in unit.pendingParses {
            if case .renamed(let serial) = parse.arrival { server.statements.unidentified(serial) }
        }
        if unit.isComparing, !unit.isHidden { pooled?.awaited = nil }
    }

    /// The server's or Walden's refusal to describe a statement, behind what PostgreSQL tells of its parameters before it
    /// looks at the result (`tcop/postgres.c`, `exec_describe_statement_message`).
    func refusal(_ error: [UInt8]) -> [UInt8] {
        guard let parameters = units.first?.parametersToTell else { return error }
        return ParameterDescription(parameters.map { TypeID($0) }).encoded() + error
    }

    private mutating func comparisonEnded() {
        units[0].isComparing = false
        if units[0].staleness == nil { units[0].parametersToTell = nil }
        pooled?.awaited = nil
    }
}

extension PreparedStatement {
    /// PostgreSQL describes a statement without a result as it was parsed, whatever has become of it.
    var isDescribedByHeart: Bool {
        guard let shape else { return false }
        return shape.columns == nil && shape.parameters != nil && !name.isEmpty
    }
}
