/// A hash table from 64-bit hashes to slots of some arena: open addressing, linear probing, deletion by shifting back.
///
/// It stores no keys. A place is the low half of the hash and the slot; whoever owns the arena says whether a slot with
/// an equal half is the one meant. Eight bytes per place, at most three quarters full.
struct HandleTable {
    private var places: [UInt64]
    private(set) var count = 0

    init() {
        places = [UInt64](repeating: 0, count: 8)
    }

    private var mask: Int { places.count - 1 }

    private static func place(_ hash: UInt64, _ slot: Int32) -> UInt64 {
        hash << 32 | UInt64(UInt32(bitPattern: slot) &+ 1)
    }

    private static func slot(_ place: UInt64) -> Int32 {
        Int32(truncatingIfNeeded: place) &- 1
    }

    private func home(_ place: UInt64) -> Int {
        Int(truncatingIfNeeded: place >> 32) & mask
    }

    @inline(__always)
    func find(_ hash: UInt64, where isMeant: (Int32) -> Bool) -> Int32? {
        let half = UInt32(truncatingIfNeeded: hash)
        var index = Int(half) & mask
        while true {
            let place = places[index]
            if place == 0 { return nil }
            if UInt32(truncatingIfNeeded: place >> 32) == half, isMeant(Self.slot(place)) { return Self.slot(place) }
            index = (index + 1) & mask
        }
    }

    /// The slot must not be in the table yet.
    mutating func insert(_ hash: UInt64, _ slot: Int32) {
        if (count + 1) * 4 > places.count * 3 { grow() }
        put(Self.place(hash, slot))
        count += 1
    }

    /// Removes the slot that was inserted under this hash, if it is there.
    mutating func remove(_ hash: UInt64, _ slot: Int32) {
        let wanted = Self.place(hash, slot)
        var hole = home(wanted)
        while places[hole] != wanted {
            if places[hole] == 0 { return }
            hole = (hole + 1) & mask
        }
        var next = hole
        while true {
            next = (next + 1) & mask
            let place = places[next]
            if place == 0 { break }
            // It may move back into the hole unless its home lies behind the hole.
            if (next &- home(place)) & mask >= (next &- hole) & mask {
                places[hole] = place
                hole = next
            }
        }
        places[hole] = 0
        count -= 1
    }

    mutating func removeAll() {
        self = HandleTable()
    }

    private mutating func put(_ place: UInt64) {
        var index = home(place)
        while places[index] != 0 { index = (index + 1) & mask }
        places[index] = place
    }

    private mutating func grow() {
        let old = places
        places = [UInt64](repeating: 0, count: old.count * 2)
        for place in old where place != 0 { put(place) }
    }
}
