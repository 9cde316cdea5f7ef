public import WaldenAuth

/// Whether and how Walden authenticates clients itself.
public struct AuthenticationSettings: Sendable {
    /// Nil: the server authenticates clients, through Walden.
    public var rules: AuthRules?
    /// Asked first.
    public var users: UserFile
    /// How long an answer of the `SecretSource` is remembered. Zero: it is asked each time.
    public var cacheLifetime: Duration
    /// Threads that ask the source and compute PBKDF2. Default 2.
    public var threads: Int
    /// Clients that may wait for these threads. Default 1,000; one more is refused with 53300.
    public var waitingLimit: Int

    public init(
        rules: AuthRules? = nil, users: UserFile = UserFile(), cacheLifetime: Duration = .zero, threads: Int = 2,
        waitingLimit: Int = 1_000
    ) {
        self.rules = rules
        self.users = users
        self.cacheLifetime = cacheLifetime
        self.threads = threads
        self.waitingLimit = waitingLimit
    }
}

/// Where secrets come from that the user file does not hold.
public protocol SecretSource: Sendable {
    /// What is kept of the password of a user who may log in; nil for none. It may block: it is called on threads that
    /// exist for that.
    func secret(of user: String) throws(SecretLookupFailure) -> StoredSecret?
}

/// Why nobody knows what is kept of a password.
public struct SecretLookupFailure: Error, Hashable, Sendable {
    /// Safe to log, with what to do about it.
    public let reason: String

    public init(reason: String) {
        self.reason = reason
    }
}
