import Testing
import WaldenTestKit

/// Scenario: a managed service without event triggers, cached all the same (`cache.without_event_triggers: poll`). Risk:
/// a schema change of which no message tells leaves results behind.
@Suite(.serialized) struct PolledSchemaTests {
    private static let stack = Result {
        let cluster = try Cluster.start()
        try cluster.primary.connect().query(
            """
            CREATE TABLE near (id int PRIMARY KEY, a int);
            INSERT INTO near SELECT n, n FROM generate_series(1, 5) AS n;
            CREATE TABLE part (id int, k int) PARTITION BY LIST (k);
            CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
            CREATE TABLE part_2 (id int, k int);
            INSERT INTO part VALUES (1, 1);
            INSERT INTO part_2 VALUES (2, 2);
            CREATE SCHEMA other;
            CREATE VIEW seen AS SELECT id FROM near WHERE a < 3;
            CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM near;
            CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
            CREATE ROLE visitor LOGIN;
            GRANT SELECT ON near TO visitor;
            CREATE PUBLICATION walden FOR TABLE near, part, part_2
            """)
        var configuration = WaldenStack.Configuration()
        configuration.flags = ["--cache-without-event-triggers", "poll"]
        let walden = try WaldenStack.startWalden(configuration, before: cluster)
        let stack = WaldenStack(cluster: cluster, walden: walden)
        try stack.waitUntilCaching()
        return stack
    }

    private static let reads = [
        "SELECT * FROM near ORDER BY id", "SELECT count(*) FROM part", "SELECT id FROM seen ORDER BY id",
        "SELECT sum(twice(id)) FROM near",
    ]

    /// From now on the session is served states from after this call only.
    private static func write(_ client: SQLClient) throws {
        try client.query("SELECT pg_logical_emit_message(true, 'test', 'a write')")
    }

    private static func answer(_ client: SQLClient, _ sql: String) throws -> [[String?]] {
        do {
            return try client.query(sql).texts
        } catch let error as SQLError {
            return [[error.sqlState]]
        }
    }

    @Test(arguments: [
        "ALTER TABLE near ADD COLUMN b int DEFAULT 7", "ALTER TABLE near ALTER COLUMN b TYPE text",
        "ALTER TABLE near DROP COLUMN b", "ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)",
        "INSERT INTO part_2 VALUES (3, 2)", "ALTER TABLE part DETACH PARTITION part_2",
        "CREATE OR REPLACE VIEW seen AS SELECT id FROM near WHERE a < 4",
        "CREATE OR REPLACE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 3'",
        "REVOKE SELECT ON near FROM visitor", "GRANT SELECT ON near TO visitor",
        "ALTER TABLE near ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON near USING (id > 2)",
        "ALTER POLICY p ON near USING (id > 3)", "ALTER TABLE near DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE near RENAME TO far; ALTER TABLE far RENAME TO near",
        "ALTER PUBLICATION walden DROP TABLE near", "UPDATE near SET a = a + 1",
        "ALTER PUBLICATION walden ADD TABLE near", "UPDATE near SET a = a - 1", "TRUNCATE near",
        "INSERT INTO near VALUES (1, 1), (9, 2)",
    ])
    func everyChangeShows(_ change: String) throws {
        let stack = try Self.stack.get()
        let (direct, proxied) = (try stack.direct(), try stack.proxied())
        let (visitor, guest) = (try stack.direct(user: "visitor"), try stack.proxied(user: "visitor"))
        let pairs = [(direct, proxied), (visitor, guest)]
        for _ in 0..<8 { for read in Self.reads { _ = try Self.answer(proxied, read) } }
        for _ in 0..<3 { _ = try Self.answer(guest, Self.reads[0]) }
        try direct.query(change)
        for (truth, client) in pairs {
            // What the log does not tell of is certain to be seen after a write only.
            try Self.write(client)
            for read in Self.reads {
                let expected = try Self.answer(truth, read)
                for round in 1...3 {
                    #expect(try Self.answer(client, read) == expected, "\(change): \(read), round \(round)")
                }
            }
        }
    }

    @Test func readsAreKept() throws {
        let stack = try Self.stack.get()
        #expect(try stack.warm(stack.proxied(), "SELECT count(*) FROM near WHERE id > 100") == [["0"]])
        #expect(try stack.walden.get("/v1/status").body.contains("schema changes do not reach the log"))
    }

    /// A refresh need not change the catalog.
    @Test func materializedViewsAreNotKept() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        let hits = try stack.hits { for _ in 0..<5 { _ = try client.query("SELECT * FROM kept") } }
        #expect(hits == 0)
    }

    /// Sessions make temporary tables all the time.
    @Test func temporaryTablesFlushNothing() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        let read = "SELECT count(*) FROM near WHERE id > 200"
        let other = try stack.direct()
        try other.query("CREATE TEMP TABLE before (id serial PRIMARY KEY, a text, CHECK (id > 0))")
        try stack.warm(client, read)
        let loads = try stack.figures().hits
        try other.query("CREATE TEMP TABLE scratch (id serial PRIMARY KEY, a text, CHECK (id > 0))")
        try Self.write(client)
        try eventually("a hit") { try client.query(read).texts == [["0"]] && stack.figures().hits > loads }
    }
}
