import Synchronization

/// When each version of each row was known to be committed, so that any later read can be judged.
///
/// Row `id` starts with version 0, its one writer counts up. A read is stale when the row's next version had been
/// committed for longer than allowed before the read was sent.
public final class VersionLedger: Sendable {
    private let rows: [Row]

    private final class Row: Sendable {
        let committedAt = Mutex<[ContinuousClock.Instant]>([ContinuousClock.now])
    }

    public init(rows: Int) {
        self.rows = (0..<rows).map { _ in Row() }
    }

    public var rowCount: Int { rows.count }

    public func lastVersion(of id: Int) -> Int {
        rows[id].committedAt.withLock { $0.count - 1 }
    }

    /// The row's next version is committed: its writer has been told so.
    public func committed(_ id: Int) {
        let now = ContinuousClock.now
        rows[id].committedAt.withLock { $0.append(now) }
    }

    /// What is wrong with seeing `version` in a read that was sent at `sentAt`; nil when nothing is.
    public func problem(
        with version: Int, of id: Int, sentAt: ContinuousClock.Instant, allowed: Duration
    ) -> String? {
        rows[id].committedAt.withLock { times in
            // One more than the last may be committed and its writer not yet told.
            guard version >= 0, version <= times.count else { return "row \(id): version \(version) never was" }
            guard version + 1 < times.count else { return nil }
            let age = sentAt - times[version + 1]
            return age > allowed ? "row \(id): version \(version) read \(age) after its successor" : nil
        }
    }
}
