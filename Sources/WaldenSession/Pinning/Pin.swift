/// What binds a session to the server that serves it now. The raw value names it in SHOW PINS and the metrics.
public enum Pin: String, Hashable, Sendable, CaseIterable, Comparable {
    /// LISTEN: notifications come to this server only.
    case listen
    /// A session-level advisory lock.
    case advisoryLock = "advisory_lock"
    /// A temporary table, view, sequence, type or function.
    case temporaryObject = "temporary_object"
    /// A cursor WITH HOLD.
    case cursorWithHold = "cursor_with_hold"
    /// PREPARE.
    case preparedStatement = "prepared_statement"
    /// `currval` or `lastval`: what they tell is the server process's own.
    case sequenceState = "sequence_state"
    /// `setseed` or `SET seed`: so are the random numbers that follow.
    case randomSeed = "random_seed"
    /// A statement whose effect on the session no catalog tells: custom settings assigned within functions, DO, LOAD.
    case untraceable
    /// `pool.mode: session`.
    case sessionMode = "session_mode"

    /// Of these no catalog tells.
    static let seenByNoCensus: Set<Pin> = [.untraceable, .sequenceState, .randomSeed]

    public static func < (left: Pin, right: Pin) -> Bool { left.rawValue < right.rawValue }
}
