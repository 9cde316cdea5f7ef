import Glibc
import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: clients encrypt their connections in every way libpq knows, or do not, or lie. Risk: a session in the clear
/// that had to be encrypted, a byte taken for the client's that came before the handshake, a reload that drops somebody.
@Suite(.serialized) struct ClientTLSTests {
    private struct Site {
        let stack: WaldenStack
        let authority: CertificateAuthority
        let stranger: CertificateAuthority
        let own: CertificateAuthority.Issued

        func walden(_ flags: [String]) throws -> WaldenProcess {
            var configuration = WaldenStack.Configuration()
            configuration.flags = flags
            let walden = try WaldenStack.startWalden(configuration, before: stack.cluster)
            try walden.waitUntilReady()
            return walden
        }

        func flags(_ mode: String) -> [String] {
            ["--tls-client-mode", mode, "--tls-client-cert-file", own.certificate, "--tls-client-key-file", own.key]
        }
    }

    private static let site = Result {
        let authority = try CertificateAuthority()
        let own = try authority.issue(
            "walden", subject: "/CN=walden.example", alternatives: ["DNS:localhost", "IP:127.0.0.1"])
        var configuration = WaldenStack.Configuration(
            schema: "CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things VALUES (1, 'one')")
        configuration.flags = [
            "--tls-client-mode", "prefer", "--tls-client-cert-file", own.certificate, "--tls-client-key-file", own.key,
        ]
        return Site(
            stack: try WaldenStack.start(configuration), authority: authority,
            stranger: try CertificateAuthority("Stranger"), own: own)
    }

    // MARK: libpq's modes

    @Test(arguments: [
        ("disable", false), ("allow", false), ("prefer", true), ("require", true), ("verify-ca", true),
        ("verify-full", true),
    ])
    func clientsChoose(mode: String, isEncrypted: Bool) throws {
        let site = try Self.site.get()
        let client = try site.stack.walden.connect("sslmode=\(mode) sslrootcert=\(site.authority.certificate)")
        #expect((client.encryption != nil) == isEncrypted)
        #expect(try client.scalar("SELECT name FROM things WHERE id = 1") == "one")
    }

    @Test func clientsMayRefuseUs() throws {
        let site = try Self.site.get()
        let roots = "sslmode=verify-ca sslrootcert=\(site.stranger.certificate)"
        #expect(throws: SQLError.self) { try site.stack.walden.connect(roots) }
        let renamed = "sslmode=verify-full host=other hostaddr=127.0.0.1 sslrootcert=\(site.authority.certificate)"
        #expect(throws: SQLError.self) { try site.stack.walden.connect(renamed) }
        let metrics = try site.stack.walden.metrics()
        #expect(metrics[#"walden_clients_closed_total{cause="tls_handshake"}"#] != nil)
    }

    @Test(arguments: ["TLSv1.2", "TLSv1.3"])
    func bothVersionsServe(version: String) throws {
        let site = try Self.site.get()
        let client = try site.stack.walden.connect(
            "sslmode=require ssl_min_protocol_version=\(version) ssl_max_protocol_version=\(version)")
        #expect(client.encryption == version)
        let long = try client.query("SELECT repeat('x', 3000000), g FROM generate_series(1, 5) AS g")
        #expect(long.rows.count == 5)
        #expect(long.texts.allSatisfy { $0[0]?.utf8.count == 3_000_000 })
        let text = String(repeating: "y", count: 2_000_000)
        #expect(try client.query("SELECT length($1)", [text]).texts == [["2000000"]])
        #expect(try site.stack.warm(client, "SELECT name FROM things WHERE id = 1") == [["one"]])
        #expect(try client.copyIn("COPY things FROM STDIN", Array("\(version.utf8.last ?? 0)\tx\n".utf8)).rows.isEmpty)
    }

