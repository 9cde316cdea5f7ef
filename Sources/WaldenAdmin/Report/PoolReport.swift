/// Server connections that clients share.
public struct PoolReport: Hashable, Sendable {
    /// Server connections open now, by what they do: serving, idle, preparing, login.
    public var links: [String: UInt64] = [:]
    /// Clients that wait for one.
    public var waiting = 0
    /// How long the one waits that waits for the longest; zero when none does.
    public var longestWaitSeconds = 0.0
    public var opened: UInt64 = 0
    public var closed: UInt64 = 0
    /// Attempts to open one that came to nothing.
    public var loginFailures: UInt64 = 0

    public init() {}
}
