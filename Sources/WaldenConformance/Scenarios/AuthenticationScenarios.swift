import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// Passwords. The stage's servers trust everybody, so each has a cluster of its own.
    static let authentication = [
        Scenario("passwords that the server checks", [9, 12, 14, 15, 16]) { _ in
            try withPasswords { cluster, walden in
                try requireSameRefusals(cluster, walden)
                try longPassword(walden)
                try brokenExchange(walden)
                let client = try walden.connect(user: "scram_user", "password=secret")
                try require(try client.scalar("SELECT current_user"), is: "scram_user", "the user")
                try cluster.primary.connect().query("ALTER ROLE scram_user PASSWORD 'renewed'")
                try require(try client.scalar("SELECT 1"), is: "1", "the session that was open")
                let old = try refusal("the old password") {
                    _ = try walden.connect(user: "scram_user", "password=secret")
                }
                try require(old.message.contains("password authentication failed"), "the old password: \(old)")
                let renewed = try walden.connect(user: "scram_user", "password=renewed")
                try require(try renewed.scalar("SELECT 1"), is: "1", "the new password")
                try cluster.primary.restart()
                try walden.waitUntilReady()
                try eventually("the user is let in after the server's restart") {
                    try walden.connect(user: "scram_user", "password=renewed").scalar("SELECT 1") == "1"
                }
            }
        },
        Scenario("passwords that Walden checks", [9, 12, 13, 14, 15, 16]) { _ in
            try withPasswords(["--auth-method", "scram-sha-256"]) { cluster, walden in
                func login(_ user: String, _ more: String) throws { _ = try walden.connect(user: user, more) }
                try login("scram_user", "password=secret sslmode=require channel_binding=require")
                try login("scram_user", "password=secret sslmode=disable")
                let unbound = try refusal("channel binding without TLS") {
                    try login("scram_user", "password=secret sslmode=disable channel_binding=require")
                }
                try require(unbound.message.contains("channel binding"), "the reason: \(unbound)")
                // Nobody learns from the answer who exists.
                for user in ["scram_user", "nobody", "expired_user"] {
                    let password = user == "expired_user" ? "secret" : "wrong"
                    let error = try refusal(user) {
                        try login(user, "password=\(password) options='-c search_path=hostile'")
                    }
                    try require(
                        error.message.hasSuffix("FATAL:  password authentication failed for user \"\(user)\"\n"),
                        "the refusal: \(error)")
                }
                try brokenExchange(walden)
                // It has a server connection at hand, as PostgreSQL's session would; for another the old proof is worth
                // nothing any more.
                let open = try walden.connect(user: "scram_user", "password=secret")
                try require(try open.scalar("SELECT 1"), is: "1", "the session before")
                try cluster.primary.connect().query("ALTER ROLE scram_user PASSWORD 'renewed'")
                try require(try open.scalar("SELECT 1"), is: "1", "the session that was open")
                // What Walden remembers of the old one is found out by the first attempt at the latest.
                let isLetIn = (try? login("scram_user", "password=renewed")) != nil
                if !isLetIn { try login("scram_user", "password=renewed") }
                _ = try refusal("the old password") { try login("scram_user", "password=secret") }
                try cluster.primary.restart()
                try walden.waitUntilReady()
                try eventually("the user is let in after the server's restart") {
                    try walden.connect(user: "scram_user", "password=renewed").scalar("SELECT 1") == "1"
                }
            }
            try withPasswords(["--auth-method", "password"]) { _, walden in try longPassword(walden) }
        },
    ]

    private static func withPasswords(
        _ flags: [String] = [], _ body: (Cluster, WaldenProcess) throws -> Void
    ) throws {
        let cluster = try Cluster.start()
        defer { cluster.end() }
        let admin = try cluster.primary.connect()
        try admin.query(
            """
            CREATE ROLE plain_user LOGIN PASSWORD 'secret';
            CREATE ROLE scram_user LOGIN PASSWORD 'secret';
            CREATE ROLE expired_user LOGIN PASSWORD 'secret' VALID UNTIL '2001-01-01'
            """)
        try WaldenStack.install(on: cluster.primary)
        try cluster.primary.setAuthentication([
            "host all postgres 127.0.0.1/32 trust", "host replication postgres 127.0.0.1/32 trust",
            "host all plain_user 127.0.0.1/32 password", "host all all 127.0.0.1/32 scram-sha-256",
        ])
        cluster.primary.reload()
        try eventually("the server asks for passwords") { (try? cluster.primary.connect(user: "scram_user")) == nil }
        var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        let authority = try CertificateAuthority()
        let own = try authority.issue("walden", subject: "/CN=walden", alternatives: ["IP:127.0.0.1"])
        configuration.flags =
            ["--cache-enabled", "false", "--tls-client-mode", "prefer", "--tls-client-cert-file", own.certificate]
            + ["--tls-client-key-file", own.key] + flags
        let walden = try WaldenProcess.start(configuration)
        try walden.waitUntilReady()
        try body(cluster, walden)
    }

    /// What libpq is told is the same but for the port.
    private static func requireSameRefusals(_ cluster: Cluster, _ walden: WaldenProcess) throws {
        let attempts = [
            ("scram_user", "password=wrong"), ("scram_user", ""), ("plain_user", "password=wrong"),
            ("expired_user", "password=secret"), ("nobody", "password=x"), ("nobody dbname=nowhere", "password=x"),
            ("scram_user dbname=nowhere", "password=secret"), ("scram_user", "password=secret channel_binding=require"),
            ("expired_user", "password=secret options='-c search_path=hostile'"),
        ]
        for (user, more) in attempts {
            let direct = try refusal("\(user), directly") {
                _ = try SQLClient(cluster.primary.dsn(user: user, "\(more) sslmode=disable"))
            }
            let clear = "\(more) sslmode=disable"
            let proxied = try refusal("\(user)") { _ = try SQLClient(walden.dsn(user: user, clear)) }
            let expected = direct.message.replacing("port \(cluster.primary.port)", with: "port \(walden.port)")
            try require(proxied.message, is: expected, "the refusal of \(user) \(more)")
        }
    }

    private static func longPassword(_ walden: WaldenProcess) throws {
        let client = try ProtocolClient(port: walden.port)
        try client.send(Send.startup([("user", "plain_user"), ("database", "postgres")]))
        try require(try client.receive().integer(at: 0, as: Int32.self), is: 3, "the request for a password")
        try client.send(Send.password(String(repeating: "x", count: 65_535 - 5)))
        try require(try client.receiveUntilClosed().last?.sqlState, is: "28P01", "a password of 65,535 bytes")
    }

    private static func brokenExchange(_ walden: WaldenProcess) throws {
        let messages: [[UInt8]] = [
            Array("SCRAM-SHA-256\0".utf8) + [0, 0, 0, 3] + Array("xyz".utf8),
            Array("SCRAM-SHA-256\0".utf8) + [0x7F, 0xFF, 0xFF, 0xFF], Array("NONSENSE\0".utf8) + [0, 0, 0, 0], [0], [],
        ]
        for message in messages {
            let client = try ProtocolClient(port: walden.port)
            try client.send(Send.startup([("user", "scram_user"), ("database", "postgres")]))
            try require(try client.receive().integer(at: 0, as: Int32.self), is: 10, "the request for SASL")
            try client.send(Send.message("p", message))
            client.finishSending()
            let answer = try client.receiveUntilClosed()
            try require(answer.allSatisfy { $0.tag == "E" }, "a malformed message was answered: \(answer)")
        }
        try require(walden.isRunning, "Walden ended")
        let bystander = try walden.connect(user: "scram_user", "password=secret")
        try require(try bystander.scalar("SELECT 1"), is: "1", "a bystander")
    }
}
