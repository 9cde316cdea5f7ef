/// One assignment to a session setting that a statement makes when it succeeds.
public enum SettingChange: Hashable, Sendable {
    /// `SET name = …` (name lower-cased). The value is the source form: equal text means an equal setting.
    case set(name: String, value: String, local: Bool)
    case reset(name: String)
    case resetAll
    /// `DISCARD ALL`: settings, temporary tables, prepared statements, role.
    case discardAll
}

/// What a statement does to its session besides its result. Decides what the session's later statements may hit.
public enum SessionEffect: Hashable, Sendable {
    /// A SELECT or SHOW that changes nothing.
    case readOnly
    /// Writes rows or changes the schema (also: calls a volatile function); the session must read its own writes.
    case writes
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT …: the transaction status that the server reports says the rest.
    case transactionControl
    case settings([SettingChange])
    /// PREPARE, EXECUTE, DEALLOCATE: names prepared statements of the session. May write, too.
    case preparedStatements
    /// Creates a temporary relation that may shadow a cached name.
    case temporaryObjects
    /// May have changed settings in a way that cannot be read off the text (`set_config()`, DO, CALL, unparsable).
    case opaque
}

extension SessionEffect {
    /// One effect that stands for both, this one first. What has no common name becomes `opaque`.
    public func union(_ other: SessionEffect) -> SessionEffect {
        switch (self, other) {
        case (.opaque, _), (_, .opaque): .opaque
        case (.readOnly, let effect), (let effect, .readOnly): effect
        case (.settings(let first), .settings(let second)): .settings(first + second)
        case (.settings(let changes), .transactionControl), (.transactionControl, .settings(let changes)):
            .settings(changes)
        case (.settings, _), (_, .settings): .opaque
        case (.temporaryObjects, _), (_, .temporaryObjects): .temporaryObjects
        case (.preparedStatements, _), (_, .preparedStatements): .preparedStatements
        case (.writes, _), (_, .writes): .writes
        case (.transactionControl, .transactionControl): .transactionControl
        }
    }
}
