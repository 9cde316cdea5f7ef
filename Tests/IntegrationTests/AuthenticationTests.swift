import Testing
import WaldenTestKit

/// Scenario: the server asks for passwords in each of its ways; Walden knows none of them. Risk: an authentication that
/// works only without Walden, or an answer that differs from the server's.
@Suite(.serialized) struct AuthenticationTests {
    private static let stack = Result {
        let stack = try WaldenStack.start(
            .init(
                schema: """
                    CREATE ROLE open_user LOGIN;
                    CREATE ROLE plain_user LOGIN PASSWORD 'secret one';
                    SET password_encryption = 'md5';
                    CREATE ROLE md5_user LOGIN PASSWORD 'secret two';
                    SET password_encryption = 'scram-sha-256';
                    CREATE ROLE scram_user LOGIN PASSWORD 'sécret thrée';
                    CREATE ROLE expired_user LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01';
                    CREATE ROLE locked_user NOLOGIN;
                    CREATE ROLE rejected_user LOGIN;
                    CREATE ROLE limited_user LOGIN CONNECTION LIMIT 0;
                    CREATE TABLE secrets (id int PRIMARY KEY, word text);
                    INSERT INTO secrets VALUES (1, 'swordfish');
                    GRANT SELECT ON secrets TO scram_user
                    """))
        try stack.cluster.primary.setAuthentication([
            "host all postgres 127.0.0.1/32 trust",
            "host replication postgres 127.0.0.1/32 trust",
            "host all open_user,locked_user,limited_user 127.0.0.1/32 trust",
            "host all plain_user 127.0.0.1/32 password",
            "host all md5_user 127.0.0.1/32 md5",
            "host all rejected_user 127.0.0.1/32 reject",
            "host all all 127.0.0.1/32 scram-sha-256",
        ])
        stack.cluster.primary.reload()
        try eventually("the server asks for passwords") { (try? stack.direct(user: "scram_user")) == nil }
        return stack
    }

    @Test(arguments: [
        ("open_user", nil), ("plain_user", "secret one"), ("md5_user", "secret two"), ("scram_user", "sécret thrée"),
    ])
    func rightPasswordOpensTheSession(user: String, password: String?) throws {
        let walden = try Self.stack.get().walden
        let more = password.map { "password='\($0)'" } ?? ""
        let client = try walden.connect(user: user, more)
        #expect(try client.scalar("SELECT current_user") == user)
    }

    @Test(arguments: [
        ("plain_user", "wrong"), ("md5_user", "wrong"), ("scram_user", "wrong"), ("scram_user", ""),
        ("expired_user", "x"), ("no_such_user", "x"), ("locked_user", "x"), ("rejected_user", "x"),
        ("limited_user", "x"), ("postgres dbname=no_such_database", "x"),
    ])
    func refusalIsTheServersOwn(user: String, password: String) throws {
        let stack = try Self.stack.get()
        let more = password.isEmpty ? "" : "password='\(password)'"
        let direct = #expect(throws: SQLError.self) {
            try SQLClient(stack.cluster.primary.dsn(user: user, more))
        }
        let proxied = #expect(throws: SQLError.self) { try SQLClient(stack.walden.dsn(user: user, more)) }
        let expected = direct?.message.replacing(
            "port \(stack.cluster.primary.port)", with: "port \(stack.walden.port)")
        #expect(proxied?.message == expected)
    }

    /// A cached result belongs to the role that may read it.
    @Test func hitsKeepToTheRole() throws {
        let stack = try Self.stack.get()
        let sql = "SELECT word FROM secrets WHERE id = 1"
        let owner = try stack.proxied()
        #expect(try stack.warm(owner, sql) == [["swordfish"]])
        let stranger = try stack.proxied(user: "open_user")
        for _ in 0..<3 {
            let error = #expect(throws: SQLError.self) { try stranger.query(sql) }
            #expect(error?.sqlState == "42501")
        }
        let granted = try stack.walden.connect(user: "scram_user", "password='sécret thrée'")
        #expect(try stack.warm(granted, sql) == [["swordfish"]])
    }

    @Test func brokenExchangeEndsOnlyItsClient() throws {
        let stack = try Self.stack.get()
        let bystander = try stack.proxied()
        let client = try ProtocolClient(port: stack.walden.port)
        try client.send(FrontendMessage.startup([("user", "scram_user"), ("database", "postgres")]))
        #expect(try client.receive().integer(at: 0, as: Int32.self) == 10)
        try client.send(FrontendMessage.message("p", Array("SCRAM-SHA-256\0".utf8) + [0, 0, 0, 3, 0x78, 0x79, 0x7A]))
        #expect(try client.receiveUntilClosed().contains { $0.tag == "E" })
        #expect(try bystander.scalar("SELECT 1") == "1")
    }

    /// A password of 65,535 bytes is long and legal.
    @Test func longPasswordIsPassedOn() throws {
        let stack = try Self.stack.get()
        let client = try ProtocolClient(port: stack.walden.port)
        try client.send(FrontendMessage.startup([("user", "plain_user"), ("database", "postgres")]))
        #expect(try client.receive().tag == "R")
        try client.send(FrontendMessage.password(String(repeating: "x", count: 65_535 - 5)))
        let messages = try client.receiveUntilClosed()
        #expect(messages.last?.sqlState == "28P01")
    }

    @Test func clientThatGivesUpLeavesNothing() throws {
        let stack = try Self.stack.get()
        for _ in 0..<20 {
            let client = try ProtocolClient(port: stack.walden.port)
            try client.send(FrontendMessage.startup([("user", "md5_user"), ("database", "postgres")]))
            _ = try client.receive()
        }
        let observer = try stack.direct()
        try eventually("no server process is left in authentication") {
            stack.cluster.primary.processes(titled: "authentication").isEmpty
        }
        #expect(try observer.scalar("SELECT count(*) FROM pg_stat_activity WHERE usename = 'md5_user'") == "0")
    }
}
