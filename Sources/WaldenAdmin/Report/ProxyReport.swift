/// Connections and traffic.
public struct ProxyReport: Hashable, Sendable {
    /// Clients connected now.
    public var clients = 0
    public var accepted: UInt64 = 0
    /// Client connections that ended, by cause.
    public var closed: [String: UInt64] = [:]
    /// Clients that Walden authenticated itself, by result.
    public var authentications: [String: UInt64] = [:]
    /// Clients whose password or secret is being worked at, or waits for that.
    public var authenticating = 0
    public var pool = PoolReport()
    public var cancelRequests: UInt64 = 0
    /// Those of them that were passed on to another instance.
    public var cancelRequestsForwarded: UInt64 = 0
    /// Those that could have ended a commit's wait for its standbys, so the server was not sent them.
    public var cancelsWithheld: UInt64 = 0
    /// Misses that waited for the same statement already on its way to a server instead of sending it again.
    public var coalesced: UInt64 = 0
    /// BEGINs answered before the server saw them, and ends of transactions that it never saw.
    public var localAnswers: UInt64 = 0
    /// COMMITs that were lost with the primary and whose transaction had a name, by what their clients were told.
    public var commitsInDoubt: [String: UInt64] = [:]
    /// Requests that waited for a fresher cache, by outcome.
    public var waits: [String: UInt64] = [:]
    public var bytesFromClients: UInt64 = 0
    public var bytesFromServers: UInt64 = 0
    /// The addresses clients may connect to.
    public var listening: [String] = []
    /// Our own certificates, by whom they are shown to.
    public var certificates: [CertificateReport] = []
    /// The address of the primary.
    public var primary = ""
    /// Why the last attempt to reach the primary failed; nil when it succeeded.
    public var primaryProblem: String?

    public init() {}
}

/// A certificate that Walden shows to others, with its chain.
public struct CertificateReport: Hashable, Sendable {
    /// `client` or `server`.
    public var shownTo: String
    /// When the first of the chain expires, in seconds since 1970.
    public var expiresAt: Int
    /// Until then; negative when it has expired.
    public var remainingSeconds: Int

    public init(shownTo: String, expiresAt: Int, remainingSeconds: Int) {
        self.shownTo = shownTo
        self.expiresAt = expiresAt
        self.remainingSeconds = remainingSeconds
    }
}
