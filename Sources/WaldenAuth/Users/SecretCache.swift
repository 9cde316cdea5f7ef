public import WaldenCore

/// Secrets that were read from the database a short time ago, those of users who have none among them.
///
/// A remembered secret is used until `lifetime` after it was read; whoever fails against one has it read anew
/// (`ClientAuthentication.Step.lookUpAgain`). Bounded by `limit` users: beyond it all that is remembered goes.
public struct SecretCache: Sendable {
    private struct Entry {
        let secret: StoredSecret?
        let readAt: Instant
    }

    /// Zero: nothing is remembered.
    public var lifetime: Duration
    private let limit: Int
    private var entries: [[UInt8]: Entry] = [:]

    public init(lifetime: Duration, limit: Int = 10_000) {
        self.lifetime = lifetime
        self.limit = limit
    }

    /// What is remembered of the user: nil for nothing, `.some(nil)` for a user without a secret.
    public func secret(of user: String, now: Instant) -> StoredSecret?? {
        guard lifetime > .zero, let entry = entries[Array(user.utf8)], now < entry.readAt + lifetime else { return nil }
        return .some(entry.secret)
    }

    /// - Parameter readAt: When the question was asked, so that an answer is never taken for newer than it is.
    public mutating func remember(_ secret: StoredSecret?, of user: String, readAt: Instant) {
        guard lifetime > .zero else { return }
        if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
        entries[Array(user.utf8)] = Entry(secret: secret, readAt: readAt)
    }

    /// What is remembered of the user has turned out to be outdated.
    public mutating func forget(_ user: String) {
        entries[Array(user.utf8)] = nil
    }
}
