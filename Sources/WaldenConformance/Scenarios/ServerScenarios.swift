import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// Requests that only one of several servers, or of several Waldens, can serve.
    static let servers = [
        Scenario("cancel at another instance", [45]) { stage in
            for flags in [[], ["--auth-method", "trust"]] {
                let owner = try stage.walden(flags + ["--proxy-peer-id", "2"])
                let peers = ["--proxy-peer-id", "1", "--proxy-peers", "1=127.0.0.1:1"]
                let other = try stage.walden(flags + peers + ["--proxy-peers", "2=127.0.0.1:\(owner.port)"])
                for version in [Send.protocol30, Send.protocol32] {
                    let client = try ProtocolClient(port: owner.port)
                    try client.start(version: version)
                    let marker = "/* \(flags) \(version) */"
                    try client.send(Send.query("SELECT pg_sleep(60) \(marker)"))
                    try stage.waitUntil(marker, waitsFor: "PgSleep")
                    for isRight in [false, true] {
                        var key = client.cancelKey
                        if !isRight { key[key.count - 1] ^= 1 }
                        let canceller = try ProtocolClient(port: other.port)
                        try canceller.send(Send.cancelRequest(processID: client.processID, key: key))
                        // It is told by the end of the connection, as PostgreSQL does.
                        try require(try canceller.receiveUntilClosed().isEmpty, "a cancel request was answered")
                        if !isRight {
                            try stage.waitUntil(marker, waitsFor: "PgSleep")
                            try require(!client.hasInput, "a forged key cancelled")
                        }
                    }
                    let answer = try client.receiveUntilReady().compactMap(\.sqlState)
                    try require(answer, is: ["57014"], "the cancelled query")
                }
                try require(
                    try other.metrics()["walden_cancel_requests_forwarded_total"], is: 4, "requests passed on")
                try require(
                    try owner.metrics()["walden_cancel_requests_forwarded_total"], is: 0, "requests passed on again")
                for walden in [owner, other] { _ = try walden.terminate() }
            }
        },
        Scenario("write that was taken for a read", [57]) { _ in
            let cluster = try Cluster.start(.init(standbys: 1))
            defer { cluster.end() }
            let admin = try cluster.primary.connect()
            // Said to be STABLE, which PostgreSQL believes, as Walden does.
            try admin.query(
                """
                CREATE TABLE visits (n int); CREATE TABLE numbers (n int); INSERT INTO numbers VALUES (1);
                CREATE FUNCTION visit() RETURNS int VOLATILE LANGUAGE plpgsql AS
                    'BEGIN INSERT INTO visits VALUES (1); RETURN 7; END';
                CREATE FUNCTION look() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN visit(); END'
                """)
            try WaldenStack.install(on: cluster.primary)
            try cluster.waitForReplay(on: cluster.standbys[0])
            var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
            configuration.replicas = cluster.standbys.map { $0.dsn() }
            configuration.flags = ["--auth-method", "trust"]
            let walden = try WaldenProcess.start(configuration)
            try WaldenStack(cluster: cluster, walden: walden).waitUntilCaching()
            let client = try walden.connect()
            try client.query("SET walden.cache = off")
            try client.query("SET walden.consistency = bounded")
            func readsOfReplica() throws -> Double {
                try walden.metrics().filter { $0.key.contains("walden_reads_total{") && $0.key.contains("\"replica\"") }
                    .values.reduce(0, +)
            }
            try eventually("reads run on the replica") {
                let before = try readsOfReplica()
                try client.query("SELECT n FROM numbers")
                return try readsOfReplica() > before
            }
            let before = try readsOfReplica()
            for sql in ["SELECT look()", "SELECT look() FROM numbers"] {
                try require(try client.scalar(sql), is: "7", sql)
            }
            let prepared = try ProtocolClient(port: walden.port, user: "postgres")
            try prepared.exchange(Send.query("SET walden.cache = off"))
            try prepared.exchange(Send.query("SET walden.consistency = bounded"))
            let tags = try prepared.exchange(Send.parse("SELECT look()"), Send.bind(), Send.execute(), Send.sync)
            try require(tags.map(\.tag), is: ["1", "2", "D", "C", "Z"], "the extended query")
            try require(try readsOfReplica() > before, "none was sent to the replica, so nothing is shown")
            try require(try admin.scalar("SELECT count(*) FROM visits"), is: "3", "each was executed once")
            // In a transaction it is the client's to repeat.
            try client.query("BEGIN READ ONLY")
            let refused = try refusal("a write in a transaction that only reads") { try client.query("SELECT look()") }
            try require(refused.sqlState, is: "25006", "its SQLSTATE")
            try client.query("ROLLBACK")
            try require(try admin.scalar("SELECT count(*) FROM visits"), is: "3", "it was not executed")
        },
        Scenario("walsender of a database and of the cluster", [70]) { stage in
            for flags in [[], ["--auth-method", "trust", "--pool-size", "1"]] {
                let walden = try stage.walden(flags + ["--cache-enabled", "false"])
                // Pooled, the only link of the pool is in use.
                let holder = try ProtocolClient(port: walden.port)
                try holder.start()
                try holder.exchange(Send.query("BEGIN; SELECT 1"))
                for replication in ["database", "true"] {
                    let parameters = [("user", "postgres"), ("database", "postgres"), ("replication", replication)]
                    func identity(_ port: Int) throws -> String? {
                        let client = try ProtocolClient(port: port)
                        try client.start(parameters)
                        let messages = try client.exchange(Send.query("IDENTIFY_SYSTEM"))
                        try require(messages.map(\.tag), is: ["T", "D", "C", "Z"], "IDENTIFY_SYSTEM")
                        return messages.first { $0.tag == "D" }?.texts.first ?? nil
                    }
                    try require(try identity(walden.port), is: try identity(stage.cluster.primary.port), "the system")
                }
                try requireStream(stage, walden)
                try holder.exchange(Send.query("COMMIT"))
                _ = try walden.terminate()
            }
        },
    ]

    /// A logical stream passes both ways until the client ends it.
    private static func requireStream(_ stage: Stage, _ walden: WaldenProcess) throws {
        let client = try ProtocolClient(port: walden.port)
        try client.start([("user", "postgres"), ("database", "postgres"), ("replication", "database")])
        try client.exchange(Send.query("CREATE_REPLICATION_SLOT walsender TEMPORARY LOGICAL test_decoding"))
        try client.send(Send.query("START_REPLICATION SLOT walsender LOGICAL 0/0"))
        try require(try client.receive().tag, is: "W", "CopyBothResponse")
        try stage.admin.query("INSERT INTO copied VALUES (70, 'streamed')")
        var seen = ""
        while !seen.contains("streamed") {
            let message = try client.receive()
            try require(message.tag, is: "d", "a message of the stream")
            seen += String(decoding: message.body, as: UTF8.self)
        }
        try client.send(Send.message("c", []))
        let end = try client.receiveUntilReady().filter { $0.tag != "d" }.map(\.tag)
        try require(end, is: ["c", "C", "C", "Z"], "the end of the stream")
        try stage.admin.query("DELETE FROM copied WHERE a = 70")
    }
}