    @Test func cancelWorksBesideEncryptedSessions() throws {
        let site = try Self.site.get()
        let client = try site.stack.walden.connect("sslmode=require")
        let canceller = client.canceller()
        try client.begin("SELECT pg_sleep(62)")
        let observer = try site.stack.direct()
        try eventually("the statement runs") {
            try observer.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%(62)'")
                .rows.count == 1
        }
        try canceller.cancel()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "57014")
    }

    // MARK: What Walden demands

    @Test func requiredEncryptionIsRequiredOfSessionsOnly() throws {
        let site = try Self.site.get()
        let walden = try site.walden(site.flags("require"))
        let error = #expect(throws: SQLError.self) { try walden.connect("sslmode=disable") }
        #expect(error?.message.contains("must be encrypted") ?? false)
        #expect(try walden.connect("sslmode=allow").encryption != nil)
        let client = try walden.connect("sslmode=require")
        #expect(try client.scalar("SELECT 1") == "1")
        // libpq 15 sends its cancel requests in the clear.
        try client.begin("SELECT pg_sleep(63)")
        let observer = try site.stack.direct()
        try eventually("the statement runs") {
            try observer.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%(63)'")
                .rows.count == 1
        }
        try client.canceller().cancel()
        #expect(throws: SQLError.self) { try client.finish() }
    }

    @Test func clientsCertificateIsDemandedAndVerified() throws {
        let site = try Self.site.get()
        let good = try site.authority.issue("app", subject: "/O=Shop/CN=app")
        let bad = try site.stranger.issue("app", subject: "/O=Shop/CN=app")
        let required = try site.walden(
            site.flags("verify-full") + ["--tls-client-ca-file", site.authority.certificate])
        let shown = { (identity: CertificateAuthority.Issued) in
            "sslmode=require sslcert=\(identity.certificate) sslkey=\(identity.key)"
        }
        #expect(try required.connect(shown(good)).scalar("SELECT 1") == "1")
        #expect(throws: SQLError.self) { try required.connect(shown(bad)) }
        #expect(throws: SQLError.self) { try required.connect("sslmode=require sslcert=/nowhere") }
        // Where it is not demanded, one may come without, but not with a bad one.
        let optional = try site.walden(site.flags("require") + ["--tls-client-ca-file", site.authority.certificate])
        #expect(try optional.connect(shown(good)).scalar("SELECT 1") == "1")
        #expect(try optional.connect("sslmode=require sslcert=/nowhere").scalar("SELECT 1") == "1")
        #expect(throws: SQLError.self) { try optional.connect(shown(bad)) }
    }

    @Test func unixSocketsAreExempt() throws {
        let site = try Self.site.get()
        let scratch = try Scratch()
        let walden = try site.walden(site.flags("require") + ["--listen", "unix:\(scratch.path)/.s.PGSQL.6432"])
        let client = try SQLClient("host=\(scratch.path) port=6432 dbname=postgres user=postgres")
        #expect(try client.scalar("SELECT 1") == "1")
        #expect(throws: SQLError.self) { try walden.connect("sslmode=disable") }
    }

    // MARK: Bytes in the clear

    /// CVE-2021-23222: what follows the request must not be taken for the client's.
    @Test(arguments: [Send.startup([("user", "postgres")]), [0x16, 3, 1], [0]])
    func bytesBeforeTheHandshakeEndTheConnection(rest: [UInt8]) throws {
        let client = try ProtocolClient(port: Self.site.get().stack.walden.port)
        try client.send(Send.sslRequest, rest)
        let messages = try client.receiveUntilClosed()
        #expect(messages.map(\.tag) == ["E"])
        #expect(messages.first?.sqlState == "08P01")
    }

    @Test(arguments: [Array("GET / HTTP/1.1\r\n\r\n".utf8), Send.startup([("user", "postgres")]), [0x16, 3, 1, 0, 0]])
    func garbageInThePlaceOfAHandshakeEndsTheConnection(bytes: [UInt8]) throws {
        let site = try Self.site.get()
        let client = try ProtocolClient(port: site.stack.walden.port)
        try client.send(Send.sslRequest)
        #expect(try client.receiveByte() == "S")
        try client.send(bytes)
        client.finishSending()
        // An alert, if anything: no message of ours.
        #expect((try? client.receiveUntilClosed())?.contains { "EZRSN".unicodeScalars.contains($0.tag) } != true)
        #expect(try site.stack.proxied().scalar("SELECT 1") == "1")
    }

    @Test func gssapiIsDeclinedBeforeTLS() throws {
        let client = try ProtocolClient(port: Self.site.get().stack.walden.port)
        try client.send(Send.gssEncryptionRequest)
        #expect(try client.receiveByte() == "N")
        try client.send(Send.sslRequest)
        #expect(try client.receiveByte() == "S")
    }

    // MARK: Without a request

    /// What is said to a session that the server refuses, so that the connection ends.
    private static func direct(_ walden: WaldenProcess, _ more: [String]) throws -> String {
        let input = String(decoding: Send.startup([("user", "postgres"), ("database", "none")]), as: UTF8.self)
        return try ProcessRunner.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:\(walden.port)", "-quiet"] + more, input: input
        ).output
    }

    @Test func handshakeMayComeFirstWithTheProtocolsName() throws {
        let walden = try Self.site.get().stack.walden
        let refusal = #"database "none" does not exist"#
        #expect(try Self.direct(walden, ["-alpn", "postgresql"]).contains(refusal))
        #expect(try Self.direct(walden, ["-alpn", "h2,postgresql"]).contains(refusal))
        #expect(try !Self.direct(walden, []).contains(refusal))
        #expect(try !Self.direct(walden, ["-alpn", "h2"]).contains(refusal))
        let clear = try Self.site.get().walden([])
        #expect(try !Self.direct(clear, ["-alpn", "postgresql"]).contains(refusal))
    }

    // MARK: Reload

    @Test func reloadTakesOverNewCertificatesAndDropsNobody() throws {
        let site = try Self.site.get()
        let other = try CertificateAuthority("Successor")
        let own = try site.authority.issue("reloaded", subject: "/CN=old", alternatives: ["DNS:localhost"])
        let walden = try site.walden([
            "--tls-client-mode", "require", "--tls-client-cert-file", own.certificate, "--tls-client-key-file", own.key,
        ])
        let byOld = "sslmode=verify-ca sslrootcert=\(site.authority.certificate)"
        let byNew = "sslmode=verify-ca sslrootcert=\(other.certificate)"
        let open = try walden.connect(byOld)
        try open.query("BEGIN; CREATE TEMPORARY TABLE kept (x int)")
        let expiry = try walden.metrics()[#"walden_tls_certificate_expiry_seconds{shown_to="client"}"#]
        #expect(abs((expiry ?? 0) - Double(time(nil) + 30 * 86_400)) < 86_400)

        // Broken: the old one stays, and the log says why.
        let good = try ProcessRunner.check(["cat", own.certificate]).output
        try ProcessRunner.check(["sh", "-c", "echo broken > \(own.certificate)"])
        walden.reload()
        try walden.waitForLog("holds no certificate in PEM form")
        #expect(try walden.connect(byOld).scalar("SELECT 1") == "1")
        // Whole again, but of another key.
        _ = try ProcessRunner.check(["tee", own.certificate], input: good)
        let foreign = try other.issue("foreign", subject: "/CN=new")
        try ProcessRunner.check(["cp", foreign.key, own.key])
        walden.reload()
        try walden.waitForLog("does not belong to the private key")
        #expect(try walden.connect(byOld).scalar("SELECT 1") == "1")
        // A key that others may read is none.
        try ProcessRunner.check(["chmod", "644", own.key])
        walden.reload()
        try walden.waitForLog("others may read this key")

        try ProcessRunner.check(["chmod", "600", own.key])
        try ProcessRunner.check(["cp", foreign.certificate, own.certificate])
        walden.reload()
        try eventually("new clients see the new certificate") { (try? walden.connect(byNew)) != nil }
        #expect(throws: SQLError.self) { try walden.connect(byOld) }
        #expect(try open.scalar("SELECT count(*) FROM kept") == "0")
        try open.query("COMMIT")
    }

    @Test(arguments: [
        (["--tls-client-mode", "require"], "tls.client.cert_file"),
        (["--tls-client-mode", "verify-ca", "--tls-client-cert-file", "/x", "--tls-client-key-file", "/y"], "ca_file"),
        (["--tls-client-mode", "allow", "--tls-client-cert-file", "/no/c", "--tls-client-key-file", "/no/k"], "/no/c"),
        (["--proxy-proxy-protocol", "accept"], "proxy_protocol_from"),
        (["--tls-server-negotiation", "direct"], "direct"), (["--tls-server-mode", "verify-ca"], "ca_file"),
    ])
    func badSettingsAreFoundAtTheStart(flags: [String], words: String) throws {
        let primary = try Self.site.get().stack.cluster.primary.dsn()
        let result = try WaldenProcess.run(
            ["run", "--primary", primary, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + flags)
        #expect(result.status == .exited(78), "\(result.transcript)")
        #expect(result.transcript.contains(words), "\(result.transcript)")
    }
}
