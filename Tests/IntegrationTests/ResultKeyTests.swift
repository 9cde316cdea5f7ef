import Testing
import WaldenTestKit

/// Scenario: rows selected by a column that is not their key, under REPLICA IDENTITY DEFAULT, where the stream does not
/// tell which group an old row was in. Risk: a row that has left stays in a result; or every write to the table drops
/// every result.
@Suite(.serialized) struct ResultKeyTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE items (id int PRIMARY KEY, grp int, v int);
                    INSERT INTO items SELECT n, n % 10, n FROM generate_series(1, 200) AS n;
                    CREATE TABLE tokens (grp int, token uuid, name text, PRIMARY KEY (name, token) INCLUDE (grp));
                    INSERT INTO tokens SELECT n % 10, ('00000000-0000-0000-0000-0000000000' || n)::uuid, 'n' || n
                        FROM generate_series(10, 90) AS n;
                    CREATE TABLE parts (id int PRIMARY KEY, grp int) PARTITION BY RANGE (id);
                    CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
                    CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (1000);
                    INSERT INTO parts SELECT n, n % 10 FROM generate_series(1, 200) AS n
                    """))
    }

    /// A read that is kept, and changes with whether each must leave it in place.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let read: String
        let steps: [(change: String, keeps: Bool)]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "by group", read: "SELECT id, v FROM items WHERE grp = 3 ORDER BY id",
            steps: [
                ("UPDATE items SET v = v + 1 WHERE id = 4", true), ("UPDATE items SET grp = 5 WHERE id = 6", true),
                ("DELETE FROM items WHERE id = 7", true), ("UPDATE items SET id = 1004 WHERE id = 14", true),
                ("UPDATE items SET grp = 4 WHERE id = 3", false), ("UPDATE items SET grp = 3 WHERE id = 8", false),
                ("DELETE FROM items WHERE id = 13", false), ("UPDATE items SET v = 0 WHERE id = 23", false),
                ("UPDATE items SET id = 1023, grp = 1 WHERE id = 23", false),
                (
                    "BEGIN; UPDATE items SET grp = 9 WHERE id = 33; UPDATE items SET grp = 8 WHERE id = 33; COMMIT",
                    false
                ),
                ("BEGIN; UPDATE items SET grp = 9 WHERE id = 41; DELETE FROM items WHERE id = 41; COMMIT", true),
                ("BEGIN; DELETE FROM items WHERE id = 42; INSERT INTO items VALUES (42, 3, 1); COMMIT", false),
            ]),
        Case(
            name: "no rows", read: "SELECT id, v FROM items WHERE grp = 77",
            steps: [
                ("UPDATE items SET v = 0 WHERE id = 101", true), ("DELETE FROM items WHERE id = 102", true),
                ("UPDATE items SET grp = 77 WHERE id = 103", false),
            ]),
        Case(
            name: "the first ones", read: "SELECT id FROM items WHERE grp = 5 ORDER BY v DESC, id LIMIT 2",
            steps: [
                ("UPDATE items SET grp = 4 WHERE id = 55", true), ("DELETE FROM items WHERE id = 65", true),
                ("UPDATE items SET grp = 4 WHERE id = 195", false),
            ]),
        Case(
            name: "key of two columns", read: "SELECT token, name FROM tokens WHERE grp = 3 ORDER BY 2",
            steps: [
                ("UPDATE tokens SET grp = 4 WHERE name = 'n15'", true), ("DELETE FROM tokens WHERE name = 'n16'", true),
                ("UPDATE tokens SET grp = 4 WHERE name = 'n13'", false),
                ("DELETE FROM tokens WHERE name = 'n23'", false),
            ]),
        Case(
            name: "partitions", read: "SELECT id FROM parts WHERE grp = 3 ORDER BY id",
            steps: [
                ("UPDATE parts SET grp = 5 WHERE id = 6", true), ("UPDATE parts SET id = 150 + 800 WHERE id = 8", true),
                ("DELETE FROM parts WHERE id = 150", true), ("UPDATE parts SET grp = 5 WHERE id = 103", false),
                ("UPDATE parts SET id = 913 WHERE id = 13", false), ("DELETE FROM parts_high WHERE id = 113", false),
            ]),
    ]

    /// The rows by the simple protocol, in text, and by the extended one, in binary.
    private func answers(_ client: SQLClient, _ sql: String) throws -> [String] {
        ["\(try client.query(sql).rows)", "\(try client.query(sql, [], format: .binary).rows)"]
    }

    @Test(arguments: cases)
    func onlyWhatConcernsItDropsIt(_ read: Case) throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let reader = try stack.proxied()
        for step in read.steps {
            try stack.warm { try reader.query(read.read) }
            try stack.warm { try reader.query(read.read, [], format: .binary) }
            try writer.query(step.change)
            try stack.waitUntilApplied()
            var told: [String] = []
            let hits = try stack.hits { told = try answers(reader, read.read) }
            #expect(hits == (step.keeps ? 2 : 0), "\(read.name): \(step.change)")
            #expect(try told == answers(writer, read.read), "\(read.name): \(step.change)")
        }
    }
}
