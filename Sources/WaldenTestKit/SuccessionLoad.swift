import Glibc
import Synchronization

/// Four clients that write, each the next number of its own, and eight that read the writers' newest numbers, half of them
/// where results are kept or a replica answers, half of them at the primary.
public final class SuccessionLoad: Sendable {
    public struct Verdict: Sendable, CustomStringConvertible {
        public fileprivate(set) var writes = 0
        public fileprivate(set) var reads = 0
        /// The longest time in which no write of anybody was acknowledged.
        public fileprivate(set) var outage = Duration.zero
        public fileprivate(set) var readErrors: [String] = []
        public fileprivate(set) var writeErrors: [String] = []
        /// Acknowledged, and nowhere.
        public fileprivate(set) var lost: [Int] = []
        public fileprivate(set) var twice: [Int] = []
        /// What sessions saw that had seen something newer.
        public fileprivate(set) var backwards: [String] = []

        public var description: String {
            "\(writes) writes, \(reads) reads, outage \(outage), errors: reads \(readErrors), writes \(writeErrors)"
        }
    }

    fileprivate struct State {
        var acknowledged: [Int] = []
        var reads = 0
        var last: ContinuousClock.Instant?
        var gap = Duration.zero
        var readErrors: [String] = []
        var writeErrors: [String] = []
        var backwards: [String] = []
    }

    public static var configuration: FailoverStack.Configuration {
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
    private let round: Int
    private let state = Mutex(State())
    private let isOver = Flag()
    private let threads = Mutex<[BackgroundThread<Void>]>([])

    /// - Parameter round: 0 … 9; each writes numbers of its own.
    public init(_ stack: FailoverStack, round: Int = 0) throws {
        self.stack = stack
        self.round = round
        for writer in 0..<Self.writers {
            let write = try BackgroundThread { [self] in self.write(writer) }
            let read = try BackgroundThread { [self] in self.read(writer, isAtPrimary: false) }
            let readHere = try BackgroundThread { [self] in self.read(writer, isAtPrimary: true) }
            threads.withLock { $0 += [write, read, readHere] }
        }
    }

    /// Until writers and readers have gone on for a while.
    public func progress(within patience: Duration = .seconds(60)) throws {
        let before = state.withLock { ($0.acknowledged.count, $0.reads) }
        try eventually("writes and reads go on", timeout: patience) {
            state.withLock { $0.acknowledged.count >= before.0 + 200 && $0.reads >= before.1 + 200 }
        }
    }

    /// One write after the other; what became of one whose answer was an error is not asked.
    private func write(_ writer: Int) {
        var client: SQLClient?
        var id = (round * Self.writers + writer) * Self.stride
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

    /// Ends the clients and compares what they were told with the primary's tables.
    public func judge() throws -> Verdict {
        isOver.raise()
        for thread in threads.withLock({ $0 }) { try thread.join() }
        let acknowledged = state.withLock { $0.acknowledged }
        let audit = try WriteAudit(acknowledged: acknowledged, on: stack.walden.connect())
        return state.withLock { state in
            var verdict = Verdict()
            verdict.writes = state.acknowledged.count
            verdict.reads = state.reads
            verdict.outage = state.gap
            verdict.readErrors = state.readErrors
            verdict.writeErrors = state.writeErrors
            verdict.lost = audit.lost
            verdict.twice = audit.twice
            verdict.backwards = state.backwards
            return verdict
        }
    }
}

extension SuccessionLoad.State {
    fileprivate mutating func acknowledge(_ id: Int) {
        let now = ContinuousClock.now
        acknowledged.append(id)
        if let last { gap = max(gap, now - last) }
        last = now
    }
}
