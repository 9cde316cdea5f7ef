import Synchronization

/// What has happened to server connections of pools since the start.
public struct PoolCounts: Hashable, Sendable {
    public var opened: UInt64 = 0
    public var closed: UInt64 = 0
    public var loginFailures: UInt64 = 0

    public init() {}
}

/// Counts events that are rare compared with requests.
final class PoolCounters: Sendable {
    private let counts = Mutex(PoolCounts())

    func count(_ change: (inout PoolCounts) -> Void) {
        counts.withLock { change(&$0) }
    }

    var current: PoolCounts { counts.withLock { $0 } }
}
