/// Remembers hashes of keys lately evicted, for a while counted in evictions.
///
/// Direct-mapped: a newer hash overwrites an older one in its place, which forgets a little early and costs 8 bytes a
/// key without any queue. A forgotten or mistaken ghost only sends an entry to the other queue.
struct GhostTable {
    /// The hash's low half and the number of the eviction.
    private var places: [UInt64] = []
    private var clock: UInt32 = 0

    /// Remembers `hash`; the table keeps room for about `window` hashes.
    mutating func insert(_ hash: UInt64, window: Int) {
        if places.count < window { resize(to: window) }
        clock &+= 1
        places[index(hash)] = hash << 32 | UInt64(clock)
    }

    /// Whether `hash` was inserted within the last `window` insertions; forgets it.
    mutating func take(_ hash: UInt64, window: Int) -> Bool {
        guard !places.isEmpty else { return false }
        let place = places[index(hash)]
        guard place != 0, place >> 32 == hash & 0xFFFF_FFFF,
            clock &- UInt32(truncatingIfNeeded: place) < UInt32(clamping: window)
        else { return false }
        places[index(hash)] = 0
        return true
    }

    private func index(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash & 0xFFFF_FFFF) & (places.count - 1) }

    private mutating func resize(to window: Int) {
        var size = 64
        while size < window { size *= 2 }
        let old = places
        places = [UInt64](repeating: 0, count: size)
        for place in old where place != 0 { places[index(place >> 32)] = place }
    }
}
