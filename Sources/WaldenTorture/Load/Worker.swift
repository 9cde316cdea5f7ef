import Glibc
import WaldenTestKit

/// One session at work: reads and writes in turns by its role, and what it did and saw goes into its record.
final class Worker {
    let stack: WaldenStack
    let layout: Layout
    let registers: Registers
    let session: Session
    var generator: SeededGenerator
    var record: Recorder

    init(_ session: Session, stack: WaldenStack, layout: Layout, registers: Registers, seed: UInt64, record: Recorder) {
        self.session = session
        self.stack = stack
        self.layout = layout
        self.registers = registers
        generator = SeededGenerator(seed: seed)
        self.record = record
    }

    func work(until end: ContinuousClock.Instant) throws {
        while ContinuousClock.now < end {
            do {
                if Int.random(in: 0..<100, using: &generator) < session.role.writes {
                    try write()
                    pause(atMost: 16_000)
                } else {
                    try read()
                    pause(atMost: 800)
                }
            } catch let error as SQLError {
                try recover(from: error)
            }
        }
    }

    /// So that many workers do not keep two processors from what they are there to watch.
    func pause(atMost microseconds: UInt32) {
        usleep(UInt32.random(in: 0...microseconds, using: &generator))
    }

    /// Nothing is open afterwards. An error with a code came from the server, and its session lives on unless it says
    /// that it ends.
    func recover(from error: SQLError) throws {
        record.errors[error.sqlState ?? "connection lost", default: 0] += 1
        if error.endsSession {
            try session.reopen()
        } else {
            do { try session.client.query("ROLLBACK") } catch is SQLError { try session.reopen() }
        }
    }

    // MARK: Reading

    private func read() throws {
        switch Int.random(in: 0..<80, using: &generator) {
        case 0..<8:
            try session.client.query("BEGIN")
            for _ in 0..<Int.random(in: 1...3, using: &generator) { try read(.random(layout, &generator)) }
            try session.client.query("COMMIT")
        case 8, 9: try readRepeatably()
        case 10 where Int.random(in: 0..<5, using: &generator) == 0: try session.discard()
        default: try read(.random(layout, &generator))
        }
    }

    func read(_ query: Query, own: [Effect] = []) throws {
        let began = record.now
        let answer = try session.run(query)
        note(query, answer, began: began, own: own)
    }

    private func note(_ query: Query, _ answer: [[String?]], began: Moment, own: [Effect]) {
        guard let parts = query.parts(answer, layout) else { return malformed(query, answer) }
        record.reads.append(
            Read(
                session: session.number, level: session.role.level, began: began, completed: record.now, parts: parts,
                own: own))
    }

    private func malformed(_ query: Query, _ answer: [[String?]]) {
        record.violations.append(Violation(kind: .wrongContent, detail: "\(query.text(layout)) gave \(answer)"))
    }

    /// Several statements, one snapshot.
    private func readRepeatably() throws {
        try session.client.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
        // An older snapshot would see a truncated table as empty (PostgreSQL documentation, "Caveats" of MVCC).
        try session.client.query("LOCK TABLE plain, whole, split IN ACCESS SHARE MODE")
        let began = record.now
        var parts: [Part] = []
        for _ in 0..<3 {
            let query = Query.random(layout, &generator)
            let answer = try session.run(query)
            guard let more = query.parts(answer, layout) else {
                malformed(query, answer)
                continue
            }
            parts += more
        }
        let completed = record.now
        try session.client.query("COMMIT")
        record.reads.append(
            Read(
                session: session.number, level: session.role.level, began: began, completed: completed, parts: parts))
    }

    // MARK: When all is quiet

    /// Every query there is must be answered as the primary answers it.
    func compare(with truth: [Query: [[String?]]]) throws {
        // It may have been killed while the others were still at work.
        do { try session.client.query("SELECT 1") } catch let error as SQLError { try recover(from: error) }
        for (query, expected) in truth {
            let answer = try session.run(query)
            if answer == expected { continue }
            let role = "\(session.role.level.rawValue), \(session.role.isPrepared ? "prepared" : "simple")"
            record.violations.append(
                Violation(
                    kind: .staleWhenQuiet,
                    detail: "\(role): \(query.text(layout)) gave \(answer) in place of \(expected)"))
        }
    }
}

extension SQLError {
    /// The connection is lost, or about to be: no code, class 57P (operator intervention) or severity FATAL.
    var endsSession: Bool {
        guard let sqlState else { return true }
        return severity == "FATAL" || severity == "PANIC" || sqlState.hasPrefix("57P") || sqlState.hasPrefix("08")
    }
}
