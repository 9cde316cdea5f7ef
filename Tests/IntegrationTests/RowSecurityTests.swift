import Testing
import WaldenTestKit

/// Scenario: several roles read a table with policies. Risk: a hit that shows a role rows that it may not see, or hides
/// rows that it may, after a row, a policy, a membership or a setting has changed.
@Suite(.serialized) struct RowSecurityTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE auditors; CREATE ROLE keeper LOGIN BYPASSRLS;
                    CREATE TABLE notes (id int PRIMARY KEY, owner name, tenant text, text text);
                    CREATE TABLE shares (note int, reader name, PRIMARY KEY (note, reader));
                    CREATE TABLE logs (id int PRIMARY KEY, tenant text);
                    INSERT INTO notes VALUES (1, 'ann', 'x', 'a'), (2, 'bob', 'y', 'b'), (3, 'ann', 'y', 'c');
                    INSERT INTO logs VALUES (1, 'x'), (2, 'y');
                    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE logs ENABLE ROW LEVEL SECURITY;
                    CREATE POLICY own ON notes USING (owner = current_user);
                    CREATE POLICY shared ON notes FOR SELECT USING (EXISTS (
                        SELECT FROM shares WHERE shares.note = notes.id AND shares.reader = current_user));
                    CREATE POLICY audit ON notes FOR SELECT TO auditors USING (true);
                    CREATE POLICY tenant ON logs USING (tenant = current_setting('app.tenant', true));
                    CREATE VIEW all_notes AS SELECT id, text FROM notes;
                    CREATE VIEW my_notes WITH (security_invoker) AS SELECT id, text FROM notes;
                    GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC
                    """))
    }

    private static let read = "SELECT id, text FROM notes ORDER BY id"
    private static let reads = [
        read, "SELECT id, text FROM my_notes ORDER BY id", "SELECT id, text FROM all_notes ORDER BY id",
    ]

    private struct Reader {
        let direct: SQLClient
        let proxied: SQLClient
    }

    private static func readers(_ stack: WaldenStack) throws -> [Reader] {
        try ["ann", "bob", "keeper", "postgres"].map {
            Reader(direct: try stack.direct(user: $0), proxied: try stack.proxied(user: $0))
        }
    }

    @Test func everyRoleSeesItsRows() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let readers = try Self.readers(stack)
        for change in [
            "SELECT", "UPDATE notes SET owner = 'bob' WHERE id = 3", "INSERT INTO shares VALUES (2, 'ann')",
            "INSERT INTO notes VALUES (4, 'ann', 'x', 'd')", "UPDATE notes SET text = 'z' WHERE id = 2",
            "DELETE FROM shares", "CREATE POLICY few ON notes AS RESTRICTIVE USING (id < 4)",
            "ALTER POLICY few ON notes USING (id <> 1)", "DROP POLICY few ON notes", "GRANT auditors TO bob",
            "UPDATE notes SET text = 'y' WHERE id = 1", "REVOKE auditors FROM bob", "DROP POLICY own ON notes",
            "CREATE POLICY own ON notes USING (owner = current_user)",
            "ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE notes FORCE ROW LEVEL SECURITY",
        ] {
            try admin.query(change)
            try stack.waitUntilApplied()
            for reader in readers {
                // What no stream tells of is certain to be seen after a write only.
                try reader.proxied.query("SELECT pg_logical_emit_message(true, 'test', 'a write')")
                for read in Self.reads {
                    let truth = try reader.direct.query(read).texts
                    #expect(try reader.proxied.query(read).texts == truth, "\(change): \(read)")
                    #expect(try stack.warm(reader.proxied, read) == truth, "\(change): \(read)")
                }
            }
        }
    }

    @Test func theRoleThatIsSetDecides() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        let truth = try stack.direct()
        for role in ["ann", "bob", "keeper", "none", "ann"] {
            try client.query("SET ROLE \(role)")
            try truth.query("SET ROLE \(role)")
            #expect(try stack.warm(client, Self.read) == truth.query(Self.read).texts, "\(role)")
        }
    }

    @Test func aTenantsSettingIsInTheKey() throws {
        let stack = try Self.stack.get()
        let read = "SELECT id FROM logs"
        let (one, two) = (try stack.proxied(user: "ann"), try stack.proxied(user: "ann"))
        // Not assigned: a default might say what it is, which differs by session.
        let hits = try stack.hits {
            for _ in 0..<4 {
                let seen = try one.query(read).texts
                #expect(seen == [])
            }
        }
        #expect(hits == 0)
        try one.query("SET app.tenant = 'x'")
        try two.query("SET app.tenant = 'y'")
        for _ in 0..<3 {
            #expect(try stack.warm(one, read) == [["1"]])
            #expect(try stack.warm(two, read) == [["2"]])
        }
        try two.query("SET app.tenant = 'x'")
        #expect(try stack.warm(two, read) == [["1"]])
        let admin = try stack.direct()
        try admin.query("INSERT INTO logs VALUES (3, 'x')")
        try stack.waitUntilApplied()
        #expect(try one.query(read).texts == [["1"], ["3"]])
    }
}
