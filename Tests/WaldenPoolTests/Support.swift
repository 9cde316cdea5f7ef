import WaldenCore
import WaldenPool

extension Instant {
    static func ms(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }
}

extension PoolKey {
    static func of(_ user: String, _ database: String = "app", node: Int = 0) -> PoolKey {
        PoolKey(node: NodeID(node), database: database, user: user)
    }
}

let first = LoopID(0)
let second = LoopID(1)
