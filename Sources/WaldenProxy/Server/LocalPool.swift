import WaldenPool
import WaldenWire

/// One pool on one event loop: its machine, and what the machine knows by number only.
final class LocalPool {
    let id: PoolID
    let key: PoolKey
    /// Whether the ledger is to be asked before a link is lent on or laid to rest.
    let signal: PoolSignal
    var machine: LoopPool
    var waiters: [WaiterID: ProxyConnection] = [:]
    /// What the ledger knows of this loop's need.
    var stated = LoopPool.Demand.none
    /// Why the last login came to nothing; nil after one that succeeded.
    var failure: ErrorResponse?
    /// Sessions that may ask for a link.
    var clients = 0

    init(id: PoolID, key: PoolKey, signal: PoolSignal, times: PoolTimes) {
        self.id = id
        self.key = key
        self.signal = signal
        machine = LoopPool(times: times)
    }
}
