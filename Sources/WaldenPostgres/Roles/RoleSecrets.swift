internal import Synchronization
internal import WaldenCore

/// Asks the primary what it keeps of a role's password, over connections of its own that stay open.
///
/// Calls block and may come from several threads at once; as many connections are kept as calls have ever run together.
public final class RoleSecrets: Sendable {
    private let query: String
    private let timeout: Duration
    private let stopSignal: Interrupt
    private let idle: Mutex<Idle>

    private struct Idle {
        var dsn: DSN
        /// Connections are used by one thread at a time: whoever has taken one off the list.
        var connections: [Box] = []
    }

    private final class Box: @unchecked Sendable {
        let connection: Connection
        let dsn: DSN

        init(_ connection: Connection, to dsn: DSN) {
            self.connection = connection
            self.dsn = dsn
        }
    }

    /// What `walden init` installs.
    public static let standardQuery = "SELECT walden.role_secret($1)"

    /// - Parameters:
    ///   - query: One statement with the parameter `$1`, the role's name; its first value is the secret. A second column
    ///     is taken in its place, so that queries that give name and secret work as well.
    ///   - timeout: For the whole of an answer, connecting not counted. Default 5 s.
    public init(dsn: DSN, query: String = standardQuery, timeout: Duration = .seconds(5)) throws(PostgresError) {
        idle = Mutex(Idle(dsn: dsn))
        self.query = query
        self.timeout = timeout
        stopSignal = try Interrupt()
    }

    /// The secret as PostgreSQL keeps it; nil for a role that has none or may not log in, and for none at all.
    public func secret(of role: String) throws(PostgresError) -> String? {
        let (taken, dsn) = idle.withLock { ($0.connections.popLast(), $0.dsn) }
        if let taken, taken.connection.isOpen {
            do throws(PostgresError) {
                return try ask(taken, role)
            } catch {
                // It may have ended while it lay idle; the question changes nothing, so it can be asked again.
                guard error.kind == .connectionLost else { throw error }
            }
        }
        var options = Connection.Options()
        options.applicationName = "walden authentication"
        return try ask(Box(try Connection.open(dsn, options, interrupt: stopSignal), to: dsn), role)
    }

    private func ask(_ box: Box, _ role: String) throws(PostgresError) -> String? {
        defer {
            if box.connection.isOpen {
                idle.withLock { idle in
                    if idle.dsn == box.dsn { idle.connections.append(box) }
                }
            }
        }
        let row = try box.connection.execute(query, [role], timeout: timeout).rows.first
        guard let row, let last = row.prefix(2).last else { return nil }
        return last
    }

    /// Secrets are kept elsewhere from now on.
    public func moved(to dsn: DSN) {
        idle.withLock { idle in
            guard idle.dsn != dsn else { return }
            idle = Idle(dsn: dsn)
        }
    }

    /// Ends calls that wait. Returns at once.
    public func stop() {
        stopSignal.raise()
    }
}
