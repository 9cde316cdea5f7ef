import Testing
import WaldenTestKit

/// Scenario: a function reads tables that the statement does not name. Risk: its result outlives their rows.
@Suite(.serialized) struct DeclaredFunctionTests {
    @Test func itsResultFollowsWhatItIsDeclaredToRead() throws {
        var configuration = WaldenStack.Configuration(
            schema: """
                CREATE TABLE lines (id int PRIMARY KEY, price int);
                INSERT INTO lines VALUES (1, 10), (2, 20);
                CREATE FUNCTION total(bound integer) RETURNS bigint STABLE LANGUAGE sql
                    AS 'SELECT sum(price) FROM lines WHERE id >= bound';
                CREATE FUNCTION other() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM lines'
                """)
        configuration.file = """
            functions:
              - name: public.total(integer)
                reads: [public.lines]
            """
        configuration.flags = ["--cache-admission", "always"]
        let stack = try WaldenStack.start(configuration)
        // While the catalog is not known, a call of an unknown function makes its session opaque.
        try stack.warm(stack.proxied(), "SELECT count(*) FROM lines")
        let client = try stack.proxied()
        let writer = try stack.direct()
        #expect(try stack.warm(client, "SELECT total(1)") == [["30"]])
        for (change, expected) in [
            ("UPDATE lines SET price = 21 WHERE id = 2", "31"), ("DELETE FROM lines WHERE id = 1", "21"),
            ("INSERT INTO lines VALUES (3, 1)", "22"), ("ALTER TABLE lines ALTER COLUMN price SET DEFAULT 3", "22"),
            (
                "CREATE OR REPLACE FUNCTION total(bound integer) RETURNS bigint STABLE LANGUAGE sql "
                    + "AS 'SELECT 2 * sum(price) FROM lines WHERE id >= bound'", "44"
            ), ("TRUNCATE lines; INSERT INTO lines VALUES (1, 4)", "8"),
        ] {
            try writer.query(change)
            try stack.waitUntilApplied()
            #expect(try client.query("SELECT total(1)").texts == [[expected]], "\(change)")
            #expect(try stack.warm(client, "SELECT total(1)") == [[expected]], "\(change)")
        }
        let hits = try stack.hits { for _ in 0..<4 { _ = try client.query("SELECT other()") } }
        #expect(hits == 0)
    }
}
