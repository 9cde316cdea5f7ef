import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// Servers that break off, break the protocol, or fall silent.
    static let faults = [
        Scenario("ErrorResponse without SQLSTATE", [55]) { stage in
            try withRelay(stage) { walden, _ in
                let client = try ProtocolClient(port: walden.port)
                try client.start()
                try client.exchange(Send.query(raise("strip")))
                let messages = try client.exchange(Send.query("SELECT 1 / 0"))
                try require(messages.map(\.tag), is: ["E", "Z"], "the answer")
                try require(messages.first?.fields["C"], is: nil, "the SQLSTATE")
                try require(messages.first?.fields["M"], is: "division by zero", "the message")
                try client.exchange(Send.query(raise("strip")))
                let inBatch = try client.exchange(
                    Send.parse("SELECT 1 / 0"), Send.bind(), Send.execute(), Send.sync)
                try require(inBatch.last?.tag, is: "Z", "the end of a batch")
                let rows = try client.exchange(Send.query("SELECT 1")).map(\.tag)
                try require(rows, is: ["T", "D", "C", "Z"], "the session afterwards")
            }
        },
        Scenario("link lost after COMMIT was sent", [62]) { stage in
            try withRelay(stage) { walden, _ in
                try stage.admin.query("DELETE FROM rows")
                let client = try ProtocolClient(port: walden.port)
                try client.start()
                try client.exchange(Send.query("BEGIN"))
                try client.exchange(Send.query("INSERT INTO rows VALUES (62, 62)"))
                try client.exchange(Send.query(raise("cut")))
                try client.send(Send.query("COMMIT"))
                let messages = try client.receiveUntilClosed()
                // At most that the outcome is unknown (class 08), as libpq says when a connection ends without a word.
                let isHonest = messages.count <= 1 && messages.allSatisfy { $0.sqlState?.hasPrefix("08") ?? false }
                try require(isHonest, "the client was told \(messages)")
                try require(try stage.admin.scalar("SELECT count(*) FROM rows"), is: "1", "rows committed")
                try stage.admin.query("DELETE FROM rows")
            }
        },
        Scenario("link lost in an autocommit write", [62]) { stage in
            try withRelay(stage) { walden, _ in
                try stage.admin.query("DELETE FROM copied")
                let client = try ProtocolClient(port: walden.port)
                try client.start()
                try client.exchange(Send.query(raise("cut")))
                try client.send(Send.query("INSERT INTO copied VALUES (62, 'once')"))
                let messages = try client.receiveUntilClosed()
                try require(!messages.contains { $0.tag == "C" || $0.tag == "Z" }, "the client was told \(messages)")
                try require(try stage.admin.scalar("SELECT count(*) FROM copied"), is: "1", "rows: once, not twice")
                try stage.admin.query("DELETE FROM copied")
            }
        },
        Scenario("server killed during COPY and in a transaction", [38, 61]) { _ in
            let cluster = try Cluster.start()
            defer { cluster.end() }
            try cluster.primary.connect().query("CREATE TABLE copied (a int, b text)")
            var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
            configuration.flags = ["--cache-enabled", "false"]
            let walden = try WaldenProcess.start(configuration)
            try walden.waitUntilReady()
            let copier = try ProtocolClient(port: walden.port)
            try copier.start()
            try copier.send(Send.query("COPY copied FROM STDIN"), Send.copyData(Array("1\tx\n".utf8)))
            try require(try copier.receive().tag, is: "G", "the answer to COPY")
            let writer = try ProtocolClient(port: walden.port)
            try writer.start()
            try writer.exchange(Send.query("BEGIN"))
            try writer.exchange(Send.query("INSERT INTO copied VALUES (1, 'never')"))
            try cluster.primary.kill()
            for client in [copier, writer] {
                let messages = try client.receiveUntilClosed()
                try require(messages.allSatisfy { $0.tag == "E" }, "the client was told \(messages)")
                try require(messages.count <= 1, "the client was told twice: \(messages)")
            }
            try cluster.primary.start()
            try walden.waitUntilReady()
            let left = try walden.connect().scalar("SELECT count(*) FROM copied")
            try require(left, is: "0", "rows of a transaction that was never committed")
        },
    ]

    static func raise(_ fault: String) -> String {
        "DO $$ BEGIN RAISE NOTICE 'fault: \(fault)'; END $$"
    }

    /// A Walden that reaches the stage's primary through a relay which does harm on command.
    static func withRelay(
        _ stage: Stage, _ flags: [String] = [], _ body: (WaldenProcess, FaultRelay) throws -> Void
    ) throws {
        let relay = try FaultRelay(before: stage.cluster.primary.port)
        let dsn = "host=127.0.0.1 port=\(relay.port) dbname=postgres user=postgres sslmode=disable"
        let walden = try stage.walden(["--cache-enabled", "false"] + flags, primary: dsn)
        try body(walden, relay)
        _ = try walden.terminate()
    }
}
