public import WaldenWire

/// What a user of the console may do.
public enum ConsoleRole: Hashable, Sendable {
    /// SHOW alone.
    case stats
    case admin
}

/// How a client came.
public enum ConsolePeer: Hashable, Sendable {
    case network
    /// Over a Unix socket.
    ///
    /// - Parameter isOwner: The system says that its process runs as root or as the user that Walden runs as.
    case local(isOwner: Bool)
}

/// Who may use the console.
public struct ConsoleAccess: Hashable, Sendable {
    /// The name of the virtual database; empty: there is no console.
    public var database: String
    public var admins: [String]
    public var readers: [String]

    public init(database: String = "walden", admins: [String] = [], readers: [String] = []) {
        self.database = database
        self.admins = admins
        self.readers = readers
    }

    public enum Entry: Hashable, Sendable {
        case granted(ConsoleRole)
        /// Whoever proves to be that user has the role.
        case authenticate(ConsoleRole)
        case refused(ConsoleRefusal)
    }

    /// Whether a session is the console's. One for replication never is.
    public func isConsole(_ message: StartupMessage) -> Bool {
        !database.isEmpty && message["replication"] == nil
            && message.database.utf8.elementsEqual(database.utf8)
    }

    /// Whoever owns the process could do to it anything that the console can, and needs no password.
    public func entry(of user: String, from peer: ConsolePeer) -> Entry {
        if peer == .local(isOwner: true) { return .granted(.admin) }
        if admins.contains(where: { $0.utf8.elementsEqual(user.utf8) }) { return .authenticate(.admin) }
        if readers.contains(where: { $0.utf8.elementsEqual(user.utf8) }) { return .authenticate(.stats) }
        return .refused(
            ConsoleRefusal(
                .invalidAuthorizationSpecification, "role \"\(user)\" may not use Walden's console",
                hint: "Name it in console.admin_users or console.stats_users, or connect over a Unix socket as the "
                    + "system's user that Walden runs as."))
    }
}
