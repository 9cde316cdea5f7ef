/// How many links there may be. 0: no limit, but for `pool`.
public struct PoolLimits: Hashable, Sendable {
    /// Links of one pool. Range 1 … 10,000, default 20.
    public var pool: Int
    /// Links whose sessions are in one database, on all nodes together. Default 0.
    public var database: Int
    /// Links of one role, on all nodes together. Default 0.
    public var user: Int
    /// Links to one node. Default 0.
    public var node: Int
    /// All links. Default 0.
    public var total: Int
    /// Links that a pool keeps although they are idle, once a client has used it. Range 0 … `pool`, default 0.
    public var minimum: Int

    public init(
        pool: Int = 20, database: Int = 0, user: Int = 0, node: Int = 0, total: Int = 0, minimum: Int = 0
    ) {
        self.pool = pool
        self.database = database
        self.user = user
        self.node = node
        self.total = total
        self.minimum = minimum
    }
}

/// For how long things may last in a pool. Zero: for ever, but for `handover`, `check` and `outage`.
public struct PoolTimes: Hashable, Sendable {
    /// How long a client waits for a link. Default 120 s.
    public var wait: Duration
    /// How long a link stays open without a client. Default 600 s.
    public var idle: Duration
    /// A link that was idle for longer is tested before it serves. Default 30 s; zero: always tested.
    public var check: Duration
    /// How long a client whose session is established waits for a server that cannot be reached. Default 10 s; zero: it
    /// is told at once.
    public var outage: Duration
    /// A client that has waited this long may be given the place of another loop's link although its own loop has some
    /// links of the pool.
    public var handover: Duration
    /// How long nothing is tried again after the first failed login, and at most, doubling in between.
    public var retry: (first: Duration, last: Duration)

    public init(
        wait: Duration = .seconds(120), idle: Duration = .seconds(600), check: Duration = .seconds(30),
        outage: Duration = .seconds(10), handover: Duration = .milliseconds(250),
        retry: (first: Duration, last: Duration) = (.milliseconds(100), .seconds(15))
    ) {
        self.wait = wait
        self.idle = idle
        self.check = check
        self.outage = outage
        self.handover = handover
        self.retry = retry
    }

    public static func == (left: PoolTimes, right: PoolTimes) -> Bool {
        (left.wait, left.idle, left.check, left.outage, left.handover) == (
            right.wait, right.idle, right.check, right.outage, right.handover
        ) && left.retry == right.retry
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(wait)
        hasher.combine(idle)
        hasher.combine(check)
    }
}
