import Glibc
import Synchronization
import WaldenTestKit

/// The concurrency checker at work: a primary that waits for a standby, Walden before it, sessions that read and write,
/// a nemesis that disturbs them. It goes in rounds, each of which ends in quiet, where every answer is compared, and is
/// then judged as a whole by `Checker`.
public struct Torture: Sendable {
    /// What is granted for the time between reading a clock and sending a message: nothing can be read too old because
    /// of it, as a read begins before its message is sent. So it covers the granularity of the server's own clock only.
    static let clockSlack: Moment = 10_000_000
    private static let roundLength = 30

    private let options: Options
    private let layout: Layout
    private let stack: WaldenStack
    private let registers: Registers

    /// Figures of a run.
    struct Figures: Sendable {
        var reads = 0
        var writes = 0
        var aborted = 0
        var violations: [Violation] = []
        var deeds: [Nemesis.Deed: Int] = [:]
        var errors: [String: Int] = [:]
    }

    public init(_ options: Options) throws {
        self.options = options
        layout = Layout(rowsPerTable: options.rowsPerTable)
        registers = Registers(layout)
        var configuration = WaldenStack.Configuration(schema: layout.schema)
        configuration.cluster = .init(settings: ["logical_decoding_work_mem": "64kB"], standbys: 1)
        configuration.flags = ["--cache-max-staleness", "\(options.maxStalenessMilliseconds)ms"]
        stack = try WaldenStack.start(configuration)
        try stack.cluster.setSynchronous(["standby1"])
    }

    /// Runs all rounds, prints what was found and the line of figures; whether nothing was.
    public func run() throws -> Bool {
        var total = Figures()
        var left = options.seconds
        var round: UInt64 = 0
        while left > 0 {
            let seconds = min(left, Self.roundLength)
            try play(round, .seconds(seconds), &total)
            left -= seconds
            round += 1
        }
        let figures = try stack.figures()
        print("walden: misses=\(figures.misses) invalidations=\(figures.invalidations)")
        let bypasses = figures.bypasses.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.int ?? 0)" }
        print("passed by: \(bypasses.joined(separator: " "))")
        report(total, hits: figures.hits)
        _ = try? stack.walden.terminate(timeout: .seconds(20))
        stack.cluster.end()
        return total.violations.isEmpty
    }

    // MARK: A round

    private func play(_ round: UInt64, _ duration: Duration, _ total: inout Figures) throws {
        var history = History(initial: registers.committed)
        let start = ContinuousClock.now
        let end = start + duration
        let quiet = Quiet()
        let isOver = Flag()
        let seed = options.seed &+ round &* 1_000_003
        let nemesis = try BackgroundThread { [stack, options] in
            if options.isCalm { return [Nemesis.Deed: Int]() }
            var nemesis = try Nemesis(stack, seed: seed &+ 999, mayCrash: options.crashes)
            try nemesis.work(until: isOver)
            return nemesis.deeds
        }
        let workers = try options.roles.enumerated().map { index, role in
            try BackgroundThread {
                try work(role, seed: seed &+ UInt64(index), start: start, until: end, quiet)
            }
        }
        let count = workers.count
        let ended = Result { () throws in
            try eventually("all workers have ended", timeout: duration + .seconds(200)) { quiet.waiting == count }
        }
        isOver.raise()
        let deeds = Result { try nemesis.join() }
        let truth = Result { () throws in
            try ended.get()
            return try settle()
        }
        quiet.begin(try? truth.get())
        let records = workers.map { worker in Result { try worker.join() } }
        _ = try truth.get()
        for record in try records.map({ try $0.get() }) {
            history.writes += record.writes
            history.reads += record.reads
            total.violations += record.violations
            total.errors.merge(record.errors, uniquingKeysWith: +)
        }
        total.deeds.merge(try deeds.get(), uniquingKeysWith: +)
        total.reads += history.reads.count
        total.writes += history.writes.count { $0.outcome == .committed }
        total.aborted += history.writes.count { $0.outcome == .aborted }
        let maxStaleness = Moment(options.maxStalenessMilliseconds) * 1_000_000 + Self.clockSlack
        total.violations += Checker.violations(in: history, maxStaleness: maxStaleness)
    }

    private func work(
        _ role: Role, seed: UInt64, start: ContinuousClock.Instant, until end: ContinuousClock.Instant, _ quiet: Quiet
    ) throws -> Recorder {
        let worker: Worker
        do {
            worker = Worker(
                try Session(role, stack, layout), stack: stack, layout: layout, registers: registers, seed: seed,
                record: Recorder(start: start))
            try worker.work(until: end)
        } catch {
            _ = quiet.wait()
            throw error
        }
        guard let truth = quiet.wait() else { return worker.record }
        try worker.compare(with: truth)
        return worker.record
    }

    /// Waits until the cache has caught up, and gives the primary's answers, which must be what the writers know.
    private func settle() throws -> [Query: [[String?]]] {
        try stack.waitUntilCaching(timeout: .seconds(60))
        try stack.waitUntilApplied(timeout: .seconds(60))
        let client = try stack.direct()
        var truth: [Query: [[String?]]] = [:]
        for query in Query.all(layout) { truth[query] = try client.query(query.text(layout)).texts }
        for (row, known) in registers.committed.enumerated() {
            let point = Query(table: layout.table(of: row), shape: .point(id: layout.id(of: row)))
            let seen = truth[point]?.first?[2].flatMap { Int($0) }
            guard seen == (known.state == .absent ? nil : known.version) else {
                throw TestKitError("row \(row) is at \(seen.map(String.init) ?? "nothing"), its writers know \(known)")
            }
        }
        return truth
    }

    // MARK: The report

    private func report(_ figures: Figures, hits: Int) {
        for violation in figures.violations.prefix(20) { print("VIOLATION: \(violation)") }
        let kinds = Dictionary(grouping: figures.violations, by: \.kind).mapValues(\.count)
        for (kind, count) in kinds.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            print("\(count) × \(kind.rawValue)")
        }
        print("nemesis: " + listed(figures.deeds.map { ($0.key.rawValue, $0.value) }))
        print("errors: " + listed(figures.errors.map { ($0.key, $0.value) }))
        let levels = options.levels.map(\.rawValue).joined(separator: ",")
        print(
            "torture: seed=\(options.seed) seconds=\(options.seconds) levels=\(levels) reads=\(figures.reads)"
                + " hits=\(hits) writes=\(figures.writes) aborted=\(figures.aborted) violations=\(figures.violations.count)"
        )
        fflush(nil)
    }

    private func listed(_ counts: [(String, Int)]) -> String {
        counts.isEmpty ? "none" : counts.sorted { $0.0 < $1.0 }.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
    }
}

/// Where the workers wait for the end of a round, and are then told how the primary answers each query.
private final class Quiet: Sendable {
    private let counter = Counter()
    private let truth = Mutex<[Query: [[String?]]]?>(nil)
    private let begun = Flag()

    var waiting: Int { counter.value }

    /// Nil: there is nothing to compare with.
    func begin(_ answers: [Query: [[String?]]]?) {
        truth.withLock { $0 = answers }
        begun.raise()
    }

    func wait() -> [Query: [[String?]]]? {
        counter.add()
        while !begun.isRaised { usleep(2000) }
        return truth.withLock { $0 }
    }
}
