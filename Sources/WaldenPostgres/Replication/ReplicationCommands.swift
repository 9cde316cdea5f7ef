/// The walsender's commands for one server version (PostgreSQL documentation, "Streaming Replication Protocol" and
/// "Logical Streaming Replication Parameters"). Text in, text out.
struct ReplicationCommands: Hashable, Sendable {
    /// The first version whose pgoutput streams transactions in progress and sends messages: 14.
    static let oldestVersion = 140_000

    /// Of the logical messages that concern Walden: its own.
    static let messagePrefix = "walden"

    /// As `PQserverVersion` gives it, e.g. 150018.
    let serverVersion: Int

    /// Session settings that fix the text form of values, whatever the role, the database or the file say.
    static let settings: [(name: String, value: String)] = [
        ("datestyle", "ISO, YMD"),
        ("intervalstyle", "postgres"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "3"),
        ("bytea_output", "hex"),
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("search_path", "pg_catalog"),
    ]

    /// pgoutput's protocol. Version 2 brought streaming of transactions in progress with server 14. What came later is
    /// of no use here: 3 (server 15) adds two-phase commit, which acts at COMMIT PREPARED without it; 4 (server 16)
    /// adds abort positions for appliers that work in parallel.
    var protocolVersion: Int { 2 }

    /// A temporary slot goes with its connection, so that Walden's end never holds back the primary's log.
    func createSlot(_ name: String) -> String {
        // The list in parentheses came with 15; 14 knows the key word alone.
        let snapshot = serverVersion >= 150_000 ? "(SNAPSHOT 'nothing')" : "NOEXPORT_SNAPSHOT"
        return "CREATE_REPLICATION_SLOT \(Self.identifier(name)) TEMPORARY LOGICAL pgoutput \(snapshot)"
    }

    /// Streaming from where the slot became consistent.
    func start(slot: String, publication: String) -> String {
        let options: [(String, String)] = [
            ("proto_version", String(protocolVersion)),
            ("publication_names", Self.identifier(publication)),
            ("streaming", "on"),
            ("binary", "true"),
            ("messages", "true"),
        ]
        let list = options.map { "\"\($0.0)\" \(Self.literal($0.1))" }.joined(separator: ", ")
        return "START_REPLICATION SLOT \(Self.identifier(slot)) LOGICAL 0/0 (\(list))"
    }

    /// Whether the stream can start here: one row, is it a standby, does the publication exist.
    static func prerequisites(publication: String) -> String {
        """
        SELECT pg_catalog.pg_is_in_recovery(), \
        EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = \(literal(publication)))
        """
    }

    static func identifier(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }

    /// With standard_conforming_strings, which replication commands always assume.
    static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }
}
