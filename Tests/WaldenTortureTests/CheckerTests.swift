import Testing

@testable import WaldenTorture

/// Histories made by hand, times in plain numbers: each kind of violation is found, and what only looks like one is not.
/// Risk: a checker that finds nothing because it looks at nothing.
@Suite struct CheckerTests {
    private static let allowed: Moment = 100

    /// Four rows in group 1, version 0.
    private func history(_ writes: [Write] = [], _ reads: [Read] = []) -> History {
        var history = History(initial: Array(repeating: (0, .present(group: 1)), count: 4))
        history.writes = writes
        history.reads = reads
        return history
    }

    private func kinds(_ history: History) -> [Violation.Kind] {
        Checker.violations(in: history, maxStaleness: Self.allowed).map(\.kind)
    }

    private func write(
        _ rows: [Int], version: Int, sent: Moment, done: Moment, _ outcome: Write.Outcome = .committed,
        session: Int = 1, state: RowState = .present(group: 1)
    ) -> Write {
        let effects = rows.map { Effect(row: $0, version: version, state: state) }
        return Write(session: session, commitSent: sent, completed: done, outcome: outcome, effects: effects)
    }

    private func read(
        _ seen: [Int: Int], at began: Moment, until completed: Moment? = nil, _ level: Level = .bounded,
        session: Int = 2, group: Int = 1, own: [Effect] = []
    ) -> Read {
        let parts = seen.sorted { $0.key < $1.key }.map { row, version in
            Part(
                rows: row..<(row + 1), group: nil, seen: [Sighting(row: row, version: version, group: group)])
        }
        return Read(
            session: session, level: level, began: began, completed: completed ?? began + 5, parts: parts, own: own)
    }

    private func empty(_ rows: Range<Int>, group: Int?, at began: Moment, _ level: Level = .bounded) -> Read {
        Read(
            session: 2, level: level, began: began, completed: began + 5,
            parts: [Part(rows: rows, group: group, seen: [])])
    }

    @Test func aCleanHistoryHasNone() {
        let writes = [
            write([0], version: 1, sent: 10, done: 20), write([0, 1], version: 2, sent: 30, done: 40),
            write([2], version: 1, sent: 50, done: 60, .aborted),
            write([2], version: 2, sent: 70, done: 80, .unknown),
        ]
        let reads = [
            read([0: 0], at: 15), read([0: 1], at: 15), read([0: 1], at: 120), read([0: 2, 1: 2], at: 35),
            read([2: 2], at: 75), read([0: 2], at: 141, .session), read([0: 2], at: 41, .strict, session: 3),
        ]
        #expect(kinds(history(writes, reads)) == [])
    }

    @Test func whatNobodyCanHaveSeen() {
        let writes = [
            write([0], version: 1, sent: 10, done: 20, .aborted), write([1], version: 1, sent: 50, done: 60),
        ]
        #expect(kinds(history(writes, [read([0: 7], at: 30)])) == [.neverWritten])
        #expect(kinds(history(writes, [read([0: 1], at: 30)])) == [.rolledBack])
        #expect(kinds(history(writes, [read([1: 1], at: 30)])) == [.notYetCommitted])
        #expect(kinds(history(writes, [read([1: 1], at: 70, group: 2)])) == [.wrongContent])
        let foreign = Part(rows: 0..<2, group: 2, seen: [Sighting(row: 1, version: 0, group: 1)])
        let reads = [Read(session: 2, level: .bounded, began: 0, completed: 5, parts: [foreign])]
        #expect(kinds(history(writes, reads)) == [.wrongContent])
    }

    @Test func olderThanTheLevelAllows() {
        let writes = [write([0], version: 1, sent: 10, done: 20), write([0], version: 2, sent: 30, done: 40)]
        #expect(kinds(history(writes, [read([0: 0], at: 119)])) == [])
        #expect(kinds(history(writes, [read([0: 0], at: 120)])) == [.tooOld])
        #expect(kinds(history(writes, [read([0: 0], at: 120, .session)])) == [.tooOld])
        #expect(kinds(history(writes, [read([0: 1], at: 139)])) == [])
        #expect(kinds(history(writes, [read([0: 1], at: 140)])) == [.tooOld])
        #expect(kinds(history(writes, [read([0: 1], at: 39, .strict)])) == [])
        #expect(kinds(history(writes, [read([0: 1], at: 41, .strict)])) == [.notLinearizable])
    }

    /// The writer has not been told yet, but somebody has seen it already.
    @Test func whatAnybodyHasSeenBindsStrictReads() {
        let writes = [write([0], version: 1, sent: 10, done: 500)]
        let first = read([0: 1], at: 20, until: 30, .bounded, session: 5)
        #expect(kinds(history(writes, [first, read([0: 0], at: 29, .strict)])) == [])
        #expect(kinds(history(writes, [first, read([0: 0], at: 31, .strict)])) == [.notLinearizable])
        #expect(kinds(history(writes, [first, read([0: 0], at: 129)])) == [])
        #expect(kinds(history(writes, [first, read([0: 0], at: 131)])) == [.tooOld])
    }

    @Test func ownWritesAreSeenAtEveryLevel() {
        let writes = [write([0], version: 1, sent: 10, done: 20, session: 2)]
        for level in Level.allCases {
            #expect(kinds(history(writes, [read([0: 0], at: 21, level)])) == [.ownWriteMissed])
            #expect(kinds(history(writes, [read([0: 1], at: 21, level)])) == [])
        }
        #expect(kinds(history(writes, [read([0: 0], at: 21, session: 3)])) == [])
    }

