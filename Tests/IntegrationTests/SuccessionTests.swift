import Glibc
import Synchronization
import Testing
import WaldenCore
import WaldenPostgres
import WaldenTestKit

/// Scenario: clients of Walden read and write without pause while the primary dies in one way or another. Risk: an
/// acknowledged write that is nowhere, one that is there twice, a read that fails or shows what is gone, a client that is
/// held for ever.
@Suite(.serialized) struct SuccessionTests {
    @Test(.timeLimit(.minutes(3))) func clientsOfAKilledPrimarySeeAPause() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        let idle = try stack.walden.connect()
        try idle.query("SET statement_timeout = '7s'")
        let open = try stack.walden.connect()
        try open.query("BEGIN")
        try open.query("INSERT INTO writes VALUES (-1)")
        try stack.cluster.primary.kill()
        try load.progress()
        let verdict = try load.judge()
        print("succession: kill -9 of the whole primary, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy(Self.isExpected), "\(verdict.writeErrors)")
        // One that had nothing under way has noticed nothing.
        #expect(try idle.scalar("SHOW statement_timeout") == "7s")
        #expect(throws: SQLError.self) { try open.query("COMMIT") }
        try judgeCache(stack)

        // The sentinel's journal says who is the primary, whatever the configuration calls it; and the old one, back by
        // itself, is nobody's.
        _ = try stack.walden.terminate()
        try stack.cluster.primary.start()
        let second = try stack.restarted()
        defer { second.walden.scratch.end() }
        try second.awaitReadiness()
        let promoted = try #require(try servesWrites(of: second))
        #expect(promoted != stack.cluster.primary.name)
    }

    @Test(.timeLimit(.minutes(3))) func clientsOfAFrozenPrimarySeeAPause() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        stack.cluster.primary.freeze()
        try load.progress()
        stack.cluster.primary.thaw()
        try load.progress()
        let verdict = try load.judge()
        print("succession: SIGSTOP of the whole primary, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy(Self.isExpected), "\(verdict.writeErrors)")
        #expect(try servesWrites(of: stack) != stack.cluster.primary.name)
        try judgeCache(stack)
    }

    @Test(.timeLimit(.minutes(3))) func aSwitchoverIsNoticedByNobody() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        for node in ["standby2", "standby1"] {
            let result = try stack.order(["switchover", "--to", node])
            #expect(result.status.isSuccess, "\(result.transcript)")
            #expect(try servesWrites(of: stack) == node)
            try load.progress()
        }
        let verdict = try load.judge()
        print("succession: two switchovers, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.isEmpty, "\(verdict.writeErrors)")
        try judgeCache(stack)
    }

    /// One transaction that does not end keeps the switchover from being; then all is as it was.
    @Test(.timeLimit(.minutes(3))) func aSwitchoverThatCannotDrainIsGivenUp() throws {
        var configuration = SuccessionLoad.configuration
        configuration.failover = ["switchover_timeout: 1s"]
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let open = try stack.walden.connect()
        try open.query("BEGIN")
        try open.query("INSERT INTO writes VALUES (-1)")
        let result = try stack.order(["switchover"])
        #expect(!result.status.isSuccess)
        #expect(result.transcript.contains("given up"), "\(result.transcript)")
        try open.query("COMMIT")
        #expect(try servesWrites(of: stack) == "primary")
        try stack.awaitReadiness()
    }

    /// What a write may be told that was under way: nobody knows, or by the server that it never began.
    private static func isExpected(_ error: String) -> Bool {
        ["Whether the transaction has been committed is not known.", "due to unexpected postmaster exit"].contains {
            error.contains($0)
        }
    }

    /// The name of the server that runs what Walden is given to write.
    private func servesWrites(of stack: FailoverStack) throws -> String? {
        let port = try stack.walden.connect().scalar(
            "INSERT INTO writes SELECT min(id) - 1 FROM (SELECT id FROM writes UNION VALUES (0)) w "
                + "RETURNING inet_server_port()")
        return stack.servers.first { "\($0.port)" == port }?.name
    }

    /// Results are kept and dropped by what the new primary tells.
    private func judgeCache(_ stack: FailoverStack) throws {
        let client = try stack.walden.connect()
        let read = "SELECT id FROM newest WHERE writer = 0"
        try eventually("results of the new primary are kept") {
            let before = try stack.walden.figures().hits
            try client.query(read)
            return try stack.walden.figures().hits > before
        }
        for id in [5, 6] {
            try client.query("UPDATE newest SET id = \(id) WHERE writer = 0")
            #expect(try client.scalar(read) == "\(id)")
        }
    }
}

/// Four clients that write, each the next number of its own, and eight that read the writers' newest numbers, half of them
/// where results are kept or a replica answers, half of them at the primary.
final class SuccessionLoad: Sendable {
    struct Verdict: CustomStringConvertible {
        var writes = 0
        var reads = 0
        var outage = Duration.zero
        var readErrors: [String] = []
        var writeErrors: [String] = []

