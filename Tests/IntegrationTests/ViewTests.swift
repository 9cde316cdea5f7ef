import Testing
import WaldenTestKit

/// Scenario: results that were read through views and materialized views are cached, then what stands behind the view
/// changes, or the view. Risk: a hit of the old rows or by the old definition.
@Suite(.serialized) struct ViewTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE people (id int PRIMARY KEY, name text, age int, team int);
                    INSERT INTO people SELECT n, 'person ' || n, n, n % 3 FROM generate_series(1, 30) AS n;
                    CREATE TABLE teams (id int PRIMARY KEY, title text);
                    INSERT INTO teams SELECT n, 'team ' || n FROM generate_series(0, 2) AS n;
                    CREATE VIEW elders AS SELECT id, name, team FROM people WHERE age >= 20;
                    CREATE VIEW elder_teams (person, team) AS
                        SELECT e.name, t.title FROM elders e JOIN teams t ON t.id = e.team;
                    CREATE VIEW counts WITH (security_barrier) AS
                        WITH sizes AS (SELECT team, count(*) AS n FROM people GROUP BY team)
                        SELECT t.title, COALESCE(s.n, 0) AS n FROM teams t LEFT JOIN sizes s ON s.team = t.id;
                    CREATE VIEW clock AS SELECT id, now() AS at FROM people;
                    CREATE MATERIALIZED VIEW summary AS SELECT team, count(*) AS n FROM people GROUP BY team;
                    CREATE UNIQUE INDEX ON summary (team)
                    """))
    }

    static let changes: [(read: String, change: String)] = [
        ("SELECT name FROM elders ORDER BY id", "UPDATE people SET name = 'renamed' WHERE id = 25"),
        ("SELECT count(*) FROM elders", "UPDATE people SET age = 40 WHERE id = 1"),
        ("SELECT * FROM elder_teams ORDER BY 1, 2", "UPDATE teams SET title = 'first' WHERE id = 0"),
        ("SELECT person FROM elder_teams ORDER BY 1", "INSERT INTO people VALUES (99, 'newcomer', 50, 1)"),
        ("SELECT * FROM counts ORDER BY 1", "DELETE FROM people WHERE id = 99"),
        ("SELECT e.name FROM people p JOIN elders e ON e.id = p.id ORDER BY 1", "TRUNCATE people"),
        ("SELECT name FROM elders ORDER BY id", "INSERT INTO people VALUES (5, 'five', 55, 2)"),
        ("SELECT * FROM elders", "CREATE OR REPLACE VIEW elders AS SELECT id, upper(name) AS name, team FROM people"),
        ("SELECT * FROM elder_teams", "ALTER VIEW elder_teams RENAME COLUMN person TO who"),
        ("SELECT * FROM summary ORDER BY 1", "REFRESH MATERIALIZED VIEW summary"),
        (
            "SELECT n FROM summary WHERE team = 2",
            "INSERT INTO people SELECT 6, 'six', 6, 2; REFRESH MATERIALIZED VIEW summary"
        ),
        (
            "SELECT sum(n) FROM summary",
            "DELETE FROM people WHERE id = 6; REFRESH MATERIALIZED VIEW CONCURRENTLY summary"
        ),
        ("SELECT * FROM summary ORDER BY 1", "ALTER MATERIALIZED VIEW summary RENAME COLUMN n TO size"),
    ]

    @Test func everyChangeBehindAViewIsSeen() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        for (read, change) in Self.changes {
            try stack.warm(reader, read)
            for part in change.split(separator: "; ") { try admin.query(String(part)) }
            try stack.waitUntilApplied()
            let (seen, truth) = (try reader.query(read), try admin.query(read))
            #expect(seen.columns == truth.columns, "\(change): \(read)")
            #expect(seen.texts == truth.texts, "\(change): \(read)")
        }
    }

    @Test func refreshingOneViewLeavesTheOthersResults() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let reader = try stack.proxied()
        try stack.warm(reader, "SELECT count(*) FROM teams")
        try admin.query("REFRESH MATERIALIZED VIEW summary")
        try stack.waitUntilApplied()
        #expect(try stack.hits { try reader.query("SELECT count(*) FROM teams") } == 1)
    }

    @Test func aViewWithAClockIsNotCached() throws {
        let stack = try Self.stack.get()
        let reader = try stack.proxied()
        #expect(try stack.hits { for _ in 0..<5 { try reader.query("SELECT id, at FROM clock") } } == 0)
        let explained = try WaldenProcess.run(["explain", stack.cluster.primary.dsn(), "SELECT id FROM clock"])
        #expect(explained.output.contains("not cacheable: function"), "\(explained.transcript)")
    }
}
