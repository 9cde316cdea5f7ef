import WaldenFailover
import WaldenPostgres

extension Contact {
    /// What a failed attempt says of the server. Only words that are known to mean it count as its absence: an
    /// unreachable host may be the fault of this side.
    init(_ error: PostgresError) {
        switch (error.kind, error.sqlState) {
        case (_, "53300"?): self = .full(replication: false)
        case (_, "57P03"?), (_, "57P01"?), (_, "57P02"?): self = .starting
        case (_, let state?): self = .denied(sqlState: state)
        case (.unreachable, nil), (.connectionLost, nil):
            let isAbsent = (Self.absences + Self.hangUps).contains { error.message.contains($0) }
            self = isAbsent ? .refused : .silent
        default: self = .silent
        }
    }

    /// libpq in the C locale: nobody listens.
    private static let absences = ["Connection refused", "No such file or directory"]
    /// What listened hung up. A server whose backend crashed does that to those it is just letting in, before it says
    /// that it recovers: once says nothing yet, the next attempt does.
    private static let hangUps = ["Connection reset by peer", "server closed the connection unexpectedly"]

    static func isHangUp(_ error: PostgresError) -> Bool {
        error.sqlState == nil && hangUps.contains { error.message.contains($0) }
    }

    /// A new connection to the node, closed at once. Where ordinary ones are refused for want of room, one for
    /// replication is tried, which has places of its own.
    static func attempt(_ dsn: DSN, timeout: Duration, interrupt: Interrupt, isSecond: Bool = false) -> Contact {
        var options = Connection.Options()
        options.applicationName = "walden sentinel contact"
        options.connectTimeout = timeout
        do throws(PostgresError) {
            try Connection.open(dsn, options, interrupt: interrupt).close()
            return .answered
        } catch {
            if isHangUp(error), !isSecond {
                return attempt(dsn, timeout: timeout, interrupt: interrupt, isSecond: true)
            }
            let contact = Contact(error)
            guard contact == .full(replication: false) else { return contact }
            options.isReplication = true
            return .full(replication: Self.isServed(dsn, options, interrupt))
        }
    }

    /// Even a refusal is an answer, but for the one that there is no room.
    private static func isServed(_ dsn: DSN, _ options: Connection.Options, _ interrupt: Interrupt) -> Bool {
        do throws(PostgresError) {
            try Connection.open(dsn, options, interrupt: interrupt).close()
            return true
        } catch {
            return error.sqlState.map { $0 != "53300" && !$0.hasPrefix("57") } ?? false
        }
    }
}
