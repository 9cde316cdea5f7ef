package import WaldenCore

/// A transactional message in the log: it moves streams and standbys on when nothing else does, and its commit flushes
/// what was inserted before it.
package enum Heartbeat {
    /// A heartbeat must neither wait for a standby that is away nor be refused by a default of the role.
    package static let settings: [(name: String, value: String)] = [
        ("synchronous_commit", "local"), ("default_transaction_read_only", "off"), ("search_path", "pg_catalog"),
        ("jit", "off"),
    ]

    /// - Parameter connection: One that was opened with `settings`.
    /// - Returns: The end of the message in the log.
    @discardableResult
    package static func emit(
        _ number: UInt64, on connection: Connection, timeout: Duration
    ) throws(PostgresError) -> LSN {
        let result = try connection.execute(
            "SELECT pg_catalog.pg_logical_emit_message(true, 'walden', $1)", ["heartbeat \(number)"],
            timeout: timeout)
        guard let end = result.firstValue.flatMap(LSN.init) else {
            throw PostgresError(.unexpectedReply, "a heartbeat was answered without its position")
        }
        return end
    }
}
