import WaldenTestKit

private typealias Send = FrontendMessage

extension Scenario {
    /// Streams of bytes that are long, slow, or none of the protocol's.
    static let flow = [
        Scenario("pipeline whose client stops reading", [24]) { stage in
            let walden = try stage.walden(.relay)
            let before = try ProcessTable.residentBytes(of: walden.pid, peak: true)
            let client = try ProtocolClient(port: walden.port, [("application_name", "stopped")])
            let count = 200
            let batch = (1...count).flatMap { _ in
                Send.parse("SELECT repeat('x', 500000)") + Send.bind() + Send.execute() + Send.sync
            }
            try client.send(batch)
            try eventually("the server waits for its client") {
                try stage.admin.scalar("SELECT wait_event FROM pg_stat_activity WHERE application_name = 'stopped'")
                    == "ClientWrite"
            }
            for _ in 0..<20 { try require(try walden.connect().scalar("SELECT 2"), is: "2", "another client") }
            let growth = try ProcessTable.residentBytes(of: walden.pid, peak: true) - before
            try require(growth < 32 << 20, "Walden grew by \(growth) bytes")
            let rows = try client.receiveUntilReady(count).filter { $0.tag == "D" }
            try require(rows.count, is: count, "rows after the client went on reading")
            try require(rows.allSatisfy { $0.body.count == 500_006 }, "a row has another length")
        },
        Scenario("random bytes", [66]) { stage in
            let walden = try stage.walden(.relay)
            let bystander = try walden.connect()
            let seed = UInt64.random(in: 0..<1_000_000)
            var generator = SeededGenerator(seed: seed)
            for round in 0..<200 {
                let client = try ProtocolClient(port: walden.port)
                if round % 2 == 0 { try client.start() }
                let count = Int.random(in: 1...300, using: &generator)
                try? client.send((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
                client.finishSending()
                // What comes back is the server's business; that it ends is ours.
                _ = try? client.receiveUntilClosed()
            }
            try require(try bystander.scalar("SELECT 1"), is: "1", "a bystander, seed \(seed)")
            try require(walden.isRunning, "Walden ended, seed \(seed)")
        },
        Scenario("startup packets that are none", [8, 66]) { stage in
            let walden = try stage.walden(.relay)
            let bystander = try walden.connect()
            let packets: [[UInt8]] = [
                Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3],
                [0x7F, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0], [0], [],
            ]
            for packet in packets {
                let client = try ProtocolClient(port: walden.port)
                try client.send(packet)
                client.finishSending()
                let messages = try client.receiveUntilClosed()
                try require(messages.allSatisfy { $0.tag == "E" }, "\(packet) was answered: \(messages)")
            }
            try require(try bystander.scalar("SELECT 1"), is: "1", "a bystander")
        },
        Scenario("reload", [65]) { stage in
            var configuration = WaldenProcess.Configuration(primary: stage.cluster.primary.dsn())
            configuration.file = "log: {level: info}\n"
            let walden = try WaldenProcess.start(configuration)
            try walden.waitUntilReady()
            let client = try ProtocolClient(port: walden.port)
            try client.start()
            func backend() throws -> [String?] {
                try client.exchange(Send.query("SELECT pg_backend_pid()")).first { $0.tag == "D" }?.texts ?? []
            }
            let before = try backend()
            try client.exchange(Send.query("BEGIN; SET LOCAL search_path = dirt"))
            for level in ["debug", "loud", "info"] {
                try walden.rewriteConfiguration("log: {level: \(level)}\n")
                walden.reload()
                try walden.waitForLog(level == "loud" ? "loud" : "the configuration was read again")
            }
            try require(try backend(), is: before, "the server session after RELOAD")
            try require(
                try client.exchange(Send.query("SHOW search_path")).first { $0.tag == "D" }?.texts, is: ["dirt"],
                "the transaction's setting")
        },
    ]
}
