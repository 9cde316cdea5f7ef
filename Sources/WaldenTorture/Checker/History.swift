/// Nanoseconds since the run began, by the one clock of the process that drives all sessions.
typealias Moment = Int64

/// What a session was promised (docs/internals/exactness.md).
enum Level: String, CaseIterable, Hashable, Sendable {
    case bounded
    case session
    case strict
}

/// What a row is at one of its versions: not there, or in a group. The group is what predicates look for, so that rows
/// come into results and leave them.
enum RowState: Hashable, Sendable {
    case absent
    case present(group: Int)

    /// Whether a read of this group sees it; nil reads all groups.
    func isIn(_ group: Int?) -> Bool {
        switch self {
        case .absent: false
        case .present(let own): group == nil || own == group
        }
    }
}

/// One row at the version that a transaction gave it. Versions of a row grow in the order of its transactions.
struct Effect: Hashable, Sendable {
    var row: Int
    var version: Int
    var state: RowState
}

/// A transaction that wrote, or the part of one that was rolled back.
struct Write: Sendable {
    enum Outcome: Hashable, Sendable {
        case committed
        case aborted
        /// Its client was never told: it may have come into force at any time after it was asked for, or never.
        case unknown
    }

    /// The session that asked for the commit.
    var session: Int
    /// When the message was sent that commits: nobody can see it earlier.
    var commitSent: Moment
    /// When its client was told. From then on everybody can see it.
    var completed: Moment
    var outcome: Outcome
    var effects: [Effect]
}

/// A row as a read returned it.
struct Sighting: Hashable, Sendable {
    var row: Int
    var version: Int
    var group: Int
}

/// What one query looked at: a range of rows, all of them or those of one group. What it did not return of them was not
/// there, or was in another group.
struct Part: Sendable {
    var rows: Range<Int>
    var group: Int?
    var seen: [Sighting]
}

/// What was read under one snapshot: a statement, or a REPEATABLE READ transaction.
struct Read: Sendable {
    var session: Int
    var level: Level
    /// When the statement was sent that made the snapshot.
    var began: Moment
    /// When the last answer had come.
    var completed: Moment
    var parts: [Part]
    /// What its own transaction had written before, committed by nobody yet.
    var own: [Effect] = []
}

/// All that happened from one moment of quiet to the next.
struct History: Sendable {
    /// Each row's version and state at the beginning.
    var initial: [(version: Int, state: RowState)]
    var writes: [Write] = []
    var reads: [Read] = []

    init(initial: [(version: Int, state: RowState)]) {
        self.initial = initial
    }
}