        var description: String {
            "\(writes) writes, \(reads) reads, outage \(outage), errors: reads \(readErrors), writes \(writeErrors)"
        }
    }

    fileprivate struct State {
        var acknowledged: [Int] = []
        var reads = 0
        var last: Instant?
        var gap = Duration.zero
        var readErrors: [String] = []
        var writeErrors: [String] = []
        var backwards: [String] = []
    }

    static var configuration: FailoverStack.Configuration {
        FailoverStack.Configuration(
            schema: """
                CREATE TABLE writes (id bigint NOT NULL);
                CREATE TABLE newest (writer int PRIMARY KEY, id bigint NOT NULL);
                INSERT INTO newest SELECT n, 0 FROM generate_series(0, 3) n
                """)
    }

    private static let writers = 4
    private static let stride = 1_000_000

    private let stack: FailoverStack
    private let state = Mutex(State())
    private let isOver = Flag()
    private let threads = Mutex<[BackgroundThread<Void>]>([])

    init(_ stack: FailoverStack) throws {
        self.stack = stack
        for writer in 0..<Self.writers {
            let write = try BackgroundThread { [self] in self.write(writer) }
            let read = try BackgroundThread { [self] in self.read(writer, isAtPrimary: false) }
            let readHere = try BackgroundThread { [self] in self.read(writer, isAtPrimary: true) }
            threads.withLock { $0 += [write, read, readHere] }
        }
    }

    /// Until every writer and reader has gone on for a while.
    func progress() throws {
        let before = state.withLock { ($0.acknowledged.count, $0.reads) }
        try eventually("writes and reads go on", timeout: .seconds(60)) {
            state.withLock { $0.acknowledged.count >= before.0 + 200 && $0.reads >= before.1 + 200 }
        }
    }

    /// One write after the other; what became of one whose answer was an error is not asked.
    private func write(_ writer: Int) {
        var client: SQLClient?
        var id = writer * Self.stride
        while !isOver.isRaised {
            id += 1
            do {
                let session = try client ?? stack.walden.connect()
                client = session
                try session.query("INSERT INTO writes VALUES (\(id))")
                state.withLock { $0.acknowledge(id) }
                try session.query("UPDATE newest SET id = \(id) WHERE writer = \(writer)")
            } catch {
                client = nil
                state.withLock { $0.writeErrors.append("\(error)") }
            }
        }
    }

    /// Never older than what this session has seen.
    private func read(_ writer: Int, isAtPrimary: Bool) {
        var client: SQLClient?
        var newest = 0
        while !isOver.isRaised {
            do {
                let session = try client ?? stack.walden.connect()
                if client == nil {
                    newest = 0
                    if isAtPrimary { try session.query("SET walden.cache = off; SET walden.route = 'primary'") }
                }
                client = session
                let seen = Int(try session.scalar("SELECT id FROM newest WHERE writer = \(writer)") ?? "") ?? -1
                state.withLock { state in
                    state.reads += 1
                    if seen < newest { state.backwards.append("\(newest), then \(seen)") }
                }
                newest = seen
                usleep(500)
            } catch {
                client = nil
                state.withLock { $0.readErrors.append("\(error)") }
            }
        }
    }

    /// Ends the clients and compares what they were told with the new primary's tables.
    func judge() throws -> Verdict {
        isOver.raise()
        for thread in threads.withLock({ $0 }) { try thread.join() }
        let rows = try stack.walden.connect().query("/* asked anew */ SELECT id, count(*) FROM writes GROUP BY id")
            .texts
        let counts = Dictionary(
            uniqueKeysWithValues: rows.compactMap { row -> (Int, Int)? in
                guard let id = row[0].flatMap({ Int($0) }), let count = row[1].flatMap({ Int($0) }) else { return nil }
                return (id, count)
            })
        return state.withLock { state in
            let lost = state.acknowledged.filter { counts[$0] == nil }
            let twice = counts.filter { $0.value != 1 }.keys.sorted()
            #expect(lost.isEmpty, "acknowledged and lost: \(lost)")
            #expect(twice.isEmpty, "executed twice: \(twice)")
            #expect(state.backwards.isEmpty, "a session went back: \(state.backwards)")
            return Verdict(
                writes: state.acknowledged.count, reads: state.reads, outage: state.gap,
                readErrors: state.readErrors, writeErrors: state.writeErrors)
        }
    }
}

extension SuccessionLoad.State {
    fileprivate mutating func acknowledge(_ id: Int) {
        let now = MonotonicClock.now()
        acknowledged.append(id)
        if let last { gap = max(gap, now.elapsed(since: last)) }
        last = now
    }
}
