import Testing
import WaldenTestKit

@testable import WaldenTorture

/// Scenario: histories of a store that is exact by construction, and the same with one read made older. Risk: a checker
/// that accuses the innocent, or misses what a strict session can never see.
@Suite struct RandomHistoryTests {
    private static let rowCount = 8

    /// One thing after another, so every read has exactly one right answer.
    private func make(_ generator: inout SeededGenerator) -> History {
        var states: [(version: Int, state: RowState)] = Array(repeating: (0, .present(group: 0)), count: Self.rowCount)
        var history = History(initial: states)
        var moment: Moment = 0
        for _ in 0..<300 {
            let began = moment
            moment += Moment.random(in: 1...20, using: &generator)
            let session = Int.random(in: 0..<4, using: &generator)
            let first = Int.random(in: 0..<Self.rowCount, using: &generator)
            let rows = first..<min(Self.rowCount, first + Int.random(in: 1...3, using: &generator))
            if Bool.random(using: &generator) {
                let isCommitted = Int.random(in: 0..<4, using: &generator) > 0
                let effects = rows.map { row in
                    let version = states[row].version + 1
                    let isThere = Int.random(in: 0..<5, using: &generator) > 0
                    let group = Int.random(in: 0..<3, using: &generator)
                    if isCommitted { states[row].state = isThere ? .present(group: group) : .absent }
                    states[row].version = version
                    return Effect(row: row, version: version, state: states[row].state)
                }
                history.writes.append(
                    Write(
                        session: session, commitSent: began, completed: moment,
                        outcome: isCommitted ? .committed : .aborted, effects: effects))
                moment += 1
                continue
            }
            let group: Int? = Bool.random(using: &generator) ? Int.random(in: 0..<3, using: &generator) : nil
            let seen = rows.compactMap { sighting($0, group, history) }
            history.reads.append(
                Read(
                    session: session, level: Level.allCases[session % 3], began: began, completed: moment,
                    parts: [Part(rows: rows, group: group, seen: seen)]))
            moment += 1
        }
        return history
    }

    private func sighting(_ row: Int, _ group: Int?, _ history: History) -> Sighting? {
        var newest = Effect(row: row, version: 0, state: .present(group: 0))
        for write in history.writes where write.outcome == .committed {
            for effect in write.effects where effect.row == row { newest = effect }
        }
        guard case .present(let own) = newest.state, newest.state.isIn(group) else { return nil }
        return Sighting(row: row, version: newest.version, group: own)
    }

    @Test func anExactStoreIsNeverAccused() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<50 {
            let history = make(&generator)
            let violations = Checker.violations(in: history, maxStaleness: 50)
            #expect(violations.isEmpty, "seed \(seed), round \(round)")
        }
    }

    /// A strict read that sees the version before the newest is never right here.
    @Test func anAgedStrictReadIsFound() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = SeededGenerator(seed: seed)
        var aged = 0
        for _ in 0..<50 {
            let history = make(&generator)
            for index in history.reads.indices where history.reads[index].level == .strict {
                guard let sighting = history.reads[index].parts[0].seen.first else { continue }
                let before = history.writes.flatMap { write in
                    write.outcome == .committed && write.completed < history.reads[index].began ? write.effects : []
                }.filter { $0.row == sighting.row }.dropLast().last
                guard let before, case .present(let group) = before.state else { continue }
                var wrong = history
                let old = Sighting(row: sighting.row, version: before.version, group: group)
                wrong.reads[index].parts = [Part(rows: old.row..<(old.row + 1), group: nil, seen: [old])]
                aged += 1
                #expect(!Checker.violations(in: wrong, maxStaleness: 50).isEmpty, "seed \(seed), read \(index)")
            }
        }
        #expect(aged > 50)
    }
}
