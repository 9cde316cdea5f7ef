import WaldenCore
import WaldenPool
import WaldenWire

/// Why a client gets no link, in words.
enum PoolRefusal {
    static func waitedTooLong(
        _ key: PoolKey, _ obstacle: PoolScope?, _ configuration: PoolConfiguration, lastFailure: ErrorResponse?
    ) -> ErrorResponse {
        let (detail, hint) = words(for: obstacle, key, configuration.limits, lastFailure)
        return ErrorResponse(
            severity: .fatal, sqlState: .tooManyConnections,
            message: "no server connection became free within pool.query_wait_timeout", detail: detail, hint: hint)
    }

    static func tooManyPools(_ limit: Int) -> ErrorResponse {
        ErrorResponse(
            severity: .fatal, sqlState: .tooManyConnections, message: "Walden has too many different pools already",
            detail: "Each database, user and set of startup parameters makes one; the limit is \(limit).",
            hint: "Let clients send the same startup parameters, and set others after connecting.")
    }

    static func nodeLost(_ node: NodeID, _ reason: String) -> ErrorResponse {
        ErrorResponse(
            severity: .fatal, sqlState: .sqlClientUnableToEstablishConnection,
            message: "the server that was to serve the session cannot be used: the \(node) is lost", detail: reason)
    }

    private static func words(
        for obstacle: PoolScope?, _ key: PoolKey, _ limits: PoolLimits, _ lastFailure: ErrorResponse?
    ) -> (detail: String, hint: String) {
        let links = "server connections"
        switch obstacle {
        case .paused(.database(let database)):
            return ("Database \"\(database)\" is paused.", "RESUME it on Walden's console.")
        case .paused(.node):
            return ("The primary is being replaced by another node.", "Try again; walden incidents tells more.")
        case .pool:
            return (
                "All \(limits.pool) \(links) of user \"\(key.user)\" to database \"\(key.database)\" on the "
                    + "\(key.node) are in use.", "Raise pool.size, or end long transactions sooner."
            )
        case .user:
            return (
                "All \(limits.user) \(links) of user \"\(key.user)\" are in use.", "Raise pool.max_user_connections."
            )
        case .database:
            return (
                "All \(limits.database) \(links) to database \"\(key.database)\" are in use.",
                "Raise pool.max_database_connections."
            )
        case .node:
            return ("All \(limits.node) \(links) to the \(key.node) are in use.", "Raise pool.max_node_connections.")
        case .total:
            return ("All \(limits.total) \(links) are in use.", "Raise pool.max_server_connections.")
        case nil:
            guard let lastFailure else {
                return ("Its opening took too long.", "See whether the server is slow to accept connections.")
            }
            return ("The last attempt to open one failed: \(lastFailure.message)", "See the log of the server.")
        }
    }
}
