import WaldenPostgres

/// What commands that speak to a server have in common.
enum ServerAccess {
    /// - Parameter text: as given on the command line; the error never repeats it, for it may hold a password.
    static func dsn(_ text: String) throws(CommandFailure) -> DSN {
        do throws(PostgresError) {
            return try DSN(text)
        } catch {
            throw CommandFailure("the connection string cannot be read: \(error)", .usage)
        }
    }

    static func open(_ dsn: DSN) throws(CommandFailure) -> Connection {
        do throws(PostgresError) {
            return try Connection.open(dsn)
        } catch {
            throw CommandFailure(error, at: dsn)
        }
    }
}

/// Ends a command.
struct CommandFailure: Error, Hashable {
    let problem: String
    let status: ExitStatus

    init(_ problem: String, _ status: ExitStatus) {
        self.problem = problem
        self.status = status
    }

    init(_ error: PostgresError, at dsn: DSN) {
        self.init("\(dsn.endpoint): \(error)", error.isOfTheConnection ? .unavailable : .failure)
    }
}

extension PostgresError {
    /// Whether no conversation came about, or it ended: another attempt may succeed.
    var isOfTheConnection: Bool {
        switch kind {
        case .unreachable, .timedOut, .connectionLost, .interrupted, .resources: true
        // Class 28 is a refused login, 3D an unknown database, 53 and 57 a server without room or time for us.
        case .server: sqlState.map { state in ["28", "3D", "53", "57"].contains { state.hasPrefix($0) } } ?? false
        case .invalidDSN, .unexpectedReply, .unsupported: false
        }
    }
}

extension CommandOutcome {
    /// What `body` gives, or the failure that ends it.
    static func attempt(_ body: () throws(CommandFailure) -> CommandOutcome) -> CommandOutcome {
        do throws(CommandFailure) {
            return try body()
        } catch {
            return .failed(error.problem, error.status)
        }
    }
}
