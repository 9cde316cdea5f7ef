public import WaldenCore

/// What is to be done on the control connection.
public struct ProbeDemand: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// One look at snapshot and insert position.
    public static let probe = ProbeDemand(rawValue: 1)
    /// A transactional message into the log: it moves the stream on when nothing else does, and its commit flushes
    /// what was inserted before it.
    public static let heartbeat = ProbeDemand(rawValue: 2)
    /// Something waits for the stream: probe again after `soonInterval`, so that a heartbeat can be asked for if it
    /// still waits then.
    public static let soon = ProbeDemand(rawValue: 4)
}

/// Why there is no control connection, after each failed attempt as well as after one that broke.
public struct ProberLoss: Hashable, Sendable {
    public let error: PostgresError
    public let wasConnected: Bool
    /// Until the next attempt.
    public let retryAfter: Duration

    public init(error: PostgresError, wasConnected: Bool, retryAfter: Duration) {
        self.error = error
        self.wasConnected = wasConnected
        self.retryAfter = retryAfter
    }
}

/// What the prober tells, on its own thread, one call after another.
public protocol ProberDelegate: Sendable {
    /// A control connection stands. Any change but `none` and `first` means: what was seen before may not be true here.
    func proberConnected(_ identity: ServerIdentity, change: ServerIdentity.Change)
    /// Before each `probeCompleted`: what the probe saw of that part of the catalog whose changes are in no log
    /// (`UnloggedCatalog`), under the probe's snapshot. Equal texts: nothing has changed.
    ///
    /// - Parameter sessionDefaults: The part that tells what sessions begin with.
    func unloggedCatalogSeen(_ fingerprint: String, sessionDefaults: String, under snapshot: Snapshot)
    func probeCompleted(_ probe: Probe)
    func proberLost(_ loss: ProberLoss)
    /// Asked after each probe, besides what was requested meanwhile.
    func nextDemand() -> ProbeDemand
}
