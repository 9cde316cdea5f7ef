import Glibc
import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: sessions begin in ways that PostgreSQL 15 does not know itself, or with packets that are none. Risk: a startup
/// that is legal and not accepted, and a client that takes others down. What PostgreSQL answers itself is in Tests/Conformance.
@Suite(.serialized) struct StartupTests {
    private static let stack = Result { try WaldenStack.start() }

    /// Clients compare it with senders of notifications, and with what they find in the server's views.
    @Test func aClientWithAServerOfItsOwnIsToldItsProcessNumber() throws {
        let client = try Self.stack.get().proxied()
        #expect(try client.scalar("SELECT pg_backend_pid()") == String(client.backendPID))
    }

    @Test func protocol32HasALongKey() throws {
        let stack = try Self.stack.get()
        let client = try ProtocolClient(port: stack.walden.port)
        let messages = try client.start(version: Send.protocol32)
        #expect(!messages.contains { $0.tag == "v" })
        #expect(client.cancelKey.count == 32)
        try client.send(Send.query("SELECT pg_sleep(61)"))
        let observer = try stack.direct()
        try eventually("the statement runs") {
            try observer.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%(61)'")
                .rows.count == 1
        }
        for key in [Array(client.cancelKey.prefix(4)), Array(client.cancelKey.reversed()), client.cancelKey] {
            let canceller = try ProtocolClient(port: stack.walden.port)
            try canceller.send(Send.cancelRequest(processID: client.processID, key: key))
            #expect(try canceller.receiveUntilClosed().isEmpty)
        }
        #expect(try client.receiveUntilReady().first { $0.tag == "E" }?.sqlState == "57014")
        #expect(try ProtocolClient(port: stack.walden.port, database: "postgres").cancelKey.count == 4)
    }

    @Test(arguments: [
        (Send.protocol30, ["_pq_.walden_test"], Send.protocol30),
        (Send.protocol32, ["_pq_.a", "_pq_.b"], Send.protocol32),
        (Send.protocol32 + 1, [], Send.protocol32), (Send.protocol32 + 7, ["_pq_.a"], Send.protocol32),
    ])
    func whatIsNewerIsNegotiatedDownOnce(asked: Int32, options: [String], agreed: Int32) throws {
        let client = try ProtocolClient(port: Self.stack.get().walden.port)
        let messages = try client.start(options.map { ($0, "on") }, version: asked)
        let negotiations = messages.filter { $0.tag == "v" }
        #expect(negotiations.count == 1)
        #expect(negotiations.first?.integer(at: 0, as: Int32.self) == agreed)
        #expect(negotiations.first?.integer(at: 4, as: Int32.self) == Int32(options.count))
        let names = negotiations.first.map { Array($0.body.dropFirst(8)).split(separator: 0) } ?? []
        #expect(names.map { String(decoding: $0, as: UTF8.self) } == options)
        #expect(client.cancelKey.count == (agreed == Send.protocol32 ? 32 : 4))
        #expect(try client.exchange(Send.query("SELECT 1")).map(\.tag) == ["T", "D", "C", "Z"])
    }

    /// Larger than any first read.
    @Test func longStartupIsTaken() throws {
        let stack = try Self.stack.get()
        let name = String(repeating: "x", count: 9_900)
        let client = try stack.proxiedProtocol([("walden.long", name)])
        let rows = try client.exchange(Send.query("SELECT length(current_setting('walden.long'))"))
        #expect(rows.filter { $0.tag == "D" }.map(\.texts) == [["9900"]])
        let tooLong = try ProtocolClient(port: stack.walden.port)
        try tooLong.send(Send.startup([("user", "postgres"), ("walden.long", name + name)]))
        #expect(try tooLong.receiveUntilClosed().allSatisfy { $0.sqlState == "08P01" })
    }

    @Test func unixSocketServesAsTCPDoes() throws {
        let stack = try Self.stack.get()
        let scratch = try Scratch()
        let socket = "\(scratch.path)/.s.PGSQL.6432"
        var configuration = WaldenStack.Configuration()
        configuration.flags = ["--listen", "unix:\(socket)"]
        let walden = try WaldenStack.startWalden(configuration, before: stack.cluster)
        try walden.waitUntilReady()
        let client = try ProtocolClient(socketPath: socket)
        try client.start()
        #expect(try client.exchange(Send.query("SELECT 1")).map(\.tag) == ["T", "D", "C", "Z"])
        let byLibpq = try SQLClient("host=\(scratch.path) port=6432 dbname=postgres user=postgres")
        #expect(try byLibpq.scalar("SELECT 2") == "2")
        try walden.terminate()
        #expect(access(socket, F_OK) != 0)
    }

    @Test func replicationConnectionPassesThrough() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol([("replication", "database")])
        let messages = try client.exchange(Send.query("IDENTIFY_SYSTEM"))
        #expect(messages.map(\.tag) == ["T", "D", "C", "Z"])
        let slot = "CREATE_REPLICATION_SLOT through TEMPORARY LOGICAL pgoutput"
        #expect(try client.exchange(Send.query(slot)).map(\.tag) == ["T", "D", "C", "Z"])
        try client.send(
            Send.query(
                "START_REPLICATION SLOT through LOGICAL 0/0 (proto_version '1', publication_names 'walden')"))
        #expect(try client.receive().tag == "W")
        try stack.direct().query("CREATE TABLE IF NOT EXISTS streamed (id int PRIMARY KEY)")
        try stack.direct().query("INSERT INTO streamed VALUES (1)")
        #expect(try client.receive().tag == "d")
        try client.send(Send.copyDone)
        _ = try client.receiveUntilReady()
    }

    // MARK: Bad input

    static let malformed: [(String, [UInt8])] = [
        ("length below four", [0, 0, 0, 3, 0, 3, 0, 0]),
        ("length of two gigabytes", [0x7F, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0]),
        ("negative length", [0xFF, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0]),
        ("no terminator", [0, 0, 0, 13, 0, 3, 0, 0] + Array("user\0".utf8)),
        ("an empty user", FrontendMessage.startup([("user", ""), ("database", "postgres")])),
        ("no user", FrontendMessage.startup([("database", "postgres")])),
        ("protocol 2", FrontendMessage.startup([("user", "postgres")], version: 2 << 16)),
        ("protocol 4", FrontendMessage.startup([("user", "postgres")], version: 4 << 16)),
        ("HTTP", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
        ("TLS", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]),
        ("truncated cancel request", [0, 0, 0, 12, 0x04, 0xD2, 0x16, 0x2E, 0, 0, 0, 1]),
    ]

    @Test(arguments: malformed)
    func malformedStartupEndsOnlyItsClient(name: String, bytes: [UInt8]) throws {
        let stack = try Self.stack.get()
        let bystander = try stack.proxied()
        let client = try ProtocolClient(port: stack.walden.port)
        try client.send(bytes)
        client.finishSending()
        #expect(try client.receiveUntilClosed().allSatisfy { $0.tag == "E" })
        #expect(try bystander.scalar("SELECT 1") == "1")
    }

    @Test(arguments: [FrontendMessage.sslRequest, FrontendMessage.gssEncryptionRequest])
    func encryptionIsDeclinedOnce(request: [UInt8]) throws {
        let client = try ProtocolClient(port: Self.stack.get().walden.port)
        try client.send(request, request)
        #expect(try client.receiveByte() == "N")
        #expect(try client.receiveUntilClosed().isEmpty)
    }
}
