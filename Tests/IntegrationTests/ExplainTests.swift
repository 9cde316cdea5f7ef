import Testing
import WaldenTestKit

/// Scenario: somebody asks a running Walden why a statement is answered from memory or not. Risk: an answer that is not
/// true of the instance, and values that nobody was to see.
@Suite(.serialized) struct ExplainTests {
    private static let stack = Result {
        var configuration = WaldenStack.Configuration(
            schema: """
                CREATE TABLE goods (id int PRIMARY KEY, name text);
                INSERT INTO goods SELECT n, 'secret' || n FROM generate_series(1, 20) n;
                CREATE TABLE ledger (id int PRIMARY KEY, amount int);
                INSERT INTO ledger VALUES (1, 100)
                """)
        configuration.file = "rules:\n  - name: books\n    table: public.ledger\n    cache: forbid\n"
        return try WaldenStack.start(configuration)
    }

    private func explain(_ sql: String) throws -> JSONValue {
        let walden = try Self.stack.get().walden
        let encoded = sql.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let digits = String(byte, radix: 16)
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + (digits.count < 2 ? "0" : "") + digits
        }
        return try JSONValue(parsing: walden.get("/explain?user=postgres&sql=" + encoded.joined()).body)
    }

    @Test func tellsShapeProfitAndInvalidations() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        let sql = "SELECT name FROM goods WHERE id = 7 /* secret comment */"
        _ = try stack.warm(client, sql)
        try stack.direct().query("UPDATE goods SET name = 'other' WHERE id = 7")
        try stack.waitUntilApplied()
        let answer = try explain("SELECT name FROM goods WHERE id = 9")
        #expect(answer["cacheable"].bool == true)
        #expect(answer["tables"].array[0]["name"].string == "public.goods")
        #expect(answer["tables"].array[0]["rows"].string == "id = 9")
        #expect(answer["tables"].array[0]["matching"].string == "by equality on id")
        #expect(answer["shape"]["text"].string == "SELECT name FROM goods WHERE id = $1")
        #expect(answer["shape"]["hits"].int ?? 0 > 0)
        #expect(answer["last_invalidations"].array[0]["table"].string == "public.goods")
        #expect(answer["last_invalidations"].array[0]["change"].string == "update")
        #expect(answer["last_invalidations"].array[0]["matched"].string == "by equality on id")
        let shapes = try stack.walden.get("/shapes").body
        #expect(shapes.contains("SELECT name FROM goods WHERE id = $1"))
        for hidden in ["secret", "id = 7", "id=7"] {
            #expect(!shapes.contains(hidden))
            #expect(try !stack.walden.get("/explain?sql=SELECT+name+FROM+goods+WHERE+id+%3D+9").body.contains(hidden))
            #expect(try !stack.walden.get("/v1/status").body.contains(hidden))
        }
    }

    @Test func namesTheRuleThatMatches() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxied()
        for _ in 0..<5 { #expect(try client.scalar("SELECT amount FROM ledger WHERE id = 1") == "100") }
        let answer = try explain("SELECT amount FROM ledger WHERE id = 2")
        #expect(answer["configuration_rule"].string == "books (cache: forbid)")
        #expect(answer["not_kept_because"].array[0].string?.hasPrefix("forbidden") == true)
        #expect(answer["shape"]["hits"].int == 0)
    }

    @Test func refusedStatementsAreExplained() throws {
        let answer = try explain("SELECT now() FROM goods")
        #expect(answer["cacheable"].bool == false)
        #expect(answer["refusal"].string == "function")
        #expect(try Self.stack.get().walden.get("/explain").status == 400)
    }

    @Test func theCommandShowsTheSame() throws {
        let stack = try Self.stack.get()
        let port = stack.walden.adminPort
        let result = try WaldenProcess.run([
            "explain", "--instance", "http://127.0.0.1:\(port)", "--role", "postgres",
            "SELECT name FROM goods WHERE name = 'a+b&c=d'",
        ])
        #expect(result.status.isSuccess, "\(result.transcript)")
        #expect(result.transcript.contains("name = 'a+b&c=d'"), "\(result.transcript)")
    }

    @Test func rulesAreReadAgain() throws {
        let stack = try Self.stack.get()
        var configuration = WaldenStack.Configuration()
        configuration.file = "rules: []\n"
        let walden = try WaldenStack.startWalden(configuration, before: stack.cluster)
        let second = WaldenStack(cluster: stack.cluster, walden: walden)
        try second.waitUntilCaching()
        let client = try second.proxied()
        _ = try second.warm(client, "SELECT name FROM goods WHERE id = 3")
        try walden.rewriteConfiguration("rules:\n  - table: public.goods\n    cache: forbid\n")
        walden.reload()
        try walden.waitForLog("the configuration was read again")
        let hits = try second.hits {
            for _ in 0..<5 { _ = try client.scalar("SELECT name FROM goods WHERE id = 3") }
        }
        #expect(hits == 0)
    }
}
