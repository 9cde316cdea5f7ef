/// One thing that binds a client to its server.
struct PinRow: Hashable, Sendable {
    let client: ConnectionRow
    let server: ConnectionRow?
    let pin: String

    /// One row for each thing that binds, so that a client bound twice has two.
    static func pins(of snapshot: ConnectionSnapshot) -> [PinRow] {
        let servers = Dictionary(snapshot.servers.map { ($0.id, $0) }) { first, _ in first }
        return snapshot.clients.flatMap { client in
            client.pins.map { PinRow(client: client, server: client.link.flatMap { servers[$0] }, pin: $0) }
        }
    }
}

extension PinRow: ConsoleRow {
    static let columns: [RowColumn<PinRow>] = [
        .int8("client_id", "as in `SHOW CLIENTS`") { $0.client.id },
        .text("user", "") { $0.client.user },
        .text("database", "") { $0.client.database },
        .text("application_name", "") { $0.client.applicationName },
        .text("pin", "what binds") { $0.pin },
        .int8("server_id", "as in `SHOW SERVERS`") { $0.server?.id },
        .int4("server_pid", "the backend's process") { $0.server?.processID },
        .text("node", "") { $0.server?.node },
    ]
}
