import DequeModule
import WaldenCore
import WaldenWire

/// What is different about the answers of servers that sessions share.
extension SessionMachine {
    /// The step for the front of a pooled server's bytes; nil when it is what it would be on a server of one's own.
    mutating func pooledStep(_ input: borrowing RawSpan) throws(WireError) -> ServerStep? {
        // Not `first`: it would copy the unit for every answer.
        guard !units.isEmpty, !units[0].isToRerun else { return nil }
        if !units[0].effects.settings.isEmpty, let step = try nameReset(units[0], input) { return step }
        if units[0].unansweredRead != nil || pooled?.unansweredCommit != nil { return try unansweredStep(input) }
        return units[0].heldRead != nil ? try heldReadStep(input) : nil
    }

    /// An ErrorResponse, whole at the front: with the client's names in it.
    mutating func pooledError(
        _ error: ErrorResponse?, _ header: MessageHeader, _ input: borrowing RawSpan, isLast: Bool
    ) -> ServerStep {
        // The session ends with the word on that, or not at all.
        if isInDoubt { return .swallow(byteCount: header.byteCount) }
        if isLast, outlivesServer, error.map({ Self.isFarewell($0.fields) }) ?? false {
            return .swallow(byteCount: header.byteCount)
        }
        if isLast { pooled?.hasRelayedFatal = true }
        if !isLast, !units.isEmpty, units[0].staleness == .refused, error?.sqlState == .invalidSQLStatementName {
            let changed = StaleStatements.changedResult(error).encoded()
            return .replace(byteCount: header.byteCount, with: refusal(changed))
        }
        if !isLast, !units.isEmpty, units[0].isComparing, units[0].beginsComparing, let error,
            error.sqlState != .inFailedSQLTransaction
        {
            return .replace(byteCount: header.byteCount, with: refusal(error.encoded()))
        }
        if let failure = pooled?.failure {
            pooled?.failure = nil
            if error?.sqlState == .inFailedSQLTransaction {
                return .replace(byteCount: header.byteCount, with: failure.encoded())
            }
        }
        if let error, let number = StatementObstacle.number(error), let obstacle = obstructed(number)?.obstacle {
            return .replace(byteCount: header.byteCount, with: obstacle.error.encoded())
        }
        let message = 0..<header.byteCount
        if let translated = translated(input, message: message) {
            return .replace(byteCount: header.byteCount, with: translated)
        }
        return .relay(byteCount: header.byteCount)
    }

    /// The server reported a setting. Returns whether the client is to see it.
    mutating func parameterReported(_ status: ParameterStatus) -> Bool {
        guard let pooled, let server = pooled.server else {
            settings.parameterReported(name: status.name, value: status.value)
            return true
        }
        server.reported = server.reported.reporting(status.name, status.value)
        // What Walden's own units change, the client is told when the server has been brought to its state.
        if units.first?.isHidden ?? false { return false }
        if status.name == "application_name", let unit = units.first, unit.resetsName, pooled.applicationName != nil {
            return false
        }
        pooled.told = pooled.told.reporting(status.name, status.value)
        settings.parameterReported(name: status.name, value: status.value)
        return true
    }

    /// The session has been shown a state of the database.
    mutating func saw(_ now: Instant) {
        consistency.saw(now)
        guard let pooled, let server = pooled.server else { return }
        pooled.reads.read(on: server.isPrimary ? nil : server.node, now)
    }
}
