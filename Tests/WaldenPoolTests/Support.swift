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

/// Splitmix64, so that every run is the same.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

let first = LoopID(0)
let second = LoopID(1)
