import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: Walden authenticates clients itself and logs in for them, against a server that asks for passwords in each of
/// its ways. Risk: somebody is admitted who should not be, a changed password goes on working, or a refusal tells more
/// than PostgreSQL's would.
@Suite(.serialized) struct OwnAuthenticationTests {
    private static let cluster = Result {
        let cluster = try Cluster.start(.init())
        let server = cluster.primary
        try server.connect().query(
            """
            CREATE ROLE plain_user LOGIN PASSWORD 'secret one';
            SET password_encryption = 'md5';
            CREATE ROLE md5_user LOGIN PASSWORD 'secret two';
            SET password_encryption = 'scram-sha-256';
            CREATE ROLE scram_user LOGIN PASSWORD 'sécret thrée';
            CREATE ROLE changing_user LOGIN PASSWORD 'old';
            CREATE ROLE walsender_user LOGIN REPLICATION PASSWORD 'stream';
            CREATE ROLE expired_user LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01';
            CREATE ROLE locked_user NOLOGIN PASSWORD 'x';
            CREATE ROLE super_user LOGIN SUPERUSER PASSWORD 'x';
            CREATE ROLE listed_user LOGIN PASSWORD 'from the file';
            CREATE SCHEMA evil;
            CREATE FUNCTION evil.role_secret(text) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$
            """)
        try WaldenStack.install(on: server)
        try server.connect().query("ALTER ROLE walden PASSWORD 'walden'")
        try server.setAuthentication([
            "host all postgres 127.0.0.1/32 trust",
            "host all plain_user 127.0.0.1/32 password",
            "host all md5_user 127.0.0.1/32 md5",
            "host all all 127.0.0.1/32 scram-sha-256",
        ])
        server.reload()
        try eventually("the server asks for passwords") { (try? server.connect(user: "scram_user")) == nil }
        return cluster
    }

    private static let scram = Result { try start(["--auth-method", "scram-sha-256"]) }
    private static let md5 = Result { try start(["--auth-method", "md5"]) }
    private static let password = Result { try start(["--auth-method", "password"]) }

    /// A Walden with the rights of its own role, as operators have it.
    private static func start(_ flags: [String]) throws -> WaldenProcess {
        var run = WaldenProcess.Configuration(
            primary: try cluster.get().primary.dsn(user: "walden", "password=walden"))
        run.flags = flags
        return try WaldenProcess.start(run)
    }

