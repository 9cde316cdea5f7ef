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
    let status: CommandOutcome.Status

    init(_ problem: String, _ status: CommandOutcome.Status) {
        self.problem = problem
        self.status = status
    }

    init(_ error: PostgresError, at dsn: DSN) {
        self.init("\(dsn.endpoint): \(error)", error.exitStatus)
    }
}

extension PostgresError {
    var exitStatus: CommandOutcome.Status {
        switch kind {
        case .unreachable, .timedOut, .connectionLost, .interrupted, .resources: .unavailable
        case .server: exitStatusOfTheServersWord
        case .invalidDSN, .unexpectedReply, .unsupported: .failure
        }
    }

    /// By class (PostgreSQL documentation, "PostgreSQL Error Codes").
    private var exitStatusOfTheServersWord: CommandOutcome.Status {
        switch sqlState {
        case "42501"?: .noPermission
        // A refused login.
        case let state? where state.hasPrefix("28"): .noPermission
        // An unknown database, no room, a server that starts or stops.
        case let state? where ["3D", "53", "57"].contains { state.hasPrefix($0) }: .unavailable
        default: .failure
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
