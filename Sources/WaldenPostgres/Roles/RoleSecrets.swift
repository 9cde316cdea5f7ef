internal import WaldenCore

/// Asks the primary what it keeps of a role's password, over connections of its own that stay open
/// (`ConnectionShelf`). Calls block and may come from several threads at once.
public final class RoleSecrets: Sendable {
    private let query: String
    private let timeout: Duration
    private let shelf: ConnectionShelf

    /// What `walden init` installs.
    public static let standardQuery = "SELECT walden.role_secret($1)"

    /// - Parameters:
    ///   - query: One statement with the parameter `$1`, the role's name; its first value is the secret. A second column
    ///     is taken in its place, so that queries that give name and secret work as well.
    ///   - timeout: For the whole of an answer, connecting not counted. Default 5 s.
    public init(dsn: DSN, query: String = standardQuery, timeout: Duration = .seconds(5)) throws(PostgresError) {
        self.query = query
        self.timeout = timeout
        var options = Connection.Options()
        options.applicationName = "walden authentication"
        shelf = try ConnectionShelf(dsn, options)
    }

    /// The secret as PostgreSQL keeps it; nil for a role that has none or may not log in, and for none at all.
    public func secret(of role: String) throws(PostgresError) -> String? {
        try shelf.ask { (connection) throws(PostgresError) in
            let row = try connection.execute(query, [role], timeout: timeout).rows.first
            return row?.prefix(2).last ?? nil
        }
    }

    /// Secrets are kept elsewhere from now on.
    public func moved(to dsn: DSN) {
        shelf.moved(to: dsn)
    }

    /// Ends calls that wait. Returns at once.
    public func stop() {
        shelf.stop()
    }
}
