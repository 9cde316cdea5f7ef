public import WaldenCore

/// What one pool has and who waits for it, on one event loop or summed over all.
public struct PoolFigures: Hashable, Sendable {
    public var key: PoolKey
    public var lent = 0
    public var resting = 0
    /// Tested, cleaned or closing.
    public var preparing = 0
    public var opening = 0
    public var waiting = 0
    /// Since when the client waits that waits for the longest.
    public var oldestWait: Instant?

    public init(key: PoolKey) {
        self.key = key
    }

    public init(key: PoolKey, _ pool: LoopPool) {
        self.key = key
        lent = pool.lent
        resting = pool.idleCount
        preparing = pool.preparing
        opening = pool.opening
        waiting = pool.waitingCount
        oldestWait = pool.oldestWait
    }

    /// Adds those of another loop.
    public mutating func add(_ other: PoolFigures) {
        lent += other.lent
        resting += other.resting
        preparing += other.preparing
        opening += other.opening
        waiting += other.waiting
        if let wait = other.oldestWait { oldestWait = min(oldestWait ?? wait, wait) }
    }
}
