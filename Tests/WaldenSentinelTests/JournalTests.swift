import Glibc
import Testing
import WaldenCore
import WaldenFailover
import WaldenTestKit

@testable import WaldenSentinel

/// Risk: a compaction that loses what a restart needs, at whatever moment it is interrupted, or that lets a second sentinel
/// in.
@Suite struct JournalTests {
    private let scratch: Scratch
    private var directory: String { "\(scratch.path)/sentinel" }

    init() throws {
        scratch = try Scratch()
    }

    private func record(_ sequence: UInt64, _ state: FailoverState, term: UInt64 = 2) -> JournalRecord {
        let incident =
            state == .steady
            ? nil
            : Incident(
                term: Term(term), cause: .found(.crashed), old: NodeID(0), oldEnd: LSN(7), timeline: TimelineID(1),
                rules: SynchronousRules(nil))
        return JournalRecord(
            sequence: sequence, row: 900, state: state, term: Term(term), primary: NodeID(1), timeline: TimelineID(2),
            rules: SynchronousRules(nil), incident: incident, detached: [NodeID(2)], parted: [NodeID(0)],
            history: TimelineHistory())
    }

    /// A failover, and rules that changed since.
    private func fill(_ journal: Journal, upTo last: UInt64 = 40) throws {
        try journal.write(record(1, .steady))
        try journal.write(record(2, .promote))
        try journal.write(record(3, .opening))
        for sequence in 4...last { try journal.write(record(sequence, .steady)) }
    }

    private func lines() throws -> Int {
        try TextFile.read("\(directory)/journal").split(separator: "\n").count
    }

    @Test func aLongJournalIsShortenedToWhatARestartNeeds() throws {
        let journal = try Journal(in: directory, limit: 4_000)
        try fill(journal)
        let failover = try #require(journal.lastFailoverAt)
        try journal.compactIfLong()
        #expect(try lines() == 2)
        try journal.write(record(41, .hold, term: 3))
        #expect(try lines() == 3)
        let newest = try #require(journal.newest)
        let copy = try reopened("copy")
        #expect(copy.newest == newest)
        #expect(copy.lastFailoverAt == failover)
    }

    /// A rule that changes while the new primary is prepared writes the state again.
    @Test func aFailoverIsOfItsFirstRecord() throws {
        let journal = try Journal(in: directory)
        try journal.write(record(1, .promote))
        try journal.write(record(2, .opening))
        let failover = try #require(journal.lastFailoverAt)
        try journal.write(record(3, .opening))
        #expect(journal.lastFailoverAt == failover)
        try journal.write(record(4, .steady))
        try journal.write(record(5, .opening, term: 3))
        #expect(try #require(journal.lastFailoverAt) > failover)
    }

    @Test func aJournalWithoutAFailoverKeepsOneRecord() throws {
        let journal = try Journal(in: directory, limit: 1_000)
        for sequence in 1...20 { try journal.write(record(UInt64(sequence), .steady)) }
        try journal.compactIfLong()
        #expect(try lines() == 1)
        let copy = try reopened("copy")
        #expect(copy.newest?.sequence == 20)
        #expect(copy.lastFailoverAt == nil)
    }

    @Test func nothingIsShortenedWhileAnIncidentIsUnderWayOrTheJournalIsShort() throws {
        let journal = try Journal(in: directory, limit: 4_000)
        try fill(journal, upTo: 5)
        try journal.compactIfLong()
        #expect(try lines() == 5)
        for sequence in 6...40 { try journal.write(record(UInt64(sequence), .steady)) }
        for state in [FailoverState.hold, .sever, .promote, .opening, .open, .aborting, .needsHuman] {
            let count = try lines()
            try journal.write(record((journal.newest?.sequence ?? 0) + 1, state))
            try journal.compactIfLong()
            #expect(try lines() == count + 1, "\(state)")
        }
    }

    /// The system may go down at any of these moments.
    @Test func aCompactionThatIsCutOffAnywhereLosesNothing() throws {
        let journal = try Journal(in: directory, limit: 4_000)
        try fill(journal)
        let (newest, failover) = (journal.newest, journal.lastFailoverAt)
        let successor = try journal.makeSuccessor()
        let new = try Files.read("\(directory)/journal.new")
        // In the middle of its writing, and right before it takes the place.
        for count in stride(from: 0, through: new.count, by: 97) + [new.count] {
            let name = "cut\(count)"
            try copy(to: name)
            try Files.write(new[..<count], to: "\(scratch.path)/\(name)/journal.new")
            let reopened = try Journal(in: "\(scratch.path)/\(name)", limit: 4_000)
            #expect(reopened.newest == newest)
            #expect(reopened.lastFailoverAt == failover)
            // What was left over is in nobody's way.
            try reopened.compactIfLong()
            #expect(reopened.newest == newest)
        }
        try journal.adopt(successor)
        let after = try reopened("after")
        #expect(after.newest == newest)
        #expect(after.lastFailoverAt == failover)
    }

    @Test func theLockIsOnTheFileThatTheNameStandsFor() throws {
        let journal = try Journal(in: directory, limit: 4_000)
        try fill(journal)
        #expect(throws: SentinelError.self) { _ = try Journal(in: directory) }
        let former = open("\(directory)/journal", O_RDWR | O_CLOEXEC)
        defer { close(former) }
        try journal.compactIfLong()
        #expect(throws: SentinelError.self, "after the compaction") { _ = try Journal(in: directory) }
        // Nobody holds the former file, but a sentinel that had opened it finds that the name stands for another.
        #expect(flock(former, LOCK_EX | LOCK_NB) == 0)
        #expect(!SystemFile.isNamed(former, by: "\(directory)/journal"))
    }

    @Test func aCompactionThatFailsLeavesTheJournalAsItIs() throws {
        let journal = try Journal(in: directory, limit: 4_000)
        try fill(journal)
        mkdir("\(directory)/journal.new", 0o700)
        #expect(throws: SentinelError.self) { try journal.compactIfLong() }
        let count = try lines()
        try journal.write(record(41, .steady))
        #expect(try lines() == count + 1)
        #expect(try reopened("copy").newest?.sequence == 41)
    }

    /// Another place, so that its lock is no hindrance.
    private func reopened(_ name: String) throws -> Journal {
        try copy(to: name)
        return try Journal(in: "\(scratch.path)/\(name)")
    }

    private func copy(to name: String) throws {
        mkdir("\(scratch.path)/\(name)", 0o700)
        for file in ["journal", "alive"] {
            try Files.write(try Files.read("\(directory)/\(file)"), to: "\(scratch.path)/\(name)/\(file)")
        }
    }
}
