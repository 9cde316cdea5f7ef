/// What a session goes on with after its startup message (protocol chapter, Start-up; PostgreSQL
/// `ProcessStartupPacket`). Walden speaks every minor version of protocol 3 up to 3.2 with its clients; of the `_pq_.`
/// options it knows none, as PostgreSQL.
extension StartupMessage {
    /// The version asked for, or the newest known when that is older.
    public var agreedVersion: ProtocolVersion { min(version, .latest) }

    /// What the client is told before anything else; nil when it gets what it asked for.
    public var negotiation: NegotiateProtocolVersion? {
        guard version > .latest || !protocolOptions.isEmpty else { return nil }
        return NegotiateProtocolVersion(
            version: agreedVersion, unrecognizedOptions: protocolOptions.map(\.name))
    }

    /// The length of the secret in the BackendKeyData that the client gets, in bytes: 4 before 3.2, else 32, as
    /// PostgreSQL 18 (`MAX_CANCEL_KEY_LENGTH`). Clients of 3.2 must take up to 256.
    public var cancelSecretByteCount: Int { agreedVersion < .latest ? 4 : 32 }
}
