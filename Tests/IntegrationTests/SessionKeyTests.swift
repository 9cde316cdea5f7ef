import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: one statement text means different things to different sessions. Risk: a result given to a session in which
/// it would have been another one, or in another form.
@Suite(.serialized) struct SessionKeyTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE names (id int PRIMARY KEY, name text, at timestamptz, ratio float8);
                    INSERT INTO names VALUES (1, 'public', '2024-05-06 07:08+00', 1.0 / 3);
                    CREATE SCHEMA other;
                    CREATE TABLE other.names (id int PRIMARY KEY, name text, at timestamptz, ratio float8);
                    INSERT INTO other.names VALUES (1, 'other', '2024-05-06 07:08+00', 1.0 / 3);
                    CREATE ROLE guest LOGIN;
                    CREATE TABLE notes (id int PRIMARY KEY, owner text, note text);
                    INSERT INTO notes VALUES (1, 'postgres', 'mine'), (2, 'guest', 'theirs');
                    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                    CREATE POLICY own ON notes USING (owner = current_user);
                    GRANT SELECT ON notes TO guest;
                    GRANT guest TO postgres
                    """))
    }

    /// After each of these the read must be what PostgreSQL says to the same session without Walden.
    static let settings = [
        "SET search_path = other", "SET TimeZone = 'Asia/Tokyo'", "SET DateStyle = 'German, DMY'",
        "SET extra_float_digits = -5", "SET search_path = other, public; SET TimeZone = 'UTC'",
        "SELECT set_config('TimeZone', 'America/New_York', false)",
        "DO $$ BEGIN PERFORM set_config('search_path', 'other', false); END $$", "RESET ALL",
        "SET ROLE guest; SET search_path = public", "RESET ROLE", "DISCARD ALL", "SET client_encoding = 'LATIN1'",
        "CREATE TEMP TABLE names (id int, name text, at timestamptz, ratio float8)",
        "INSERT INTO pg_temp.names VALUES (1, 'temporary', '2000-01-01', 0)", "DISCARD TEMP",
        "BEGIN; SET LOCAL search_path = other", "COMMIT", "BEGIN; SET search_path = other", "ROLLBACK",
        "ALTER ROLE postgres SET search_path = public",
    ]
    private static let read = "SELECT name, at, ratio FROM names WHERE id = 1"

    private func answer(_ client: SQLClient, _ sql: String) throws -> [[String?]] {
        do {
            return try client.query(sql).texts
        } catch let error as SQLError {
            return [[error.sqlState]]
        }
    }

    @Test func everySettingIsPartOfTheKey() throws {
        let stack = try Self.stack.get()
        let plain = try stack.proxied()
        let direct = try stack.direct()
        let proxied = try stack.proxied()
        let expected = try stack.warm(plain, Self.read)
        for setting in Self.settings {
            try direct.query(setting)
            try proxied.query(setting)
            let truth = try answer(direct, Self.read)
            for round in 1...3 {
                #expect(try answer(proxied, Self.read) == truth, "after \(setting), round \(round)")
            }
            #expect(try answer(plain, Self.read) == expected, "in the plain session after \(setting)")
        }
        try direct.query("ALTER ROLE postgres RESET search_path")
    }

    @Test func policiesShowEachRoleItsOwn() throws {
        let stack = try Self.stack.get()
        let owner = try stack.proxied()
        let guest = try stack.proxied(user: "guest")
        let sql = "SELECT note FROM notes ORDER BY id"
        for _ in 0..<3 {
            #expect(try owner.query(sql).texts == [["mine"], ["theirs"]])
            #expect(try guest.query(sql).texts == [["theirs"]])
        }
        try owner.query("SET ROLE guest")
        for _ in 0..<3 { #expect(try owner.query(sql).texts == [["theirs"]]) }
    }

    // MARK: The bytes

    private static let requests: [(String, [UInt8])] = [
        ("simple", Send.query(read)),
        ("text", Send.parse(read) + Send.bind() + Send.describe(portal: "") + Send.execute() + Send.sync),
        (
            "binary",
            Send.parse(read) + Send.bind(resultFormats: [1]) + Send.describe(portal: "") + Send.execute() + Send.sync
        ),
        (
            "mixed",
            Send.parse(read) + Send.bind(resultFormats: [0, 1, 1]) + Send.describe(portal: "") + Send.execute()
                + Send.sync
        ),
        ("without Describe", Send.parse(read) + Send.bind() + Send.execute() + Send.sync),
        (
            "parameter in text",
            Send.parse("SELECT name FROM names WHERE id = $1") + Send.bind(texts: ["1"]) + Send.execute() + Send.sync
        ),
        (
            "parameter in binary",
            Send.parse("SELECT name FROM names WHERE id = $1", types: [23])
                + Send.bind([[0, 0, 0, 1]], formats: [1]) + Send.execute() + Send.sync
        ),
        (
            "statement described",
            Send.parse(read) + Send.describe(statement: "") + Send.bind() + Send.execute() + Send.sync
        ),
    ]

    @Test func hitAndMissAreTheSameBytes() throws {
        let stack = try Self.stack.get()
        let direct = try stack.directProtocol()
        let client = try stack.proxiedProtocol()
        let expected = try Self.requests.map { try direct.exchange($0.1).map(\.bytes) }
        // In turns, so that each form is asked for while the others are cached.
        for round in 0..<5 {
            for (index, request) in Self.requests.enumerated() {
                let answer = try client.exchange(request.1).map(\.bytes)
                #expect(answer == expected[index], "\(request.0), round \(round)")
            }
        }
        // A description of the statement needs the server: that form is never answered from memory.
        for request in Self.requests where request.0 != "statement described" {
            #expect(throws: Never.self, "\(request.0)") { try stack.warm { try client.exchange(request.1) } }
        }
    }

    @Test func transactionStatusOfAHitIsTheSessions() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol()
        try stack.warm { try client.exchange(Send.query(Self.read)) }
        _ = try client.exchange(Send.query("BEGIN"))
        for _ in 0..<3 {
            #expect(try client.exchange(Send.query(Self.read)).last?.transactionStatus == "T")
        }
        _ = try client.exchange(Send.query("SELECT 1 / 0"))
        let failed = try client.exchange(Send.query(Self.read))
        #expect(failed.first?.sqlState == "25P02")
        #expect(failed.last?.transactionStatus == "E")
        _ = try client.exchange(Send.query("ROLLBACK"))
        #expect(try client.exchange(Send.query(Self.read)).last?.transactionStatus == "I")
    }

    /// A session sees what it has written itself before it commits, and nobody else does.
    @Test func ownWritesAreSeenInTheirTransaction() throws {
        let stack = try Self.stack.get()
        let writer = try stack.proxied()
        let reader = try stack.proxied()
        let sql = "SELECT name FROM other.names WHERE id = 1"
        try stack.warm(writer, sql)
        try writer.query("BEGIN; UPDATE other.names SET name = 'mine' WHERE id = 1")
        for _ in 0..<3 {
            #expect(try writer.query(sql).texts == [["mine"]])
            #expect(try reader.query(sql).texts == [["other"]])
        }
        try writer.query("ROLLBACK")
        #expect(try stack.warm(reader, sql) == [["other"]])
    }

    @Test func repeatableReadKeepsItsSnapshot() throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let client = try stack.proxied()
        let sql = "SELECT ratio FROM names WHERE id = 1"
        try stack.warm(client, sql)
        try client.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
        let before = try client.query(sql).texts
        try writer.query("UPDATE names SET ratio = 0.25 WHERE id = 1")
        try stack.waitUntilApplied()
        #expect(try client.query(sql).texts == before)
        try client.query("COMMIT")
        #expect(try client.query(sql).texts == [["0.25"]])
        try writer.query("UPDATE names SET ratio = 1.0 / 3 WHERE id = 1")
    }

    /// Refused by the gate: each answer must be the server's own.
    @Test(arguments: [
        "SELECT now()", "SELECT random()", "SELECT txid_current()", "SELECT current_date", "SELECT 'now'::timestamptz",
        "SELECT name FROM names WHERE at < 'tomorrow'", "SELECT count(*) FROM pg_class",
        "SELECT name FROM names WHERE id = 1 FOR UPDATE", "SELECT nextval('counter')", "SELECT * FROM unlogged_table",
        "SELECT pg_backend_pid()", "SELECT name FROM names TABLESAMPLE SYSTEM (100)", "TABLE names INTO nowhere",
        "WITH w AS (UPDATE names SET name = name RETURNING name) SELECT * FROM w", "SELECT current_user",
    ])
    func whatIsNotDeterministicIsNeverCached(_ sql: String) throws {
        let stack = try Self.stack.get()
        try stack.direct().query(
            "CREATE SEQUENCE IF NOT EXISTS counter; CREATE UNLOGGED TABLE IF NOT EXISTS unlogged_table (id int)")
        try stack.waitUntilApplied()
        let client = try stack.proxied()
        let hits = try stack.hits {
            for _ in 0..<5 { _ = try answer(client, sql) }
        }
        #expect(hits == 0)
    }
}
