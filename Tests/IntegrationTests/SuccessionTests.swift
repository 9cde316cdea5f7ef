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
        try stack.cluster.primary.kill()
        try load.progress()
        let verdict = try load.judge()
        print("succession: kill -9 of the whole primary, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy { $0.contains("08007") }, "\(verdict.writeErrors)")
    }
}

/// Four clients that write, each the next number of its own, and four that read one of the writers' newest numbers.
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
            let read = try BackgroundThread { [self] in self.read(writer) }
            threads.withLock { $0 += [write, read] }
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
    private func read(_ writer: Int) {
        var client: SQLClient?
        var newest = 0
        while !isOver.isRaised {
            do {
                let session = try client ?? stack.walden.connect()
                if client == nil { newest = 0 }
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