    private func refusal(
        _ walden: WaldenProcess, _ user: String, _ password: String, _ more: String = ""
    ) -> String? {
        let error = #expect(throws: SQLError.self) {
            try walden.connect(user: user, "password='\(password)' \(more)")
        }
        return error?.message.split(separator: "FATAL:  ").last.map(String.init)
    }

    @Test func passwordsOpenSessionsOnServersThatAskForTheirs() throws {
        let scram = try Self.scram.get()
        let client = try scram.connect(user: "scram_user", "password='sécret thrée'")
        #expect(try client.scalar("SELECT current_user") == "scram_user")
        let password = try Self.password.get()
        for (user, secret) in [
            ("plain_user", "secret one"), ("md5_user", "secret two"), ("scram_user", "sécret thrée"),
        ] {
            let client = try password.connect(user: user, "password='\(secret)'")
            #expect(try client.scalar("SELECT current_user") == user)
        }
        let md5 = try Self.md5.get()
        for (user, secret) in [("md5_user", "secret two"), ("scram_user", "sécret thrée")] {
            let client = try md5.connect(user: user, "password='\(secret)'")
            #expect(try client.scalar("SELECT current_user") == user)
        }
    }

    @Test(arguments: [
        ("scram_user", "wrong"), ("no_such_user", "x"), ("expired_user", "x"), ("locked_user", "x"),
        ("super_user", "x"),
        ("md5_user", "secret two"),
    ])
    func refusalsReadAlike(user: String, password: String) throws {
        for walden in [try Self.scram.get(), try Self.password.get()] {
            if walden.port == (try Self.password.get().port), user == "md5_user" { continue }
            #expect(refusal(walden, user, password) == "password authentication failed for user \"\(user)\"\n")
        }
    }

    /// SCRAM shows Walden the client's key, which is worth nothing where the server asks for a password in clear.
    @Test func keysDoNotAnswerOtherMethods() throws {
        let walden = try Self.scram.get()
        let message = refusal(walden, "plain_user", "secret one")
        #expect(
            message?.hasPrefix("Walden could not log in on the server as \"plain_user\"") == true, "\(message ?? "")")
        #expect(message?.contains("It asks for a password, and Walden holds SCRAM keys of this user.") == true)
    }

    @Test func aChangedPasswordWorksAtOnce() throws {
        let walden = try Self.scram.get()
        let admin = try Self.cluster.get().primary.connect()
        for (old, new) in [("old", "new"), ("new", "newer")] {
            _ = try walden.connect(user: "changing_user", "password=\(old)")
            try admin.query("ALTER ROLE changing_user PASSWORD '\(new)'")
            #expect(refusal(walden, "changing_user", old)?.hasPrefix("password authentication failed") == true)
            let client = try walden.connect(user: "changing_user", "password=\(new)")
            #expect(try client.scalar("SELECT 1") == "1")
        }
        try admin.query("ALTER ROLE changing_user PASSWORD 'old'")
    }

    /// Remembered secrets: a password in clear is compared anew, and what a server refuses is forgotten.
    @Test func aChangedPasswordWorksInSpiteOfTheCache() throws {
        let walden = try Self.start(["--auth-method", "password", "--auth-cache", "1h"])
        let admin = try Self.cluster.get().primary.connect()
        _ = try walden.connect(user: "changing_user", "password=old")
        try admin.query("ALTER ROLE changing_user PASSWORD 'fresh'")
        let client = try walden.connect(user: "changing_user", "password=fresh")
        #expect(try client.scalar("SELECT 1") == "1")
        #expect(refusal(walden, "changing_user", "old")?.hasPrefix("password authentication failed") == true)
        try admin.query("ALTER ROLE changing_user PASSWORD 'old'")
    }

    /// The function runs with its owner's rights: nobody but Walden's role may call it, and a search path bends nothing.
    @Test func onlyWaldensRoleReadsSecrets() throws {
        let server = try Self.cluster.get().primary
        let walden = try server.connect(user: "walden", "password=walden")
        #expect(try walden.scalar("SELECT walden.role_secret('scram_user') LIKE 'SCRAM-SHA-256$%'") == "t")
        try walden.query("SET search_path = evil, public")
        #expect(try walden.scalar("SELECT walden.role_secret('scram_user') LIKE 'SCRAM-SHA-256$%'") == "t")
        for role in ["super_user", "expired_user", "locked_user", "no_such_user"] {
            #expect(try walden.scalar("SELECT walden.role_secret('\(role)') IS NULL") == "t")
        }
        let stranger = try server.connect(user: "scram_user", "password='sécret thrée'")
        let error = #expect(throws: SQLError.self) { try stranger.query("SELECT walden.role_secret('md5_user')") }
        #expect(error?.sqlState == "42501")
        let proxy = try Self.scram.get()
        #expect(
            refusal(proxy, "no_such_user", "x", "options='-c search_path=evil'")?
                .hasPrefix("password authentication failed") == true)
    }

    @Test func usersOfTheFileComeFirstAndAreReadAnew() throws {
        let scratch = try Scratch()
        let path = try scratch.write("users", "\"listed_user\" \"from the file\"\n")
        let walden = try Self.start(["--auth-method", "scram-sha-256", "--auth-user-file", path])
        _ = try walden.connect(user: "listed_user", "password='from the file'")
        _ = try scratch.write("users", "\"listed_user\" \"from the file\"\n\"super_user\" \"x\"\n")
        #expect(refusal(walden, "super_user", "x")?.hasPrefix("password authentication failed") == true)
        walden.reload()
        try walden.waitForLog("the configuration was read again")
        let client = try walden.connect(user: "super_user", "password=x")
        #expect(try client.scalar("SELECT current_user") == "super_user")
        _ = try scratch.write("users", "\"listed_user\" secret-word\n")
        walden.reload()
        try walden.waitForLog("users:1")
        #expect(!walden.log.contains("secret-word") && !walden.log.contains("from the file"))
        _ = try walden.connect(user: "super_user", "password=x")
    }

    @Test func rulesDecideByUserAndDatabase() throws {
        let scratch = try Scratch()
        let rules = try scratch.write(
            "hba",
            """
            host template1 all 127.0.0.1/32 reject
            host all scram_user samehost scram-sha-256
            host all plain_user 127.0.0.0 255.0.0.0 password
            """)
        let walden = try Self.start(["--auth-method", "hba", "--auth-hba-file", rules])
        _ = try walden.connect(user: "scram_user", "password='sécret thrée'")
        _ = try walden.connect(user: "plain_user", "password='secret one'")
        #expect(
            refusal(walden, "md5_user", "secret two")
                == "no entry in Walden's auth.hba_file for host \"127.0.0.1\", user \"md5_user\", database \"postgres\", "
                + "no encryption\n")
        let error = #expect(throws: SQLError.self) {
            try walden.connect(database: "template1", user: "scram_user", "password='sécret thrée'")
        }
        #expect(error?.message.contains("rejects connection for host \"127.0.0.1\"") == true)
        let output = try WaldenProcess.run([
            "run", "--primary", "host=127.0.0.1", "--auth-method", "hba", "--auth-hba-file",
            try scratch.write("bad", "host all +staff all md5\n"),
        ])
        #expect(!output.status.isSuccess)
        #expect(output.transcript.contains("bad:1") && output.transcript.contains("member of which role"))
    }

    @Test func brokenExchangesEndOnlyTheirClient() throws {
        let walden = try Self.scram.get()
        let bystander = try walden.connect(user: "scram_user", "password='sécret thrée'")
        for data in ["xyz", "", "n,,n=,r=", "p=tls-unique,,n=,r=a", "n,a=x,n=,r=a"] {
            let client = try ProtocolClient(port: walden.port)
            try client.send(Send.startup([("user", "scram_user"), ("database", "postgres")]))
            #expect(try client.receive().integer(at: 0, as: Int32.self) == 10)
            let length = Send.bytes(of: Int32(data.utf8.count))
            try client.send(Send.message("p", Array("SCRAM-SHA-256\0".utf8) + length + Array(data.utf8)))
            #expect(try client.receiveUntilClosed().contains { $0.tag == "E" })
        }
        let client = try ProtocolClient(port: walden.port)
        try client.send(Send.startup([("user", "scram_user"), ("database", "postgres")]), Send.query("SELECT 1"))
        #expect(try client.receiveUntilClosed().last?.sqlState == "08P01")
        #expect(try bystander.scalar("SELECT 1") == "1")
    }

    /// A password message of 65,535 bytes is long and legal.
    @Test func longPasswordIsRead() throws {
        let client = try ProtocolClient(port: Self.password.get().port)
        try client.send(Send.startup([("user", "plain_user"), ("database", "postgres")]))
        #expect(try client.receive().integer(at: 0, as: Int32.self) == 3)
        try client.send(Send.password(String(repeating: "x", count: 65_535 - 5)))
        #expect(try client.receiveUntilClosed().last?.sqlState == "28P01")
    }

    @Test func walsendersGoToThePrimaryAlone() throws {
        let walden = try Self.scram.get()
        let client = try SQLClient(
            walden.dsn(user: "walsender_user", "password=stream replication=database"))
        #expect(try client.query("IDENTIFY_SYSTEM").rows.count == 1)
    }

    @Test func whoSaysNothingIsTimedOut() throws {
        let walden = try Self.start(["--auth-method", "scram-sha-256", "--proxy-startup-timeout", "300ms"])
        let client = try ProtocolClient(port: walden.port)
        try client.send(Send.startup([("user", "scram_user"), ("database", "postgres")]))
        #expect(try client.receiveUntilClosed().last?.sqlState == "57014")
    }

    @Test func withoutThePrimaryNobodyIsAdmittedAndTheLogSaysWhy() throws {
        var run = WaldenProcess.Configuration(primary: "host=127.0.0.1 port=1 dbname=postgres user=walden")
        run.flags = ["--auth-method", "scram-sha-256"]
        let walden = try WaldenProcess.start(run)
        #expect(
            refusal(walden, "scram_user", "x")?
                .hasPrefix("Walden could not ask the primary for the user's password") == true)
        try walden.waitForLog("auth.query: ")
        #expect(try walden.metrics()["walden_authentications_total{result=\"failed\"}"] == 1)
    }

    @Test func figuresTellWhoWasAdmitted() throws {
        let walden = try Self.start(["--auth-method", "scram-sha-256"])
        _ = try walden.connect(user: "scram_user", "password='sécret thrée'")
        _ = refusal(walden, "scram_user", "wrong")
        let metrics = try walden.metrics()
        #expect(metrics["walden_authentications_total{result=\"admitted\"}"] == 1)
        #expect(metrics["walden_authentications_total{result=\"refused\"}"] == 1)
        #expect(metrics["walden_authenticating"] == 0)
    }

    // MARK: TLS

    /// libpq's `require` insists on SCRAM-SHA-256-PLUS, and on a server that knows the verifier.
    @Test func channelBindingIsHadOverTLSAndMissedWithout() throws {
        let authority = try CertificateAuthority()
        let own = try authority.issue("walden", subject: "/CN=localhost", alternatives: ["IP:127.0.0.1"])
        let tls = [
            "--tls-client-mode", "prefer", "--tls-client-cert-file", own.certificate, "--tls-client-key-file", own.key,
        ]
        let scram = try Self.start(tls + ["--auth-method", "scram-sha-256"])
        let words = "password='sécret thrée' sslmode=require channel_binding="
        for binding in ["require", "prefer", "disable"] {
            let client = try scram.connect(user: "scram_user", words + binding)
            #expect(try client.scalar("SELECT current_user") == "scram_user")
        }
        #expect(refusal(scram, "scram_user", "wrong", "sslmode=require channel_binding=require") != nil)
        let password = try Self.start(tls + ["--auth-method", "password"])
        let error = #expect(throws: SQLError.self) { try password.connect(user: "scram_user", words + "require") }
        #expect(error?.message.contains("channel binding required") == true, "\(error?.message ?? "")")
    }

    @Test func certificatesNameTheirUsers() throws {
        let authority = try CertificateAuthority()
        let own = try authority.issue("walden", subject: "/CN=localhost", alternatives: ["IP:127.0.0.1"])
        let person = try authority.issue("person", subject: "/CN=Jane Doe")
        let role = try authority.issue("role", subject: "/CN=listed_user")
        let scratch = try Scratch()
        let rules = "hostssl all listed_user all cert\nhostssl all all all cert map=staff\n"
        let walden = try Self.start([
            "--tls-client-mode", "prefer", "--tls-client-cert-file", own.certificate, "--tls-client-key-file", own.key,
            "--tls-client-ca-file", authority.certificate, "--auth-method", "hba",
            "--auth-hba-file", try scratch.write("hba", rules),
            "--auth-ident-file", try scratch.write("ident", "staff \"Jane Doe\" scram_user\n"),
            "--auth-user-file",
            try scratch.write("users", "\"listed_user\" \"from the file\"\n\"scram_user\" \"sécret thrée\"\n"),
        ])
        for (user, issued) in [("listed_user", role), ("scram_user", person)] {
            let client = try walden.connect(
                user: user, "sslmode=require sslcert=\(issued.certificate) sslkey=\(issued.key)")
            #expect(try client.scalar("SELECT current_user") == user)
        }
        let error = #expect(throws: SQLError.self) {
            try walden.connect(
                user: "listed_user", "sslmode=require sslcert=\(person.certificate) sslkey=\(person.key)")
        }
        #expect(error?.message.contains("certificate authentication failed for user \"listed_user\"") == true)
        let bare = #expect(throws: SQLError.self) { try walden.connect(user: "scram_user", "sslmode=require") }
        #expect(bare?.message.contains("connection requires a valid client certificate") == true)
    }
}
