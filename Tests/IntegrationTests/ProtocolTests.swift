import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: scripts of messages, legal and not, are run against PostgreSQL and through Walden. Risk: a client sees
/// another conversation than PostgreSQL's. PostgreSQL's own answer is the reference.
@Suite(.serialized) struct ProtocolTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10, 2), at timestamptz);
                    INSERT INTO items SELECT n, 'item ' || n, n * 1.5, '2024-01-01 00:00+00'
                        FROM generate_series(1, 100) AS n;
                    CREATE TABLE copied (a int, b text)
                    """))
    }

    struct Script: Sendable, CustomTestStringConvertible {
        let name: String
        /// Each step is sent in one write; then ReadyForQuery is awaited this many times.
        let steps: [(messages: [[UInt8]], ready: Int)]
        var testDescription: String { name }

        init(_ name: String, _ steps: [(messages: [[UInt8]], ready: Int)]) {
            self.name = name
            self.steps = steps
        }

        init(_ name: String, _ messages: [UInt8]..., ready: Int = 1) {
            self.init(name, [(messages, ready)])
        }
    }

    private func transcript(of script: Script, with client: ProtocolClient) throws -> [BackendMessage] {
        try script.steps.flatMap { step in
            for message in step.messages { try client.send(message) }
            return try client.receiveUntilReady(step.ready)
        }
    }

    @Test(arguments: scripts)
    func sameConversationAsWithPostgreSQL(_ script: Script) throws {
        let stack = try Self.stack.get()
        let direct = try stack.directProtocol()
        let expected = try transcript(of: script, with: direct)
        // Twice, so that what can be cached is cached the second time; then on a fresh connection.
        let proxied = try stack.proxiedProtocol()
        for round in 1...2 {
            let answer = try transcript(of: script, with: proxied)
            #expect(answer == expected, "round \(round)")
            _ = try proxied.exchange(Send.query("DEALLOCATE ALL; RESET ALL"))
        }
        let again = try stack.proxiedProtocol()
        #expect(try transcript(of: script, with: again) == expected)
        #expect(again.parameters == direct.parameters)
    }

    private static let scripts: [Script] = [
        Script("empty query", Send.query("")),
        Script("semicolon", Send.query(" ; ")),
        Script("one row", Send.query("SELECT * FROM items WHERE id = 7")),
        Script("no row", Send.query("SELECT * FROM items WHERE id = -7")),
        Script("two statements", Send.query("SELECT 1; SELECT name FROM items WHERE id = 2")),
        Script("error in the second statement", Send.query("SELECT 1; SELECT 1 / 0; SELECT 2")),
        Script("syntax error", Send.query("SELEC 1")),
        Script("implicit transaction of a query string", Send.query("BEGIN; SELECT 1; COMMIT; SELECT 2")),
        Script(
            "failed transaction",
            [
                ([Send.query("BEGIN")], 1), ([Send.query("SELECT 1 / 0")], 1), ([Send.query("SELECT 1")], 1),
                ([Send.query("SELECT name FROM items WHERE id = 1")], 1), ([Send.query("ROLLBACK")], 1),
            ]),
        Script("empty transaction", [([Send.query("BEGIN")], 1), ([Send.query("COMMIT")], 1)]),
        Script("commit outside a transaction", Send.query("COMMIT")),
        Script(
            "unnamed statement", Send.parse("SELECT name FROM items WHERE id = $1"), Send.bind(texts: ["3"]),
            Send.describe(portal: ""), Send.execute(), Send.sync),
        Script(
            "described statement", Send.parse("SELECT id, price FROM items WHERE id = $1", name: "s"),
            Send.describe(statement: "s"), Send.bind(texts: ["3"], statement: "s"), Send.execute(), Send.sync),
        Script(
            "binary results", Send.parse("SELECT id, name, price, at FROM items WHERE id = $1"),
            Send.bind(texts: ["3"], resultFormats: [1]), Send.describe(portal: ""), Send.execute(), Send.sync),
        Script(
            "mixed formats", Send.parse("SELECT id, name FROM items WHERE id = $1", types: [23]),
            Send.bind([[0, 0, 0, 4]], formats: [1], resultFormats: [1, 0]), Send.describe(portal: ""), Send.execute(),
            Send.sync),
        Script(
            "without Describe", Send.parse("SELECT name FROM items WHERE id = 5"), Send.bind(), Send.execute(),
            Send.sync),
        Script(
            "prepared, several executions",
            [
                ([Send.parse("SELECT name FROM items WHERE id = $1", name: "p"), Send.sync], 1),
                ([Send.bind(texts: ["8"], statement: "p"), Send.execute(), Send.sync], 1),
                ([Send.bind(texts: ["8"], statement: "p"), Send.execute(), Send.sync], 1),
                ([Send.bind(texts: ["9"], statement: "p"), Send.execute(), Send.sync], 1),
                ([Send.close(statement: "p"), Send.sync], 1),
                ([Send.bind(texts: ["9"], statement: "p"), Send.execute(), Send.sync], 1),
            ]),
        Script(
            "statement prepared twice under one name", Send.parse("SELECT 1", name: "p"), Send.sync,
            Send.parse("SELECT 2", name: "p"), Send.sync, ready: 2),
        Script(
            "row-limited portal", Send.parse("SELECT id FROM items WHERE id <= 5 ORDER BY id"), Send.bind(),
            Send.execute(maxRows: 2), Send.execute(maxRows: 2), Send.execute(maxRows: 2), Send.sync),
        Script(
            "named portal in a transaction",
            [
                ([Send.query("BEGIN")], 1),
                (
                    [
                        Send.parse("SELECT id FROM items ORDER BY id"), Send.bind(portal: "walk"),
                        Send.execute(portal: "walk", maxRows: 3), Send.sync,
                    ], 1
                ),
                ([Send.execute(portal: "walk", maxRows: 2), Send.close(portal: "walk"), Send.sync], 1),
                ([Send.execute(portal: "walk", maxRows: 2), Send.sync], 1),
                ([Send.query("ROLLBACK")], 1),
            ]),
        Script("portal that is not there", Send.execute(portal: "none"), Send.sync),
        Script("statement that is not there", Send.bind(statement: "none"), Send.sync),
        Script("Close of what is not there", Send.close(statement: "none"), Send.close(portal: "none"), Send.sync),
        Script("wrong number of parameters", Send.parse("SELECT $1::int"), Send.bind(texts: []), Send.sync),
        Script("value that is no number", Send.parse("SELECT $1::int"), Send.bind(texts: ["x"]), Send.sync),
        Script(
            "error skips to the next Sync", Send.parse("SELECT 1 / 0"), Send.bind(), Send.execute(),
            Send.parse("SELECT 1"), Send.bind(), Send.execute(), Send.sync, Send.parse("SELECT 2"), Send.bind(),
            Send.execute(), Send.sync, ready: 2),
        Script(
            "three Syncs in flight, cached and not", Send.parse("SELECT name FROM items WHERE id = 1"), Send.bind(),
            Send.execute(), Send.sync, Send.parse("UPDATE items SET name = name WHERE id = 50"), Send.bind(),
            Send.execute(), Send.sync, Send.parse("SELECT name FROM items WHERE id = 1"), Send.bind(), Send.execute(),
            Send.sync, ready: 3),
        Script(
            "queries in flight", Send.query("SELECT name FROM items WHERE id = 1"), Send.query("SELECT 1 / 0"),
            Send.query("SELECT name FROM items WHERE id = 2"), Send.query("SELECT name FROM items WHERE id = 1"),
            ready: 4),
        Script("only Sync", Send.sync, Send.sync, ready: 2),
        Script("Flush alone, then Sync", Send.flush, Send.flush, Send.sync),
        Script(
            "notices between rows",
            Send.query("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$; SELECT 1")),
        Script(
            "settings reported", Send.query("SET application_name = 'x'; SET DateStyle = 'German, DMY'"),
            Send.query("SELECT at FROM items WHERE id = 1"), Send.query("RESET ALL"),
            Send.query("SELECT at FROM items WHERE id = 1"), ready: 4),
        Script(
            "settings rolled back", Send.query("BEGIN; SET TimeZone = 'Asia/Tokyo'"),
            Send.query("SELECT at FROM items WHERE id = 1"), Send.query("ROLLBACK"),
            Send.query("SELECT at FROM items WHERE id = 1"), ready: 4),
        Script(
            "SET LOCAL", Send.query("BEGIN; SET LOCAL TimeZone = 'Asia/Tokyo'"),
            Send.query("SELECT at FROM items WHERE id = 1"), Send.query("COMMIT"),
            Send.query("SELECT at FROM items WHERE id = 1"), ready: 4),
        Script(
            "COPY in", Send.query("COPY copied FROM STDIN"), Send.copyData(Array("1\tx\n2\ty\n".utf8)), Send.copyDone),
        Script("COPY in that fails", Send.query("COPY copied FROM STDIN"), Send.copyFail("no more")),
        Script(
            "COPY in with a broken row", Send.query("COPY copied FROM STDIN"), Send.copyData(Array("x\n".utf8)),
            Send.copyDone, Send.query("SELECT 1"), ready: 2),
        Script("COPY out", Send.query("COPY (SELECT id, name FROM items WHERE id < 4 ORDER BY id) TO STDOUT")),
        Script(
            "binary COPY out", Send.query("COPY (SELECT id, name FROM items WHERE id < 4 ORDER BY id) TO STDOUT BINARY")
        ),
        Script(
            "COPY in by the extended protocol", Send.parse("COPY copied FROM STDIN"), Send.bind(), Send.execute(),
            Send.copyData(Array("1\tx\n".utf8)), Send.copyDone, Send.sync),
        Script("FunctionCall", Send.functionCall(177, [[0, 0, 0, 2], [0, 0, 0, 3]], formats: [1])),
        Script("FunctionCall of what is not there", Send.functionCall(1, [], formats: [1])),
        Script("SQL PREPARE", Send.query("PREPARE q(int) AS SELECT name FROM items WHERE id = $1; EXECUTE q(4)")),
        Script(
            "cursor",
            [
                ([Send.query("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items ORDER BY id")], 1),
                ([Send.query("FETCH 2 FROM c")], 1), ([Send.query("COMMIT")], 1),
            ]),
        Script("large statement", Send.query("SELECT length('\(String(repeating: "x", count: 300_000))')")),
    ]

    // MARK: What a list of messages cannot say

    /// Drivers such as asyncpg wait for each answer with Flush and send Sync much later.
    @Test func flushBringsAnswersWithoutSync() throws {
        let stack = try Self.stack.get()
        for client in [try stack.directProtocol(), try stack.proxiedProtocol(), try stack.proxiedProtocol()] {
            try client.send(Send.parse("SELECT name FROM items WHERE id = $1", name: "f"), Send.flush)
            #expect(try client.receive().tag == "1")
            try client.send(Send.describe(statement: "f"), Send.flush)
            #expect(try client.receive().tag == "t")
            #expect(try client.receive().tag == "T")
            try client.send(Send.bind(texts: ["2"], statement: "f"), Send.flush)
            #expect(try client.receive().tag == "2")
            try client.send(Send.execute(), Send.flush)
            #expect(try client.receive().texts == ["item 2"])
            #expect(try client.receive().tag == "C")
            #expect(try client.exchange(Send.sync).map(\.tag) == ["Z"])
        }
    }

    @Test func fiveHundredQueriesBeforeOneSync() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol()
        for round in 0..<3 {
            var batch: [UInt8] = []
            for id in 1...500 {
                batch += Send.parse("SELECT id FROM items WHERE id = $1") + Send.bind(texts: ["\(id % 100 + 1)"])
                batch += Send.execute()
            }
            let messages = try client.exchange(batch, Send.sync)
            let rows = messages.filter { $0.tag == "D" }
            #expect(rows.map(\.texts) == (1...500).map { ["\($0 % 100 + 1)"] }, "round \(round)")
        }
    }

    @Test func manySyncsInFlightKeepTheirOrder() throws {
        let client = try Self.stack.get().proxiedProtocol()
        for _ in 0..<3 {
            var batch: [UInt8] = []
            for id in 1...300 {
                let sql = id % 7 == 0 ? "SELECT id + 0 * random()::int FROM items" : "SELECT id FROM items"
                batch += Send.parse("\(sql) WHERE id = \(id % 100 + 1)") + Send.bind() + Send.execute() + Send.sync
            }
            try client.send(batch)
            let rows = try client.receiveUntilReady(300).filter { $0.tag == "D" }
            #expect(rows.map(\.texts) == (1...300).map { ["\($0 % 100 + 1)"] })
        }
    }

    @Test func notificationsArriveWhileIdle() throws {
        let stack = try Self.stack.get()
        let listener = try stack.proxiedProtocol()
        try listener.exchange(Send.query("LISTEN news"))
        try stack.direct().query("NOTIFY news, 'payload'")
        let message = try listener.receive()
        #expect(message.tag == "A")
        #expect(String(decoding: message.body, as: UTF8.self).contains("payload"))
    }

    @Test func terminatedBackendEndsItsClientOnce() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol()
        let rows = try client.exchange(Send.query("SELECT pg_backend_pid()")).filter { $0.tag == "D" }
        let pid = try #require(rows.first?.texts.first ?? nil)
        try stack.direct().query("SELECT pg_terminate_backend(\(pid))")
        let messages = try client.receiveUntilClosed()
        #expect(messages.map(\.sqlState) == ["57P01"])
    }
}
