/// The pools that event loops use, each with its slots.
struct PoolRegister {
    struct Pool {
        let key: PoolKey
        let signal = PoolSignal()
        var slots = 0
        var slotsOfLoops: [LoopID: Int] = [:]
        fileprivate var loops: Set<LoopID> = []

        fileprivate init(key: PoolKey) {
            self.key = key
        }
    }

    private var pools: [PoolID: Pool] = [:]
    private var known: [PoolKey: PoolID] = [:]
    private var poolsOfUsers: [String: Int] = [:]
    private var next = 0

    var count: Int { pools.count }
    var ids: Dictionary<PoolID, Pool>.Keys { pools.keys }
    var databases: Set<String> { Set(known.keys.map(\.database)) }

    subscript(id: PoolID) -> Pool? { pools[id] }

    func knows(_ key: PoolKey) -> Bool { known[key] != nil }

    /// The pool of `key`, which the loop uses from now on.
    mutating func join(_ key: PoolKey, by loop: LoopID) -> (id: PoolID, signal: PoolSignal) {
        let id = known[key] ?? PoolID(next)
        var pool = pools[id] ?? Pool(key: key)
        if known.updateValue(id, forKey: key) == nil {
            next += 1
            poolsOfUsers[key.user, default: 0] += 1
        }
        pool.loops.insert(loop)
        pools[id] = pool
        return (id, pool.signal)
    }

    /// The loop uses the pool no more; the last one to leave ends it.
    mutating func leave(_ id: PoolID, by loop: LoopID) -> PoolDeparture {
        guard var pool = pools[id] else { return .ended(isLastOfUser: false) }
        guard pool.slotsOfLoops[loop] == nil else { return .refused }
        pool.loops.remove(loop)
        guard pool.loops.isEmpty else {
            pools[id] = pool
            return .left
        }
        pools[id] = nil
        known[pool.key] = nil
        let others = (poolsOfUsers[pool.key.user] ?? 1) - 1
        poolsOfUsers[pool.key.user] = others > 0 ? others : nil
        return .ended(isLastOfUser: others <= 0)
    }

    mutating func take(_ id: PoolID, by loop: LoopID) {
        pools[id]?.slots += 1
        pools[id]?.slotsOfLoops[loop, default: 0] += 1
    }

    /// False: the loop has none.
    mutating func giveBack(_ id: PoolID, by loop: LoopID) -> Bool {
        guard let held = pools[id]?.slotsOfLoops[loop], held > 0 else { return false }
        pools[id]?.slots -= 1
        pools[id]?.slotsOfLoops[loop] = held == 1 ? nil : held - 1
        return true
    }
}

/// What becomes of a pool that a loop would forget.
public enum PoolDeparture: Hashable, Sendable {
    /// The loop has a slot of it, which may have been granted just now.
    case refused
    /// Other loops go on using it.
    case left
    /// No loop does.
    ///
    /// - Parameter isLastOfUser: The user has no other pool.
    case ended(isLastOfUser: Bool)
}
