import Glibc
import Testing
import WaldenTestKit

private typealias Send = FrontendMessage

/// Scenario: results far larger than any buffer, readers that are slow, and clients that vanish. Risk: memory that grows
/// with the result, and server sessions that outlive their clients.
@Suite(.serialized) struct ResultFlowTests {
    private static let stack = Result { try WaldenStack.start() }
    private static let megabyte = 1 << 20

    private func residentPeak(of walden: WaldenProcess) throws -> Int {
        try ProcessTable.residentBytes(of: walden.pid, peak: true)
    }

    private func sessions(named name: String) throws -> Int? {
        try Self.stack.get().direct()
            .query("SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(name)'").integer
    }

    @Test func aGigabyteStreamsThroughInBoundedMemory() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol()
        let before = try residentPeak(of: stack.walden)
        try client.send(Send.query("SELECT repeat('x', 100000) FROM generate_series(1, 10000)"))
        var rows = 0
        var bytes = 0
        while true {
            let message = try client.receive()
            if message.tag == "Z" { break }
            if message.tag == "D" {
                rows += 1
                bytes += message.body.count
            }
        }
        #expect(rows == 10_000)
        #expect(bytes > 1_000_000_000)
        let growth = try residentPeak(of: stack.walden) - before
        #expect(growth < 64 * Self.megabyte, "grew by \(growth / Self.megabyte) MB")
    }

    @Test func muchGoesInByCopyInBoundedMemory() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol()
        client.timeout = .seconds(60)
        try client.exchange(Send.query("CREATE TEMP TABLE sink (line text)"))
        let before = try residentPeak(of: stack.walden)
        try client.send(Send.query("COPY sink FROM STDIN WHERE false"))
        #expect(try client.receive().tag == "G")
        let chunk = Send.copyData(Array((String(repeating: "y", count: 999) + "\n").utf8))
        let batch = Array(repeatElement(chunk, count: 1000).joined())
        for _ in 0..<300 { try client.send(batch) }
        #expect(try client.exchange(Send.copyDone).map(\.tag) == ["C", "Z"])
        let growth = try residentPeak(of: stack.walden) - before
        #expect(growth < 64 * Self.megabyte, "grew by \(growth / Self.megabyte) MB")
    }

    @Test func slowReaderHoldsBackTheServerNotTheMemory() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol([("application_name", "slow")])
        let before = try residentPeak(of: stack.walden)
        try client.send(Send.query("SELECT repeat('x', 10000) FROM generate_series(1, 20000)"))
        try client.sip(1000)
        let observer = try stack.direct()
        try eventually("the server waits for its client") {
            try observer.scalar("SELECT wait_event FROM pg_stat_activity WHERE application_name = 'slow'")
                == "ClientWrite"
        }
        #expect(try observer.scalar("SELECT 1") == "1")
        #expect(try stack.proxied().scalar("SELECT 2") == "2", "others are served meanwhile")
        let growth = try residentPeak(of: stack.walden) - before
        #expect(growth < 32 * Self.megabyte, "grew by \(growth / Self.megabyte) MB")
        // RowDescription is 32 bytes, each row 10,000 and 11 around them; then come CommandComplete and ReadyForQuery.
        try client.sip(32 + 20_000 * 10_011 - 1000)
        #expect(try client.receiveUntilReady().last?.transactionStatus == "I")
    }

    /// What the socket does not take at once goes another way than what it takes.
    @Test func slowReaderGetsEveryRowInItsPlace() throws {
        let stack = try Self.stack.get()
        let client = try stack.proxiedProtocol([("application_name", "patient")])
        client.timeout = .seconds(60)
        let rows = 8_000
        // Rows below and above what is gathered, and several units in flight.
        let sql = "SELECT i || repeat('x', i % 7000) FROM generate_series(1, \(rows)) AS i"
        try client.send(Send.query(sql) + Send.query("SELECT 'next'") + Send.query(sql))
        let observer = try stack.direct()
        try eventually("the server waits for its client") {
            try observer.scalar("SELECT wait_event FROM pg_stat_activity WHERE application_name = 'patient'")
                == "ClientWrite"
        }
        for unit in 0..<3 {
            var row = 0
            while true {
                let message = try client.receive()
                if message.tag == "Z" { break }
                guard message.tag == "D", unit != 1 else { continue }
                row += 1
                let digits = Array(String(row).utf8)
                // A count of columns and a length stand before the text.
                guard message.body.count == 6 + digits.count + row % 7000,
                    Array(message.body.dropFirst(6).prefix(digits.count)) == digits
                else {
                    Issue.record("row \(row) of unit \(unit) is another")
                    return
                }
            }
            #expect(row == (unit == 1 ? 0 : rows))
        }
    }

    @Test(arguments: [false, true])
    func vanishedClientLeavesNoServerSession(byReset: Bool) throws {
        let stack = try Self.stack.get()
        let name = "vanishing-\(byReset)"
        for _ in 0..<5 {
            let client = try stack.proxiedProtocol([("application_name", name)])
            try client.send(Send.query("SELECT repeat('x', 10000) FROM generate_series(1, 100000)"))
            try client.sip(100_000)
            if byReset { client.resetOnClose() }
        }
        try eventually("no session is left", timeout: .seconds(30)) { try sessions(named: name) == 0 }
    }

    @Test func idleAndHalfOpenClientsAreGoneWhenTheyGo() throws {
        let stack = try Self.stack.get()
        _ = try stack.proxied()
        let before = ProcessTable.descriptorCount(of: stack.walden.pid)
        for _ in 0..<50 {
            let client = try stack.proxiedProtocol([("application_name", "leaving")])
            try client.exchange(Send.query("BEGIN"))
        }
        for _ in 0..<50 { _ = try ProtocolClient(port: stack.walden.port) }
        try eventually("their sessions are gone") { try sessions(named: "leaving") == 0 }
        try eventually("their descriptors are gone") {
            ProcessTable.descriptorCount(of: stack.walden.pid) <= before + 5
        }
    }

    /// A client that reads slowly and asks again and again is answered from memory no faster than it reads.
    @Test func pipelinedHitsDoNotPileUp() throws {
        let stack = try Self.stack.get()
        try stack.direct().query(
            "CREATE TABLE wide AS SELECT 1 AS id, repeat('w', 50000) AS text; ALTER TABLE wide ADD PRIMARY KEY (id)")
        let sql = "SELECT text FROM wide WHERE id = 1"
        let reader = try stack.proxied()
        try stack.warm(reader, sql)
        let client = try stack.proxiedProtocol()
        let before = try residentPeak(of: stack.walden)
        let feeder = try BackgroundThread { [port = stack.walden.port] () -> Int in
            let client = try ProtocolClient(port: port)
            client.timeout = .seconds(2)
            try client.start()
            let batch = Array(repeatElement(Send.query(sql), count: 100).joined())
            var batches = 0
            // Ends when Walden no longer takes what is sent: 100 batches would be 500 MB of answers.
            while batches < 100, (try? client.send(batch)) != nil { batches += 1 }
            return batches
        }
        _ = try feeder.join()
        #expect(try client.exchange(Send.query("SELECT 1")).count == 4)
        let growth = try residentPeak(of: stack.walden) - before
        #expect(growth < 64 * Self.megabyte, "grew by \(growth / Self.megabyte) MB")
    }
}