    @Test func aSessionNeverGoesBack() {
        let writes = [write([0], version: 1, sent: 10, done: 20)]
        func twice(_ level: Level) -> [Read] {
            [read([0: 1], at: 25, level), read([0: 0], at: 35, level)]
        }
        #expect(kinds(history(writes, twice(.bounded))) == [])
        #expect(kinds(history(writes, twice(.session))) == [.wentBack])
        #expect(kinds(history(writes, twice(.strict))) == [.wentBack])
    }

    /// Row 1 was written before row 0: who has seen the new row 0 must not see the old row 1 afterwards.
    @Test func aSessionSeesTransactionsInTheirOrder() {
        let writes = [write([1], version: 1, sent: 10, done: 20), write([0], version: 1, sent: 25, done: 30)]
        func both(_ level: Level) -> [Read] { [read([0: 1], at: 40, level), read([1: 0], at: 50, level)] }
        #expect(kinds(history(writes, both(.bounded))) == [])
        #expect(kinds(history(writes, both(.session))) == [.outOfOrder])
        let overlapping = [write([1], version: 1, sent: 10, done: 26), write([0], version: 1, sent: 25, done: 30)]
        #expect(kinds(history(overlapping, both(.session))) == [])
    }

    @Test func halfOfATransaction() {
        let writes = [write([0, 1], version: 1, sent: 10, done: 20)]
        #expect(kinds(history(writes, [read([0: 1, 1: 0], at: 15)])) == [.torn])
        #expect(kinds(history(writes, [read([0: 0, 1: 1], at: 15)])) == [.torn])
        #expect(kinds(history(writes, [read([0: 1], at: 15), read([1: 0], at: 22)])) == [])
    }

    @Test func twoStatesInOneSnapshot() {
        let writes = [write([1], version: 1, sent: 10, done: 20), write([0], version: 1, sent: 25, done: 30)]
        #expect(kinds(history(writes, [read([0: 1, 1: 0], at: 26)])) == [.mixed])
        #expect(kinds(history(writes, [read([0: 0, 1: 1], at: 26)])) == [])
        // The same row twice in one REPEATABLE READ transaction.
        var twice = read([0: 0], at: 26)
        twice.parts += read([0: 1], at: 26).parts
        #expect(kinds(history(writes, [twice])) == [.mixed])
    }

    @Test func whatIsMissing() {
        let moved = [write([0], version: 1, sent: 10, done: 20, state: .present(group: 2))]
        #expect(kinds(history(moved, [empty(0..<1, group: 1, at: 15)])) == [])
        #expect(kinds(history(moved, [empty(0..<1, group: 2, at: 15)])) == [])
        #expect(kinds(history(moved, [empty(0..<1, group: 2, at: 119)])) == [])
        #expect(kinds(history(moved, [empty(0..<1, group: 2, at: 120)])) == [.tooOld])
        #expect(kinds(history(moved, [empty(0..<1, group: 2, at: 22, .strict)])) == [.notLinearizable])
        #expect(kinds(history(moved, [empty(0..<1, group: nil, at: 15)])) == [.missingRow])
        let deleted = [write([0], version: 1, sent: 10, done: 20, state: .absent)]
        #expect(kinds(history(deleted, [empty(0..<1, group: nil, at: 15)])) == [])
        #expect(kinds(history(deleted, [read([0: 0], at: 121)])) == [.tooOld])
        #expect(kinds(history(deleted, [read([0: 1], at: 15)])) == [.wrongContent])
    }

    /// The row was moved away together with another row's change, which the statement saw.
    @Test func aMissingRowCanBeHalfOfATransaction() {
        var both = write([0], version: 1, sent: 10, done: 20)
        both.effects.append(Effect(row: 1, version: 1, state: .present(group: 2)))
        let seen = Part(rows: 0..<1, group: nil, seen: [Sighting(row: 0, version: 1, group: 1)])
        let missing = Part(rows: 1..<2, group: 2, seen: [])
        let reads = [Read(session: 2, level: .bounded, began: 15, completed: 17, parts: [seen, missing])]
        #expect(kinds(history([both], reads)) == [.torn])
    }

    @Test func withinItsOwnTransaction() {
        let own = [Effect(row: 0, version: 1, state: .present(group: 1))]
        #expect(kinds(history([], [read([0: 1], at: 10, own: own)])) == [])
        #expect(kinds(history([], [read([0: 0], at: 10, own: own)])) == [.ownWriteMissed])
        var gone = empty(0..<1, group: nil, at: 10)
        gone.own = own
        #expect(kinds(history([], [gone])) == [.ownWriteMissed])
        gone.own = [Effect(row: 0, version: 1, state: .absent)]
        #expect(kinds(history([], [gone])) == [])
        // It is not committed by being seen: another strict read may still see the old row.
        let later = write([0], version: 1, sent: 100, done: 110)
        let reads = [read([0: 1], at: 10, own: own), read([0: 0], at: 50, .strict, session: 9)]
        #expect(kinds(history([later], reads)) == [])
    }

    @Test func anUnknownOutcomeMayBeEither() {
        let writes = [
            write([0], version: 1, sent: 10, done: 20, .unknown), write([0], version: 2, sent: 900, done: 910),
        ]
        #expect(kinds(history(writes, [read([0: 0], at: 800, .strict), read([0: 1], at: 850, .strict)])) == [])
        // Once seen it is committed.
        let reads = [read([0: 1], at: 30, session: 7), read([0: 0], at: 60, .strict)]
        #expect(kinds(history(writes, reads)) == [.notLinearizable])
    }
}
