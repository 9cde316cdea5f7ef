import Testing
import WaldenTestKit

/// Scenario: the server encrypts, or not, or only some sessions, with a good certificate or a bad one; Walden is told to
/// reach it in each of libpq's ways. Risk: a session in the clear that had to be encrypted, a stranger taken for the
/// server, and one that libpq would have reached and Walden does not.
@Suite(.serialized) struct ServerTLSTests {
    private struct Site {
        let cluster: Cluster
        let authority: CertificateAuthority
        let stranger: CertificateAuthority

        /// A proxy that keeps nothing, and reaches the server by this connection string.
        func walden(_ more: String, _ flags: [String] = []) throws -> WaldenProcess {
            var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn(more))
            configuration.flags = flags + ["--cache-enabled", "false"]
            return try WaldenProcess.start(configuration)
        }

        func isEncrypted(_ client: SQLClient) throws -> Bool {
            try client.scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
        }
    }

    private static let site = Result {
        let authority = try CertificateAuthority()
        let own = try authority.issue(
            "server", subject: "/CN=server", alternatives: ["DNS:localhost"], forServer: true)
        let cluster = try Cluster.start(
            .init(settings: [
                "ssl": "on", "ssl_cert_file": own.certificate, "ssl_key_file": own.key,
                "ssl_ca_file": authority.certificate,
            ]))
        try cluster.primary.connect().query(
            "CREATE ROLE encrypted_only LOGIN; CREATE ROLE clear_only LOGIN; CREATE ROLE certified LOGIN")
        try cluster.primary.setAuthentication([
            "local all all trust", "hostssl all encrypted_only 127.0.0.1/32 trust",
            "hostnossl all clear_only 127.0.0.1/32 trust", "hostssl all certified 127.0.0.1/32 cert",
            "host all postgres 127.0.0.1/32 trust",
        ])
        cluster.primary.reload()
        try eventually("the rules hold") { (try? cluster.primary.connect(user: "certified")) == nil }
        return Site(cluster: cluster, authority: authority, stranger: try CertificateAuthority("Stranger"))
    }

    /// Whether the session is encrypted where both ways are open, where only TLS is, and where only the
    /// clear is; nil: it is refused.
    static let modes: [(String, open: Bool?, encryptedOnly: Bool?, clearOnly: Bool?)] = [
        ("disable", false, nil, false), ("allow", false, true, false), ("prefer", true, true, false),
        ("require", true, true, nil), ("verify-ca", true, true, nil), ("verify-full", true, true, nil),
    ]

    @Test(arguments: modes)
    func modesAreLibpqs(mode: String, open: Bool?, encryptedOnly: Bool?, clearOnly: Bool?) throws {
        let site = try Self.site.get()
        let roots = mode.hasPrefix("verify") ? " sslrootcert=\(site.authority.certificate)" : ""
        let more = "host=localhost sslmode=\(mode)\(roots)"
        let walden = try site.walden(more)
        for (user, expected) in [("postgres", open), ("encrypted_only", encryptedOnly), ("clear_only", clearOnly)] {
            // As libpq does without Walden.
            let direct = try? site.cluster.primary.connect(user: user, more)
            #expect(try direct.map { try site.isEncrypted($0) } == expected, "\(user) directly")
            let client = try? walden.connect(user: user)
            #expect(try client.map { try site.isEncrypted($0) } == expected, "\(user)")
        }
    }

    @Test func refusalIsTheServersOwn() throws {
        let site = try Self.site.get()
        let walden = try site.walden("sslmode=require")
        let error = #expect(throws: SQLError.self) { try walden.connect(user: "clear_only") }
        #expect(error?.message.contains("pg_hba.conf") ?? false)
        let both = try site.walden("sslmode=prefer")
        let unknown = #expect(throws: SQLError.self) { try both.connect(user: "nobody") }
        #expect(unknown?.message.contains("no encryption") ?? false)
    }

    @Test(arguments: [
        ("sslmode=verify-full", true, "does not name"),
        ("host=localhost sslmode=verify-ca", false, "no trusted authority"),
        ("sslmode=require", false, "no trusted authority"),
    ])
    func strangersAreRefusedWithTheReason(more: String, isTrusted: Bool, reason: String) throws {
        let site = try Self.site.get()
        let roots = isTrusted ? site.authority.certificate : site.stranger.certificate
        let walden = try site.walden("\(more) sslrootcert=\(roots)")
        let error = #expect(throws: SQLError.self) { try walden.connect() }
        #expect(error?.message.contains(reason) ?? false, "\(error?.message ?? "")")
    }

    /// As libpq: prefer takes a bad certificate for a reason to go on without TLS.
    @Test func preferGoesOnWithoutTLSWhenTheHandshakeFails() throws {
        let site = try Self.site.get()
        let walden = try site.walden("sslmode=prefer sslrootcert=\(site.stranger.certificate)")
        #expect(try !site.isEncrypted(walden.connect()))
    }

    @Test func settingsGoBeforeTheConnectionString() throws {
        let site = try Self.site.get()
        let walden = try site.walden(
            "host=localhost sslmode=disable",
            ["--tls-server-mode", "verify-full", "--tls-server-ca-file", site.authority.certificate])
        #expect(try site.isEncrypted(walden.connect()))
    }

    @Test func certificateIsShownToTheServer() throws {
        let site = try Self.site.get()
        let identity = try site.authority.issue("certified", subject: "/CN=certified")
        let walden = try site.walden("sslmode=require sslcert=\(identity.certificate) sslkey=\(identity.key)")
        let client = try walden.connect(user: "certified")
        let subject = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        #expect(try client.scalar(subject) == "/CN=certified")
        let metrics = try walden.metrics()
        #expect(metrics[#"walden_tls_certificate_expiry_seconds{shown_to="server"}"#] != nil)
        #expect(throws: SQLError.self) { try site.walden("sslmode=require").connect(user: "certified") }
    }

    @Test func cancelIsEncryptedToo() throws {
        let site = try Self.site.get()
        let walden = try site.walden("host=localhost sslmode=verify-full sslrootcert=\(site.authority.certificate)")
        let client = try walden.connect()
        try client.begin("SELECT pg_sleep(64)")
        let observer = try site.cluster.primary.connect()
        try eventually("the statement runs") {
            try observer.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%(64)'")
                .rows.count == 1
        }
        try client.canceller().cancel()
        let error = #expect(throws: SQLError.self) { try client.finish() }
        #expect(error?.sqlState == "57014")
    }

    @Test func serverWithoutTLSIsUsedOnlyWhereTheModeAllowsIt() throws {
        let cluster = try Cluster.start()
        for (mode, isServed) in [("allow", true), ("prefer", true), ("require", false)] {
            var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn("sslmode=\(mode)"))
            configuration.flags = ["--cache-enabled", "false"]
            let walden = try WaldenProcess.start(configuration)
            if isServed {
                #expect(try walden.connect().scalar("SELECT 1") == "1")
            } else {
                let error = #expect(throws: SQLError.self) { try walden.connect() }
                #expect(error?.message.contains("does not support TLS") ?? false)
            }
        }
    }

    @Test func reloadTakesOverAuthoritiesAndDropsNobody() throws {
        let site = try Self.site.get()
        let scratch = try Scratch()
        let roots = "\(scratch.path)/roots.crt"
        try ProcessRunner.check(["cp", site.stranger.certificate, roots])
        let walden = try site.walden("host=localhost sslmode=verify-full sslrootcert=\(roots)")
        #expect(throws: SQLError.self) { try walden.connect() }
        try ProcessRunner.check(["cp", site.authority.certificate, roots])
        walden.reload()
        try eventually("the new authority counts") { (try? walden.connect()) != nil }
        let open = try walden.connect()
        try ProcessRunner.check(["rm", roots])
        walden.reload()
        try walden.waitForLog("roots.crt: cannot be read")
        #expect(try open.scalar("SELECT 1") == "1")
        #expect(try site.isEncrypted(walden.connect()))
    }
}
