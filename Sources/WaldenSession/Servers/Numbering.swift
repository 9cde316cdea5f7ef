import DequeModule
import WaldenCore
import WaldenWire

/// Which statements on a server are a session's.
extension SessionMachine {
    /// Under what a statement that is parsed now is parsed.
    mutating func origin(
        of statement: PreparedStatement, _ environment: some SessionEnvironment
    ) -> StatementOrigin {
        let basis = basis(environment)
        guard isSettled, !statement.mentionsMoment, let session = sessionNumber(environment) else {
            return StatementOrigin(basis: basis, key: nil)
        }
        return StatementOrigin(basis: basis, key: statement.key(session: session, catalog: basis.catalog))
    }

    private func basis(_ environment: some SessionEnvironment) -> StatementBasis {
        StatementBasis(
            revision: settings.revision, catalog: environment.catalogGeneration, constants: settings.constantReading)
    }

    /// Whether the session's settings are known: what is assigned within the transaction in progress is not yet.
    private var isSettled: Bool {
        !settings.hasUncommitted && settings.obstacle != .opaque && !(pooled?.isSuspect ?? false)
    }

    func number(_ origin: StatementOrigin, _ shape: StatementShape) -> StatementNumber? {
        guard let names = pooled?.pooling.statements else { return nil }
        return StatementNumber(
            value: origin.key.map { names.number(for: $0, shape) } ?? names.fresh(), isShared: origin.key != nil,
            basis: origin.basis)
    }

    /// The serial of a statement on the server, which has it once all that was sent has been answered; nil: it does not
    /// have it.
    mutating func serial(of statement: PreparedStatement, _ environment: some SessionEnvironment) -> UInt64? {
        guard let server = pooled?.server else { return nil }
        if let serial = serialUnderWay(statement) { return serial }
        // As PostgreSQL does, the statement as it was parsed is used whatever has been assigned since.
        if let number = statement.number, let serial = server.statements.use(number.value) { return serial }
        guard let standIn = standIn(of: statement, environment) else { return nil }
        return server.statements.use(standIn.value)
    }

    /// What the statement is when it is parsed again now, if that is known.
    private mutating func standIn(
        of statement: PreparedStatement, _ environment: some SessionEnvironment
    ) -> StatementNumber? {
        guard let shape = statement.shape else { return nil }
        let basis = basis(environment)
        if let known = statement.standIn ?? statement.number, known.basis == basis, isSettled || !known.isShared {
            return known
        }
        if let first = statement.number, !statement.isRead(alike: first.basis, basis) { return nil }
        let origin = origin(of: statement, environment)
        guard let key = origin.key, let known = pooled?.pooling.statements.known(key), known.shape == shape else {
            return nil
        }
        let number = StatementNumber(value: known.number, isShared: true, basis: basis)
        statement.standIn = number
        return number
    }

    /// The serial under which a Parse of the statement is on its way or was answered within a unit under way.
    func serialUnderWay(_ statement: PreparedStatement) -> UInt64? {
        for index in units.indices.reversed() where !units[index].failed {
            for parse in units[index].pendingParses.reversed() where parse.statement === statement {
                if case .renamed(let serial) = parse.arrival { return serial }
            }
        }
        return nil
    }

    /// Whether the statement that a unit offered would define is known by what a server said of it. Else its Parse must
    /// reach one before a hit may answer it.
    mutating func isShapeKnown(
        of candidate: Candidate, _ environment: some SessionEnvironment
    ) -> Bool {
        guard let pooled, candidate.parses, case .execution(let statement, _) = candidate.source,
            !statement.name.isEmpty
        else { return true }
        let origin = origin(of: statement, environment)
        guard let key = origin.key, let known = pooled.pooling.statements.known(key) else { return false }
        statement.shape = known.shape
        statement.number = StatementNumber(value: known.number, isShared: true, basis: origin.basis)
        return true
    }
}
