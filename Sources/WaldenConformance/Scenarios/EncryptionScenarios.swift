import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// TLS, and protocol versions that PostgreSQL 15 does not speak itself.
    static let encryption = [
        Scenario("TLS by request and directly", [2, 4]) { stage in
            let authority = try CertificateAuthority()
            let own = try authority.issue("walden", subject: "/CN=walden", alternatives: ["IP:127.0.0.1"])
            let walden = try stage.walden([
                "--tls-client-mode", "prefer", "--tls-client-cert-file", own.certificate, "--tls-client-key-file",
                own.key,
            ])
            let client = try walden.connect("sslmode=verify-full sslrootcert=\(authority.certificate)")
            try require(client.encryption != nil, "the session is not encrypted")
            try require(try client.scalar("SELECT name FROM items WHERE id = 2"), is: "item 2", "a read")

            let polite = try ProtocolClient(port: walden.port)
            try polite.send(Send.sslRequest)
            try require(try polite.receiveByte(), is: "S", "the answer to SSLRequest")
            for queued in [Send.startup(Script.defaultParameters), [0x16, 3, 1]] {
                let hasty = try ProtocolClient(port: walden.port)
                try hasty.send(Send.sslRequest + queued)
                let messages = try hasty.receiveUntilClosed()
                try require(messages.map(\.tag), is: ["E"], "bytes queued before the handshake were answered")
            }

            // Ended by an error that is FATAL: `s_client` stays until the connection closes.
            let session = Send.startup(Script.defaultParameters) + Send.message("~", [])
            for (names, isServed) in [("postgresql", true), ("h2,postgresql", true), ("h2", false), ("", false)] {
                let direct = try ProcessRunner.run(
                    ["openssl", "s_client", "-connect", "127.0.0.1:\(walden.port)", "-quiet"]
                        + (names.isEmpty ? [] : ["-alpn", names]), input: String(decoding: session, as: UTF8.self))
                try require(direct.output.contains("server_version"), is: isServed, "ALPN '\(names)'")
            }
        },
        Scenario("protocol 3.2 and 3.3", [5]) { stage in
            let walden = try stage.walden(.relay)
            for (minor, negotiated) in [(Int32(0), false), (2, false), (3, true), (99, true)] {
                let client = try ProtocolClient(port: walden.port)
                let messages = try client.start(version: 3 << 16 | minor)
                let negotiations = messages.filter { $0.tag == "v" }
                try require(negotiations.count, is: negotiated ? 1 : 0, "NegotiateProtocolVersion for 3.\(minor)")
                if let negotiation = negotiations.first {
                    try require(negotiation.integer(at: 0, as: Int32.self), is: Send.protocol32, "the version")
                    try require(messages.first?.tag, is: "v", "it is told first")
                }
                let length = client.cancelKey.count
                try require(minor == 0 ? length == 4 : (4...256).contains(length), "a key of \(length) bytes")
                if minor > 0 { try require(length > 4, "3.\(minor) has a key of \(length) bytes") }
                try client.send(Send.query("SELECT pg_sleep(60) /* minor \(minor) */"))
                try stage.waitUntil("/* minor \(minor) */", waitsFor: "PgSleep")
                let canceller = try ProtocolClient(port: walden.port)
                try canceller.send(Send.cancelRequest(processID: client.processID, key: client.cancelKey))
                let answer = try client.receiveUntilReady().first { $0.tag == "E" }
                try require(answer?.sqlState, is: "57014", "the cancelled query")
            }
        },
    ]
}
