import Synchronization

/// The servable entries behind one lock per shard. A thread that holds the engine's lock may take a shard's; never the
/// other way round, and never two shards' at once.
struct ShardSet: ~Copyable, Sendable {
    static let capacity = 64

    struct Shard: ~Copyable, Sendable {
        let table: Mutex<ShardTable>

        init(maxBytes: Int) {
            table = Mutex(ShardTable(maxBytes: maxBytes))
        }
    }

    /// Inline, so that reaching a shard counts no reference. Only the first `count` are used.
    private let shards: InlineArray<64, Shard>
    private let shift: UInt64
    let count: Int
    private let maxBytesPerShard: Int

    init(count: Int, maxBytes: Int) {
        precondition(count.nonzeroBitCount == 1 && count <= Self.capacity)
        self.count = count
        shift = UInt64(64 - count.trailingZeroBitCount)
        let share = maxBytes / count
        maxBytesPerShard = share
        shards = InlineArray { _ in Shard(maxBytes: share) }
    }

    /// By the hash's high bits; the tables use the low half.
    @inline(__always)
    func number(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> shift)
    }

    @inline(__always)
    func withShard<Result: ~Copyable>(
        _ number: Int, _ body: (inout sending ShardTable) -> sending Result
    ) -> sending Result {
        shards[number].table.withLock(body)
    }

    /// Empties all shards. Returns what they held, to be released where no lock is held.
    func removeAll() -> [ShardTable] {
        var removed: [ShardTable] = []
        for number in 0..<count {
            let share = maxBytesPerShard
            removed.append(withShard(number) { $0.removeAll(maxBytes: share) })
        }
        return removed
    }
}
