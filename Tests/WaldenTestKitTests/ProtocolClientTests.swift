import Testing
import WaldenTestKit

/// Scenario: the clients of the integration tests against PostgreSQL itself. Risk: a client that sees less than the
/// server said, so that a comparison passes for nothing.
@Suite(.serialized) struct ProtocolClientTests {
    private static let cluster = Result { try Cluster.start() }

    private func client() throws -> ProtocolClient {
        try ProtocolClient(port: Self.cluster.get().primary.port)
    }

    @Test func simpleQueriesGiveEveryMessage() throws {
        let client = try client()
        try client.start()
        let messages = try client.exchange(FrontendMessage.query("SELECT 1, NULL::text; SELECT 'x'"))
        #expect(messages.map(\.tag) == ["T", "D", "C", "T", "D", "C", "Z"])
        #expect(messages[1].texts == ["1", nil])
        #expect(messages[2].strings == ["SELECT 1"])
        #expect(messages.last?.transactionStatus == "I")
        #expect(client.parameters["server_encoding"] == "UTF8")
    }

    @Test func extendedProtocolWithBinaryValues() throws {
        let client = try client()
        try client.start()
        let messages = try client.exchange(
            FrontendMessage.parse("SELECT $1::int + 1"), FrontendMessage.bind(texts: ["41"], resultFormats: [1]),
            FrontendMessage.describe(portal: ""), FrontendMessage.execute(), FrontendMessage.sync)
        #expect(messages.map(\.tag) == ["1", "2", "T", "D", "C", "Z"])
        #expect(messages[3].values == [[0, 0, 0, 42]])
    }

    @Test func errorsAreTakenApart() throws {
        let client = try client()
        try client.start()
        let messages = try client.exchange(FrontendMessage.query("SELECT 1/0"))
        #expect(messages.first?.sqlState == "22012")
        #expect(messages.first?.fields["M"] == "division by zero")
    }

    @Test func closedConnectionIsSeen() throws {
        let client = try client()
        try client.start()
        try client.send(FrontendMessage.terminate)
        #expect(try client.receiveUntilClosed().isEmpty)
    }

    @Test func functionCallAndSSLRequest() throws {
        let client = try client()
        try client.send(FrontendMessage.sslRequest)
        #expect(try client.receiveByte() == "N")
        try client.start()
        // int4pl(int4, int4) has had the same number since the beginning.
        let messages = try client.exchange(
            FrontendMessage.functionCall(177, [[0, 0, 0, 2], [0, 0, 0, 3]], formats: [1]))
        #expect(messages.first?.tag == "V")
        #expect(messages.first?.integer(at: 4, as: Int32.self) == 5)
    }

    @Test func statementsThroughLibpq() throws {
        let client = try Self.cluster.get().primary.connect()
        let row = try client.query("SELECT $1::int, $2::text, $3::text", ["7", "ä", nil]).texts
        #expect(row == [["7", "ä", nil]])
        try client.prepare("plus", "SELECT $1::int + 1")
        #expect(try client.execute(prepared: "plus", ["1"]).integer == 2)
        let binary = try client.execute(prepared: "plus", ["1"], format: .binary)
        #expect(binary.rows[0][0]?.bytes == [0, 0, 0, 2])
        let error = #expect(throws: SQLError.self) { try client.query("SELECT * FROM nowhere") }
        #expect(error?.sqlState == "42P01")
        try client.query("DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
        #expect(client.takeNotices().map(\.message) == ["hello"])
    }

    @Test func pipelineGoesOnAfterItsError() throws {
        let client = try Self.cluster.get().primary.connect()
        let results = try client.pipeline([("SELECT 1", []), ("SELECT 1/$1::int", ["0"]), ("SELECT 2", [])])
        #expect(results.count == 3)
        #expect(try results[0].get().integer == 1)
        #expect(throws: SQLError.self) { try results[1].get() }
        #expect(throws: SQLError.self) { try results[2].get() }
        #expect(try client.query("SELECT 3").integer == 3)
    }

    @Test func preparedLoopReadsShortAndLongAnswers() throws {
        let port = try Self.cluster.get().primary.port
        let sum = try PreparedLoop(port: port, "SELECT $1::int + $2::int")
        for number in 0..<20 { #expect(try sum.integer(number, -1) == number - 1) }
        let none = try PreparedLoop(port: port, "SELECT 1 WHERE false")
        #expect(try none.integer() == nil)
        let long = try PreparedLoop(port: port, "SELECT repeat('x', $1::int)")
        #expect(try long.bytes(100_000).count == 5 + 100_011 + 14 + 6)
        #expect(throws: TestKitError.self) { try PreparedLoop(port: port, "SELECT nonsense") }
    }

    @Test func copyBothWaysAndCancel() throws {
        let client = try Self.cluster.get().primary.connect()
        try client.query("CREATE TEMP TABLE t (a int, b text)")
        #expect(try client.copyIn("COPY t FROM STDIN", Array("1\tx\n2\t\\N\n".utf8)).commandTag == "COPY 2")
        #expect(try client.copyOut("COPY t TO STDOUT") == Array("1\tx\n2\t\\N\n".utf8))
        try client.begin("SELECT pg_sleep(60)")
        let observer = try Self.cluster.get().primary.connect()
        try eventually("the statement runs") {
            try observer.scalar("SELECT wait_event FROM pg_stat_activity WHERE pid = \(client.backendPID)") == "PgSleep"
        }
        try client.canceller().cancel()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "57014")
    }
}
