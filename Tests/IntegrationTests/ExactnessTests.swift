import Testing
import WaldenTestKit

/// Scenario: a result is cached, then something changes that it depends on, past Walden. Risk: a hit that is not the
/// result the query has, each time by another way in which data can change; and entries dropped for nothing.
@Suite(.serialized) struct ExactnessTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE people (id int PRIMARY KEY, name text, age int);
                    INSERT INTO people SELECT n, 'person ' || n, n FROM generate_series(1, 50) AS n;
                    CREATE TABLE orders (
                        id int PRIMARY KEY, person int REFERENCES people ON DELETE CASCADE, total numeric);
                    INSERT INTO orders SELECT n, n % 50 + 1, n FROM generate_series(1, 100) AS n;
                    CREATE TABLE events (id int, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
                    CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
                    CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
                    INSERT INTO events SELECT n, date '2019-12-01' + n, 'event ' || n FROM generate_series(1, 60) AS n;
                    CREATE SCHEMA other;
                    CREATE TABLE other.people (id int PRIMARY KEY, name text, age int);
                    INSERT INTO other.people VALUES (1, 'other person 1', 1);
                    CREATE ROLE reader LOGIN;
                    GRANT SELECT ON people TO reader;
                    CREATE VIEW elders AS SELECT id, name FROM people WHERE age >= 40
                    """))
    }

    /// A change, as SQL run directly on the primary, and a read that it affects.
    struct Change: Sendable, CustomTestStringConvertible {
        let name: String
        let read: String
        let change: [String]
        /// Whether the read is kept at all; if not, it must be right nevertheless.
        let isCached: Bool
        var testDescription: String { name }

        init(_ name: String, read: String, isCached: Bool = true, _ change: String...) {
            self.name = name
            self.read = read
            self.isCached = isCached
            self.change = change
        }
    }

    static let changes: [Change] = [
        Change("update", read: "SELECT name FROM people WHERE id = 1", "UPDATE people SET name = 'a' WHERE id = 1"),
        Change("insert", read: "SELECT count(*) FROM people", "INSERT INTO people VALUES (1001, 'new', 5)"),
        Change(
            "insert into a range", read: "SELECT id FROM people WHERE age BETWEEN 100 AND 200 ORDER BY id",
            "INSERT INTO people VALUES (1002, 'old', 150)"),
        Change("delete", read: "SELECT id FROM people WHERE id IN (1001, 3)", "DELETE FROM people WHERE id = 1001"),
        Change(
            "row leaves a range", read: "SELECT id FROM people WHERE age > 120",
            "UPDATE people SET age = 1 WHERE id = 1002"),
        Change(
            "key changes", read: "SELECT name FROM people WHERE id = 1002",
            "UPDATE people SET id = 1003 WHERE id = 1002"),
        Change("cascade", read: "SELECT count(*) FROM orders", "DELETE FROM people WHERE id = 50"),
        Change(
            "join", read: "SELECT p.name, o.total FROM people p JOIN orders o ON o.person = p.id WHERE o.id = 5",
            "UPDATE people SET name = 'joined' WHERE id = 6"),
        Change(
            "subquery", read: "SELECT name FROM people WHERE id IN (SELECT person FROM orders WHERE total = 10)",
            "UPDATE orders SET total = 10 WHERE id = 20"),
        Change("view", read: "SELECT count(*) FROM elders", isCached: false, "UPDATE people SET age = 99 WHERE id = 2"),
        Change(
            "rolled-back savepoint", read: "SELECT name FROM people WHERE id = 4",
            """
            BEGIN; UPDATE people SET name = 'kept' WHERE id = 4; SAVEPOINT s;
            UPDATE people SET name = 'dropped' WHERE id = 4; ROLLBACK TO s; COMMIT
            """),
        Change(
            "two-phase commit", read: "SELECT name FROM people WHERE id = 5",
            "BEGIN; UPDATE people SET name = 'prepared' WHERE id = 5; PREPARE TRANSACTION 'two'",
            "COMMIT PREPARED 'two'"),
        Change(
            "huge transaction", read: "SELECT sum(age) FROM people WHERE id < 10",
            "BEGIN; INSERT INTO people SELECT n, 'many', 0 FROM generate_series(100000, 150000) AS n; "
                + "UPDATE people SET age = age + 1 WHERE id < 10; DELETE FROM people WHERE id >= 100000; COMMIT"),
        Change(
            "partition, read by the root", read: "SELECT note FROM events WHERE id = 3",
            "UPDATE events_old SET note = 'changed' WHERE id = 3"),
        Change(
            "partition, read by the leaf", read: "SELECT note FROM events_new WHERE id = 40",
            "UPDATE events SET note = 'changed' WHERE id = 40"),
        Change(
            "row moves between partitions", read: "SELECT count(*) FROM events_old",
            "UPDATE events SET at = '2030-01-01' WHERE id = 4"),
        Change(
            "partition detached", read: "SELECT count(*) FROM events", "ALTER TABLE events DETACH PARTITION events_old"),
        Change(
            "partition attached", read: "SELECT count(*) FROM events",
            "ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM ('2000-01-01') TO ('2020-01-01')"),
        Change("column added", read: "SELECT * FROM people WHERE id = 7", "ALTER TABLE people ADD extra int DEFAULT 9"),
        Change("column dropped", read: "SELECT * FROM people WHERE id = 7", "ALTER TABLE people DROP extra"),
        Change(
            "type changed", read: "SELECT age FROM people WHERE id = 7",
            "DROP VIEW elders", "ALTER TABLE people ALTER age TYPE bigint USING age * 2"),
        Change(
            "view replaced by another", read: "SELECT count(*) FROM people WHERE age >= 80",
            "CREATE VIEW elders AS SELECT id, name FROM people WHERE age >= 40", "DELETE FROM people WHERE id = 49"),
        Change(
            "view replaced", read: "SELECT count(*) FROM elders", isCached: false,
            "CREATE OR REPLACE VIEW elders AS SELECT id, name FROM people WHERE age >= 0"),
        Change(
            "table replaced", read: "SELECT count(*) FROM orders",
            "BEGIN; ALTER TABLE orders RENAME TO orders_before; CREATE TABLE orders (id int PRIMARY KEY, person int, total numeric); COMMIT"
        ),
        Change("truncate", read: "SELECT count(*) FROM events", "TRUNCATE events"),
        Change("table dropped", read: "SELECT count(*) FROM orders", "DROP TABLE orders"),
    ]

    /// The rows as text, or the SQLSTATE.
    private func answer(_ client: SQLClient, _ sql: String) throws -> [[String?]] {
        do {
            return try client.query(sql).texts
        } catch let error as SQLError {
            return [[error.sqlState]]
        }
    }

    @Test func everyWayInWhichDataChanges() throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let reader = try stack.proxied()
        for change in Self.changes {
            let before = try? change.isCached ? stack.warm(reader, change.read) : answer(reader, change.read)
            #expect(before != nil, "\(change.name): \(change.read) is never answered from memory")
            for statement in change.change { try writer.query(statement) }
            let truth = try answer(writer, change.read)
            #expect(truth != before, "\(change.name): the test changes nothing")
            try stack.waitUntilApplied()
            #expect(try answer(reader, change.read) == truth, "\(change.name)")
            #expect(try answer(reader, change.read) == truth, "\(change.name), once more")
        }
    }

    static let irrelevant: [Change] = [
        Change(
            "another row", read: "SELECT name FROM people WHERE id = 10", "UPDATE people SET name = 'x' WHERE id = 11"),
        Change(
            "another range", read: "SELECT name FROM people WHERE id BETWEEN 10 AND 12 ORDER BY id",
            "INSERT INTO people VALUES (2001, 'far', 1); DELETE FROM people WHERE id = 2001"),
        Change(
            "another table of the name", read: "SELECT name FROM people WHERE id = 10",
            "UPDATE other.people SET name = 'x' WHERE id = 1"),
        Change(
            "rolled back", read: "SELECT name FROM people WHERE id = 10",
            "BEGIN; UPDATE people SET name = 'never' WHERE id = 10; ROLLBACK"),
        Change(
            "a row that no row that counts is joined to",
            read: "SELECT a.name, b.name FROM people a LEFT JOIN people b ON b.id = a.id WHERE a.id = 10",
            "UPDATE people SET name = 'x' WHERE id = 12"),
        Change(
            "a row that the subquery does not ask for",
            read: "SELECT name FROM people a WHERE id = 10 AND EXISTS (SELECT FROM people b WHERE b.id = a.id)",
            "UPDATE people SET name = 'x' WHERE id = 13"),
        Change(
            "nothing changed by it", read: "SELECT name FROM people WHERE id = 10",
            "UPDATE people SET age = 0 WHERE id = -1"),
    ]

    @Test func whatItDoesNotDependOnLeavesAnEntryInPlace() throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let reader = try stack.proxied()
        for change in Self.irrelevant {
            try stack.warm(reader, change.read)
            for statement in change.change { try writer.query(statement) }
            try stack.waitUntilApplied()
            let hits = try stack.hits { try reader.query(change.read) }
            #expect(hits == 1, "\(change.name)")
        }
    }

    @Test func copyInIsSeen() throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let reader = try stack.proxied()
        let sql = "SELECT name FROM people WHERE id BETWEEN 3000 AND 3010 ORDER BY id"
        #expect(try stack.warm(reader, sql).isEmpty)
        try writer.copyIn("COPY people (id, name) FROM STDIN", Array("3001\tcopied\n".utf8))
        try stack.waitUntilApplied()
        #expect(try reader.query(sql).texts == [["copied"]])
    }

    @Test func revokedRightIsRefusedAtOnce() throws {
        let stack = try Self.stack.get()
        let owner = try stack.direct()
        let reader = try stack.proxied(user: "reader")
        let sql = "SELECT name FROM people WHERE id = 12"
        try stack.warm(reader, sql)
        try owner.query("REVOKE SELECT ON people FROM reader")
        try stack.waitUntilApplied()
        let error = #expect(throws: SQLError.self) { try reader.query(sql) }
        #expect(error?.sqlState == "42501")
        try owner.query("GRANT SELECT ON people TO reader")
    }
}
