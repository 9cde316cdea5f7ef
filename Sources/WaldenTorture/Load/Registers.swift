import Synchronization

/// The rows as their writers know them. A writer claims the rows that it is going to write, so that the versions of a row
/// follow one another whoever writes them.
final class Registers: Sendable {
    struct Row: Sendable {
        /// The last one given out, whether it was committed or not.
        var version: Int
        /// As last committed.
        var committedVersion: Int
        var state: RowState
        var isClaimed = false
    }

    private let rows: Mutex<[Row]>

    init(_ layout: Layout) {
        rows = Mutex(
            (0..<layout.rowCount).map { Row(version: 0, committedVersion: 0, state: layout.initialState(of: $0)) })
    }

    /// Claims all of these rows or none; their states.
    func claim(_ wanted: some Collection<Int>) -> [Int: RowState]? {
        rows.withLock { rows in
            guard wanted.allSatisfy({ !rows[$0].isClaimed }) else { return nil }
            var states: [Int: RowState] = [:]
            for row in wanted {
                rows[row].isClaimed = true
                states[row] = rows[row].state
            }
            return states
        }
    }

    /// The next version of a row that the caller holds.
    func nextVersion(of row: Int) -> Int {
        rows.withLock { rows in
            rows[row].version += 1
            return rows[row].version
        }
    }

    /// These are committed. The rows stay claimed.
    func commit(_ effects: [Effect]) {
        rows.withLock { rows in
            for effect in effects {
                rows[effect.row].state = effect.state
                rows[effect.row].committedVersion = effect.version
            }
        }
    }

    func release(_ claimed: some Collection<Int>) {
        rows.withLock { rows in
            for row in claimed { rows[row].isClaimed = false }
        }
    }

    /// Each row's last committed version and state.
    var committed: [(version: Int, state: RowState)] {
        rows.withLock { $0.map { ($0.committedVersion, $0.state) } }
    }
}
