import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// Clients who share one server session.
    static let pooled = [
        Scenario("cancel while queued for a server", [43]) { stage in
            let walden = try poolOfOne(stage)
            let holder = try ProtocolClient(port: walden.port, user: "postgres")
            try holder.exchange(Send.query("BEGIN; SELECT 1"))
            let queued = try ProtocolClient(port: walden.port, user: "postgres")
            try queued.send(Send.query("SELECT 'never'"))
            // Before it is queued a cancel finds it idle, and does nothing.
            try eventually("the queued query is cancelled") {
                let canceller = try ProtocolClient(port: walden.port)
                try canceller.send(Send.cancelRequest(processID: queued.processID, key: queued.cancelKey))
                _ = try canceller.receiveUntilClosed()
                return queued.hasInput
            }
            let answer = try queued.receiveUntilReady()
            try require(answer.map { $0.sqlState ?? String($0.tag) }, is: ["57014", "Z"], "the queued query")
            try require(answer.last?.transactionStatus, is: "I", "its transaction status")
            try require(try holder.exchange(Send.query("COMMIT")).map(\.tag), is: ["C", "Z"], "the holder's COMMIT")
            let later = try queued.exchange(Send.query("SELECT 'later'"))
            try require(later.first { $0.tag == "D" }?.texts, is: ["later"], "the next query")
        },
        Scenario("cancel as the server moves to another client", [44]) { stage in
            let walden = try poolOfOne(stage)
            let target = try ProtocolClient(port: walden.port, user: "postgres")
            let isOver = Flag()
            let (processID, key, port) = (target.processID, target.cancelKey, walden.port)
            let canceller = try BackgroundThread { () -> Int in
                var sent = 0
                while !isOver.isRaised {
                    let client = try ProtocolClient(port: port)
                    try client.send(Send.cancelRequest(processID: processID, key: key))
                    _ = try client.receiveUntilClosed()
                    sent += 1
                }
                return sent
            }
            let bystander = try BackgroundThread { () -> [String] in
                let client = try ProtocolClient(port: port, user: "postgres")
                var errors: [String] = []
                while !isOver.isRaised {
                    let messages = try client.exchange(Send.query("SELECT pg_sleep(0.001)"))
                    errors += messages.compactMap(\.sqlState)
                }
                return errors
            }
            var hits = 0
            for _ in 0..<300 {
                let messages = try target.exchange(Send.query("SELECT pg_sleep(0.001)"))
                hits += messages.count { $0.sqlState == "57014" }
            }
            isOver.raise()
            let (sent, errors) = (try canceller.join(), try bystander.join())
            try require(errors, is: [], "errors of a client that nobody cancelled, among \(sent) cancels")
            try require(hits > 0, "no cancel of \(sent) hit the client it was meant for")
        },
        Scenario("server gone while clients are queued and in a transaction", [61, 62]) { _ in
            let cluster = try Cluster.start()
            defer { cluster.end() }
            try cluster.primary.connect().query("CREATE TABLE rows (id int)")
            let walden = try poolOfOne(before: cluster)
            let writer = try ProtocolClient(port: walden.port, user: "postgres")
            try writer.exchange(Send.query("BEGIN"))
            try writer.exchange(Send.query("INSERT INTO rows VALUES (1)"))
            let queued = try ProtocolClient(port: walden.port, user: "postgres")
            try queued.send(Send.query("INSERT INTO rows VALUES (2)"))
            try cluster.primary.kill()
            let told = try writer.receiveUntilReady(or: ["E"])
            try require(told.count, is: 1, "what the transaction's client was told: \(told)")
            try cluster.primary.start()
            let served = try queued.receiveUntilReady()
            try require(served.map(\.tag), is: ["C", "Z"], "the query that was queued")
            let rows = try cluster.primary.connect().query("SELECT id FROM rows").texts
            try require(rows, is: [["2"]], "what was written: the transaction never, the queued query once")
        },
        Scenario("PAUSE and RESUME", [60]) { stage in
            let walden = try poolOfOne(stage, ["--console-admin-users", "postgres"])
            try stage.admin.query("TRUNCATE copied")
            let holder = try ProtocolClient(port: walden.port, user: "postgres")
            try holder.exchange(Send.query("BEGIN"))
            try holder.exchange(Send.query("INSERT INTO copied VALUES (0, 'holder')"))
            let console = try walden.connect(database: "walden")
            let pausing = try walden.connect(database: "walden")
            try pausing.begin("PAUSE postgres")
            func waiting() throws -> Int {
                try console.query("SHOW CLIENTS").texts.count { $0.contains("waiting") }
            }
            var queued: [ProtocolClient] = []
            for number in 1...3 {
                let client = try ProtocolClient(port: walden.port, user: "postgres")
                try client.send(Send.query("INSERT INTO copied VALUES (\(number), 'queued')"))
                queued.append(client)
                try eventually("client \(number) waits") { try waiting() == number }
            }
            try require(pausing.isBusy, "PAUSE returned before the transaction had ended")
            try require(try holder.exchange(Send.query("COMMIT")).map(\.tag), is: ["C", "Z"], "COMMIT during PAUSE")
            _ = try pausing.finish()
            try require(try waiting(), is: 3, "clients that wait while paused")
            try require(queued.allSatisfy { !$0.hasInput }, "a client was served while paused")
            try console.query("RESUME postgres")
            for client in queued {
                try require(try client.receiveUntilReady().map(\.tag), is: ["C", "Z"], "a queued query after RESUME")
            }
            let order = try stage.admin.query("SELECT a FROM copied ORDER BY ctid").texts
            try require(order, is: [["0"], ["1"], ["2"], ["3"]], "the order in which they were served")
            try stage.admin.query("TRUNCATE copied")
        },
        Scenario("timeouts", [64]) { stage in
            let walden = try poolOfOne(
                stage,
                [
                    "--pool-query-wait-timeout", "300ms", "--pool-idle-transaction-timeout", "900ms",
                    "--pool-client-idle-timeout", "1200ms", "--pool-query-timeout", "600ms", "--proxy-startup-timeout",
                    "400ms",
                ])
            let silent = try ProtocolClient(port: walden.port)
            _ = try silent.receiveUntilClosed()
            let holder = try ProtocolClient(port: walden.port, user: "postgres")
            try holder.exchange(Send.query("BEGIN; SELECT 1"))
            let queued = try ProtocolClient(port: walden.port, user: "postgres")
            try queued.send(Send.query("SELECT 1"))
            try require(try queued.receiveUntilClosed().map(\.sqlState), is: ["53300"], "a client that waits")
            try require(try holder.receiveUntilClosed().map(\.sqlState), is: ["25P03"], "an idle transaction")
            let slow = try ProtocolClient(port: walden.port, user: "postgres")
            let cancelled = try slow.exchange(Send.query("SELECT pg_sleep(60)"))
            try require(cancelled.compactMap(\.sqlState), is: ["57014"], "a slow statement")
            try require(try slow.receiveUntilClosed().map(\.sqlState), is: ["57P05"], "an idle client")
        },
        Scenario("half-open server", [63]) { stage in
            try withRelay(
                stage, ["--auth-method", "trust", "--pool-size", "1", "--pool-tcp-user-timeout", "1s"]
            ) { walden, _ in
                let client = try ProtocolClient(port: walden.port, user: "postgres")
                try client.exchange(Send.query("BEGIN"))
                try client.exchange(Send.query(raise("freeze")))
                let started = ContinuousClock.now
                try client.send(Send.query("SELECT 'into the void'"))
                let messages = try client.receiveUntilReady(or: ["E"])
                try require(messages.last?.sqlState?.hasPrefix("08"), is: true, "the client was told \(messages)")
                let seconds = (ContinuousClock.now - started).inSeconds
                try require(seconds < 8, "it took \(seconds) s")
                let other = try ProtocolClient(port: walden.port, user: "postgres")
                let rows = try other.exchange(Send.query("SELECT 'served'")).first { $0.tag == "D" }
                try require(rows?.texts, is: ["served"], "another client")
            }
        },
    ]

    private static func poolOfOne(_ stage: Stage, _ flags: [String] = []) throws -> WaldenProcess {
        try poolOfOne(before: stage.cluster, flags)
    }

    private static func poolOfOne(before cluster: Cluster, _ flags: [String] = []) throws -> WaldenProcess {
        var configuration = WaldenProcess.Configuration(primary: cluster.primary.dsn())
        configuration.file = "auth: {method: trust}\npool: {size: 1}\ncache: {enabled: false}\nproxy: {workers: 1}\n"
        configuration.flags = flags
        let walden = try WaldenProcess.start(configuration)
        try walden.waitUntilReady()
        return walden
    }
}
