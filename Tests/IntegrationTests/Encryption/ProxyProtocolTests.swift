import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: load balancers before Walden tell where their clients are, and others pretend to. Risk: an address that
/// access rules believe and nobody vouches for.
@Suite(.serialized) struct ProxyProtocolTests {
    private static let site = Result { try Cluster.start() }

    private static func walden(_ mode: String, from: String = "127.0.0.0/8", _ more: [String] = []) throws
        -> WaldenProcess
    {
        var configuration = WaldenProcess.Configuration(primary: try site.get().primary.dsn())
        configuration.flags =
            ["--proxy-proxy-protocol", mode, "--proxy-proxy-protocol-from", from, "--log-level", "debug"] + more
            + ["--cache-enabled", "false"]
        return try WaldenProcess.start(configuration)
    }

    private static let line = Array("PROXY TCP4 192.0.2.7 198.51.100.1 4711 6432\r\n".utf8)
    private static let binary: [UInt8] =
        [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12, 192, 0, 2, 8]
        + [198, 51, 100, 1, 0x12, 0x67, 0x19, 0x20]
    private static let startup = Send.startup([("user", "postgres"), ("database", "postgres")])

    @Test func headersTellTheClientsAddress() throws {
        let walden = try Self.walden("accept")
        for (header, address) in [(Self.line, "192.0.2.7:4711"), (Self.binary, "192.0.2.8:4711")] {
            let together = try ProtocolClient(port: walden.port)
            try together.send(header, Self.startup)
            #expect(try together.receiveUntilReady().last?.transactionStatus == "I")
            try walden.waitForLog("client=\(address)")
            let slowly = try ProtocolClient(port: walden.port)
            for byte in header + Send.gssEncryptionRequest { try slowly.send([byte]) }
            #expect(try slowly.receiveByte() == "N")
            #expect(try slowly.start().last?.transactionStatus == "I")
        }
        #expect(try walden.connect().scalar("SELECT 1") == "1")
    }

    @Test func requiredHeaderIsRequired() throws {
        let walden = try Self.walden("require")
        let client = try ProtocolClient(port: walden.port)
        try client.send(Self.line, Self.startup)
        #expect(try client.receiveUntilReady().last?.transactionStatus == "I")
        for bytes in [Self.startup, Send.sslRequest, Array("PROXY TCP4 nonsense\r\n".utf8), Array("GET /".utf8)] {
            let other = try ProtocolClient(port: walden.port)
            try other.send(bytes)
            #expect(try other.receiveUntilClosed().isEmpty)
        }
        try walden.waitForLog("no PROXY header")
        try walden.waitForLog("malformed PROXY header")
        #expect(try walden.metrics()[#"walden_clients_closed_total{cause="proxy_header"}"#] == 4)
    }

    @Test func strangersMayNotSendOne() throws {
        let accepting = try Self.walden("accept", from: "10.0.0.0/8")
        let liar = try ProtocolClient(port: accepting.port)
        try liar.send(Self.line, Self.startup)
        #expect(try liar.receiveUntilClosed().map(\.tag) == ["E"])
        #expect(try accepting.connect().scalar("SELECT 1") == "1")
        let requiring = try Self.walden("require", from: "10.0.0.0/8")
        for bytes in [Self.line + Self.startup, Self.startup] {
            let client = try ProtocolClient(port: requiring.port)
            try? client.send(bytes)
            #expect(try client.receiveUntilClosed().isEmpty)
        }
    }

    @Test func headerComesBeforeTLS() throws {
        let authority = try CertificateAuthority()
        let own = try authority.issue("walden", subject: "/CN=walden")
        let walden = try Self.walden(
            "require",
            [
                "--tls-client-mode", "require", "--tls-client-cert-file", own.certificate, "--tls-client-key-file",
                own.key,
            ])
        let client = try ProtocolClient(port: walden.port)
        try client.send(Self.line)
        try client.send(Send.sslRequest)
        #expect(try client.receiveByte() == "S")
        let direct = try ProcessRunner.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:\(walden.port)", "-alpn", "postgresql"])
        // Without the header before it.
        #expect(!direct.output.contains("TLSv1"))
        try walden.waitForLog("no PROXY header")
    }

    @Test func readersHaveAListenerOfTheirOwn() throws {
        let port = try Ports.free()
        let walden = try Self.walden("off", ["--proxy-read-only-listen", "127.0.0.1:\(port)"])
        #expect(try ProtocolClient(port: port, database: "postgres").exchange(Send.query("SELECT 1")).count == 4)
        #expect(try walden.status()["proxy"]["listening"].array.contains(.string("127.0.0.1:\(port)")))
    }
}
