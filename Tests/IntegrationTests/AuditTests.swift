import Testing
import WaldenTestKit

/// Scenario: every hit is read anew and compared, while rows change. Risk: an alarm without a fault, and a fault without
/// an alarm.
@Suite(.serialized) struct AuditTests {
    /// `<~>` reads a table that Walden cannot know of, for the function lies about being IMMUTABLE.
    private static let schema = """
        CREATE TABLE items (id int PRIMARY KEY, kind int, name text, price numeric);
        INSERT INTO items SELECT n, n % 5, 'item ' || n, n FROM generate_series(1, 200) n;
        CREATE TABLE hidden (v int);
        INSERT INTO hidden VALUES (1);
        CREATE FUNCTION lie(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN RETURN (SELECT v FROM hidden); END';
        CREATE OPERATOR <~> (LEFTARG = int, RIGHTARG = int, FUNCTION = lie)
        """
    private static let lie = "SELECT id <~> kind FROM items WHERE id = 1"

    private func start() throws -> WaldenStack {
        var configuration = WaldenStack.Configuration(schema: Self.schema)
        configuration.flags = ["--cache-audit-rate", "1"]
        return try WaldenStack.start(configuration)
    }

    @Test func auditsAgreeWhileRowsChange() throws {
        let stack = try start()
        let client = try stack.proxied()
        let writer = try stack.direct()
        let statements = [
            "SELECT name FROM items WHERE id = 7", "SELECT id, price FROM items WHERE kind = 2 ORDER BY kind",
            "SELECT count(*), max(name) FROM items WHERE kind = 3", "SELECT name FROM items WHERE kind = 1 LIMIT 3",
        ]
        var round = 0
        try eventually("a hundred hits have been audited", timeout: .seconds(60)) {
            round += 1
            if round % 3 == 0 {
                try writer.query("UPDATE items SET name = 'round \(round)', price = price + 1 WHERE id = \(round % 9)")
            }
            for statement in statements { _ = try client.query(statement) }
            return try audits(stack, "audits") > 100
        }
        #expect(try audits(stack, "audit_mismatches") == 0)
        #expect(try audits(stack, "quarantined_shapes") == 0)
    }

    @Test func aWrongEntryIsFoundAndItsStatementLeft() throws {
        let stack = try start()
        let client = try stack.proxied()
        #expect(try stack.warm(client, Self.lie) == [["1"]])
        try stack.direct().query("UPDATE hidden SET v = 2")
        try stack.waitUntilApplied()
        try eventually("the wrong entry is found", timeout: .seconds(30)) {
            _ = try client.query(Self.lie)
            return try audits(stack, "quarantined_shapes") == 1
        }
        #expect(try audits(stack, "audit_mismatches") >= 1)
        try stack.walden.waitForLog("a kept result was wrong")
        #expect(!stack.walden.log.contains("items"))
        for _ in 0..<5 { #expect(try client.scalar(Self.lie) == "2") }
        let hits = try stack.hits { for _ in 0..<5 { _ = try client.query(Self.lie) } }
        #expect(hits == 0)
        #expect(try stack.walden.get("/shapes").body.contains("quarantined"))
    }

    private func audits(_ stack: WaldenStack, _ name: String) throws -> Int {
        try stack.walden.status()["cache"][name].int ?? -1
    }
}
