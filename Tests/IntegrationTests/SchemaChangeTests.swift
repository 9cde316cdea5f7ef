import Testing
import WaldenTestKit

/// Scenario: results are cached, then the schema, a right or a role changes. Risk: a hit by the old meaning of a
/// statement, or for a role that has lost its rights; and results dropped that the change does not concern.
@Suite(.serialized) struct SchemaChangeTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE near (id int PRIMARY KEY, a int);
                    CREATE TABLE far (id int PRIMARY KEY, a int);
                    INSERT INTO near SELECT n, n FROM generate_series(1, 5) AS n;
                    INSERT INTO far SELECT n, n FROM generate_series(1, 5) AS n;
                    CREATE TABLE part (id int, k int) PARTITION BY LIST (k);
                    CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
                    CREATE TABLE part_2 (id int, k int);
                    INSERT INTO part VALUES (1, 1);
                    INSERT INTO part_2 VALUES (2, 2);
                    CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                    CREATE SCHEMA other;
                    CREATE ROLE visitor LOGIN;
                    CREATE ROLE readers;
                    GRANT readers TO visitor;
                    GRANT SELECT ON near TO readers
                    """))
    }

    /// From now on the session is served states from after this call only.
    private static func write(_ client: SQLClient) throws {
        try client.query("SELECT pg_logical_emit_message(true, 'test', 'a write')")
    }

    private static let farRead = "SELECT count(*) FROM far"

    /// DDL on `near`, and whether results of `far` outlive it.
    static let commands: [(String, Bool)] = [
        ("CREATE INDEX near_a ON near (a)", true),
        ("ALTER INDEX near_a RENAME TO near_b", true),
        ("DROP INDEX near_b", true),
        ("ALTER TABLE near ADD COLUMN b int DEFAULT 7", true),
        ("ALTER TABLE near RENAME COLUMN b TO c", true),
        ("ALTER TABLE near ALTER COLUMN c TYPE text", true),
        ("ALTER TABLE near DROP COLUMN c", true),
        ("ALTER TABLE near REPLICA IDENTITY FULL", true),
        ("CREATE TRIGGER t BEFORE UPDATE ON near FOR EACH ROW EXECUTE FUNCTION quiet()", true),
        ("DROP TRIGGER t ON near", true),
        ("COMMENT ON TABLE near IS 'x'", true),
        ("CREATE STATISTICS s ON id, a FROM near", true),
        ("GRANT SELECT ON near TO visitor", true),
        ("REVOKE SELECT ON near FROM visitor", false),
        ("CREATE TABLE fresh (id int)", false),
        ("DROP TABLE fresh", false),
        ("CREATE VIEW seen AS SELECT * FROM near", false),
        ("DROP VIEW seen", false),
        ("CREATE FUNCTION one(near) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'", false),
        // Its row type serves in a function.
        ("ALTER TABLE near ADD COLUMN d int", false),
        ("DROP FUNCTION one(near)", false),
        // An index hides no relation, unless its name says so.
        ("CREATE INDEX far ON other.near (id)", false),
        ("ALTER TABLE near RENAME TO nearer", false),
        ("ALTER TABLE nearer RENAME TO near", false),
        ("ALTER TABLE near SET SCHEMA other", false),
        ("ALTER TABLE other.near SET SCHEMA public", false),
    ]

    @Test func ddlDropsWhatItTouches() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        let nearRead = "SELECT * FROM near ORDER BY id"
        for (command, farIsKept) in Self.commands {
            if command.contains("other.near (id)") { try admin.query("CREATE TABLE other.near (id int)") }
            let readsNear = try !admin.query("SELECT FROM pg_tables WHERE tablename = 'near' AND schemaname = 'public'")
                .rows.isEmpty
            if readsNear { try stack.warm(reader, nearRead) }
            try stack.warm(reader, Self.farRead)
            try admin.query(command)
            try stack.waitUntilApplied()
            let isKept = try stack.hits { try reader.query(Self.farRead) } == 1
            #expect(isKept == farIsKept, "\(command)")
            if readsNear, !command.contains("RENAME TO nearer"), !command.contains("SET SCHEMA other") {
                let seen = try reader.query(nearRead)
                #expect(seen.columns == (try admin.query(nearRead).columns), "\(command)")
                #expect(seen.texts == (try admin.query(nearRead).texts), "\(command)")
            }
            if command.contains("other.near (id)") { try admin.query("DROP TABLE other.near") }
        }
    }

    @Test func partitionsComeAndGo() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        let reads = ["SELECT id, k FROM part ORDER BY 1", "SELECT id, k FROM part_2 ORDER BY 1"]
        func check(_ step: String) throws {
            try stack.waitUntilApplied()
            for read in reads { #expect(try reader.query(read).texts == admin.query(read).texts, "\(step): \(read)") }
            for read in reads { try stack.warm(reader, read) }
        }
        try check("at first")
        for step in [
            "ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)", "INSERT INTO part VALUES (3, 2)",
            "UPDATE part SET k = 2 WHERE id = 1", "UPDATE part_2 SET k = 2, id = 9 WHERE id = 3",
            "UPDATE part SET k = 1 WHERE id = 9", "TRUNCATE part_2", "INSERT INTO part_2 VALUES (4, 2)",
            "ALTER TABLE part DETACH PARTITION part_2 CONCURRENTLY", "INSERT INTO part_2 VALUES (5, 2)",
            "ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)", "ALTER TABLE part DETACH PARTITION part_2",
        ] {
            try admin.query(step)
            try check(step)
        }
    }

    /// The stream names every published relation that a cascade emptied.
    @Test func truncateCascadesToTheResultsOfReferencingTables() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        try admin.query(
            "CREATE TABLE head (id int PRIMARY KEY); CREATE TABLE body (id int PRIMARY KEY, head int REFERENCES head); "
                + "CREATE TABLE tail (id int PRIMARY KEY, body int REFERENCES body); INSERT INTO head VALUES (1); "
                + "INSERT INTO body VALUES (1, 1); INSERT INTO tail VALUES (1, 1)")
        let reads = ["SELECT id FROM body WHERE head = 1", "SELECT count(*) FROM tail"]
        #expect(try stack.warm(reader, reads[0]) == [["1"]])
        #expect(try stack.warm(reader, reads[1]) == [["1"]])
        try admin.query("TRUNCATE head CASCADE")
        try stack.waitUntilApplied()
        #expect(try reader.query(reads[0]).texts == [])
        #expect(try reader.query(reads[1]).texts == [["0"]])
    }

    /// The first of its two transactions hides the rows; the second waits for an old reader.
    @Test func rowsHiddenByAConcurrentDetachAreGoneAtOnce() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        try admin.query("CREATE TABLE slow (k int) PARTITION BY LIST (k)")
        try admin.query("CREATE TABLE slow_1 PARTITION OF slow FOR VALUES IN (1); INSERT INTO slow VALUES (1)")
        #expect(try stack.warm(reader, "SELECT k FROM slow") == [["1"]])
        let old = try stack.direct()
        try old.query("BEGIN; SELECT * FROM slow")
        let detacher = try stack.direct()
        try detacher.begin("ALTER TABLE slow DETACH PARTITION slow_1 CONCURRENTLY")
        try eventually("the partition is hidden") { try admin.query("SELECT k FROM slow").texts.isEmpty }
        try stack.waitUntilApplied()
        #expect(try reader.query("SELECT k FROM slow").texts == [])
        #expect(detacher.isBusy)
        try old.query("COMMIT")
        try detacher.finish()
    }

    // MARK: Behind Walden's back

    @Test func withoutAnEventTriggerNothingIsCached() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        for (away, back) in [
            ("ALTER EVENT TRIGGER walden_ddl DISABLE", "ALTER EVENT TRIGGER walden_ddl ENABLE ALWAYS"),
            ("ALTER EVENT TRIGGER walden_start DISABLE", "ALTER EVENT TRIGGER walden_start ENABLE ALWAYS"),
            (
                "DROP EVENT TRIGGER walden_drop",
                "CREATE EVENT TRIGGER walden_drop ON sql_drop EXECUTE FUNCTION walden.on_drop(); "
                    + "ALTER EVENT TRIGGER walden_drop ENABLE ALWAYS"
            ),
        ] {
            try stack.warm(reader, Self.farRead)
            try admin.query(away)
            try eventually("walden stops caching after \(away)") { try !stack.figures().isCaching }
            #expect(try WaldenProcess.run(["doctor", stack.cluster.primary.dsn()]).output.contains("event_triggers"))
            #expect(try stack.hits { _ = try reader.query(Self.farRead) } == 0)
            try admin.query(back)
            try stack.waitUntilCaching()
        }
        try stack.warm(reader, Self.farRead)
    }

    /// Disabled, used and enabled again within one poll: the next probe sees that something was done to it.
    @Test func aMomentWithoutAnEventTriggerIsNoticed() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        for round in 0..<3 {
            let read = "SELECT * FROM far ORDER BY id"
            try stack.warm(reader, read)
            try admin.query(
                "ALTER EVENT TRIGGER walden_ddl DISABLE; ALTER TABLE far ADD COLUMN unseen\(round) int; "
                    + "ALTER EVENT TRIGGER walden_ddl ENABLE ALWAYS")
            try Self.write(reader)
            #expect(try reader.query(read).columns == admin.query(read).columns)
        }
    }

    @Test func whatThePublicationOrTheLogLacksIsNotCached() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        try admin.query(
            "CREATE TABLE bare (id int PRIMARY KEY, a int); CREATE TABLE logless (id int PRIMARY KEY); "
                + "INSERT INTO bare VALUES (1, 1); INSERT INTO logless VALUES (1)")
        for (read, away, change, back) in [
            (
                "SELECT count(*) FROM bare", "ALTER TABLE bare REPLICA IDENTITY NOTHING",
                "INSERT INTO bare SELECT max(id) + 1, 0 FROM bare", "ALTER TABLE bare REPLICA IDENTITY DEFAULT"
            ),
            (
                "SELECT count(*) FROM logless", "ALTER TABLE logless SET UNLOGGED",
                "INSERT INTO logless SELECT max(id) + 1 FROM logless", "ALTER TABLE logless SET LOGGED"
            ),
        ] {
            try stack.warm(reader, read)
            try admin.query(away)
            try stack.waitUntilApplied()
            for _ in 0..<3 {
                try admin.query(change)
                let hits = try stack.hits {
                    let seen = try reader.query(read).texts
                    #expect(seen == (try admin.query(read).texts))
                }
                #expect(hits == 0)
            }
            try admin.query(back)
            try stack.warm(reader, read)
        }
    }

    // MARK: Roles

    /// No stream tells of it; the probe that vouches for the time after it does.
    @Test func aLostMembershipEndsTheHits() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let visitor = try stack.proxied(user: "visitor")
        let read = "SELECT count(*) FROM near"
        for _ in 0..<3 {
            try stack.warm(visitor, read)
            try admin.query("REVOKE readers FROM visitor")
            try Self.write(visitor)
            #expect(throws: (any Error).self) { try visitor.query(read) }
            try admin.query("GRANT readers TO visitor")
        }
    }
}
