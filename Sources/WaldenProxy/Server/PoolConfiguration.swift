public import NIOCore
public import WaldenPool
public import WaldenSession

/// How links to servers are pooled, and for how long clients may do what.
public struct PoolConfiguration: Sendable {
    public var mode = Pooling.Mode.transaction
    public var census = Pooling.Census.suspect
    /// Statements that stay prepared on a server connection. Default 200.
    public var serverStatements = 200
    public var limits: PoolLimits
    public var times: PoolTimes
    /// A link is closed when it is this old and nobody uses it, give or take a tenth. Zero: never. Default 1 h.
    public var lifetime: Duration
    /// From connecting to the first ReadyForQuery. Default 15 s.
    public var loginTimeout: TimeAmount
    /// Whether every link is reset (DISCARD ALL) after every client, on top of what is known to need it.
    public var resetsAlways: Bool
    /// After how long a server that acknowledges nothing counts as gone. Zero: as the system is configured.
    public var tcpUserTimeout = Duration.zero
    /// Whether another node becomes the primary when that is lost, so that clients who begin their session wait for it.
    public var primaryIsReplaced = false
    /// For clients that Walden has authenticated.
    public var clientLimits = ClientTimeLimits()
    /// How long the end of a cancel request's connection is awaited, in which its link serves nobody. Default 5 s.
    public var cancelTimeout: TimeAmount

    public init(
        limits: PoolLimits = PoolLimits(), times: PoolTimes = PoolTimes(), lifetime: Duration = .seconds(3_600),
        loginTimeout: TimeAmount = .seconds(15), resetsAlways: Bool = false, cancelTimeout: TimeAmount = .seconds(5)
    ) {
        self.limits = limits
        self.times = times
        self.lifetime = lifetime
        self.loginTimeout = loginTimeout
        self.resetsAlways = resetsAlways
        self.cancelTimeout = cancelTimeout
    }
}
