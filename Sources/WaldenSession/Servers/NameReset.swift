import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

/// `RESET application_name`: a server goes back to the name of its own startup packet, a session to that of its client's.
///
/// Outside of a transaction the next replay gives the server the client's name, inside it does a hidden SET. What a text
/// of several statements shows behind its own RESET is the server's default.
extension SessionMachine {
    /// What the client is to be told before the ReadyForQuery at the front that ends a unit.
    mutating func nameReset(_ unit: Unit, _ input: borrowing RawSpan) throws(WireError) -> ServerStep? {
        guard let pooled, let name = pooled.applicationName, !unit.isHidden, !unit.failed, unit.resetsName,
            let header = try MessageHeader.parse(input, at: 0, limit: limits.messageBytes),
            BackendTag(rawValue: header.tag) == .readyForQuery
        else { return nil }
        pooled.mustRename = true
        let status = ParameterStatus(name: "application_name", value: String(decoding: name, as: UTF8.self))
        guard pooled.told[status.name] != status.value else { return nil }
        pooled.told = pooled.told.reporting(status.name, status.value)
        return .replace(byteCount: 0, with: status.encoded())
    }

    /// The question that gives the server the client's name within the transaction in progress; nil when it has it.
    mutating func rename() -> Preparation? {
        guard let pooled, pooled.mustRename, let name = pooled.applicationName, units.isEmpty, !isUnitOpen else {
            return nil
        }
        pooled.mustRename = false
        guard status == .inTransaction else { return nil }
        // No SELECT: SET TRANSACTION may still follow.
        let text = "SET application_name = \(Census.literal(String(decoding: name, as: UTF8.self)))"
        push(.renaming, Query(text).encoded())
        pooled.server?.unnamed = .none
        pooled.suspect(.assignments)
        return .ask
    }

    /// The server has answered it. The error that ends the session when it refused, which fails the transaction.
    mutating func renamingEnded(_ unit: Unit) -> ErrorResponse? {
        pooled?.awaited = nil
        guard unit.failed else { return nil }
        return ErrorResponse(
            severity: .fatal, sqlState: unit.error?.fields.sqlState ?? .internalError,
            message: "Walden could not set application_name back to that of the startup packet",
            detail: unit.error?.fields.message ?? "The server refused it.")
    }
}

extension Unit {
    /// Whether `application_name` is back at its default once all of it has taken effect.
    var resetsName: Bool {
        for change in effects.settings.reversed() {
            switch change {
            case .set(name: "application_name", value: _, local: _): return false
            case .reset(name: "application_name"), .resetAll, .discardAll: return true
            case .set, .reset: continue
            }
        }
        return false
    }
}
