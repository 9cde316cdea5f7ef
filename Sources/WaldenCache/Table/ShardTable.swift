import WaldenCore

/// One shard's servable entries: the hash table that hits read, and the eviction queues over it.
struct ShardTable: Sendable {
    private struct Cell: Sendable {
        var key: [UInt8] = []
        var payload: Payload?
        /// The engine's slot of the entry.
        var entry: Int32 = -1
        var terms = EntryTerms()
    }

    struct Counters {
        var hits = 0
        var misses = 0
        var stale = 0
        var suspended = 0
        var inOutage = 0
    }

    enum Insertion {
        case inserted(cell: Int32)
        /// The key is there already; nothing changed.
        case duplicate(kept: Payload?)
    }

    private var cells = SlotArena<Cell>()
    private var table = HandleTable()
    private var queues: EvictionQueues
    var counters = Counters()

    init(maxBytes: Int) {
        queues = EvictionQueues(maxBytes: maxBytes)
    }

    var count: Int { queues.count }
    var bytes: Int { queues.bytes }

    /// Finds an entry and counts the outcome. `gate` was read before the shard was locked, so that it never vouches for
    /// more than the entries seen after it.
    mutating func lookup(
        _ key: UnsafeRawBufferPointer, hash: UInt64, gate: ServingGate.Reading, now: Instant, needs: FreshnessNeeds
    ) -> Lookup {
        guard let cell = find(key, hash), now < cells[cell].terms.expiresAt, let payload = cells[cell].payload else {
            counters.misses += 1
            return .miss
        }
        let level = cells[cell].terms.level
        let needed = needs.instant(level)
        guard now < gate.servingUntil, needed <= gate.freshAsOf else {
            counters.stale += 1
            return .stale(
                Staleness(
                    until: now < gate.servingUntil ? needed : nil, level: level ?? needs.level,
                    fillTook: cells[cell].terms.fillTook))
        }
        counters.hits += 1
        queues.touch(cell)
        return .hit(payload: payload)
    }

    /// The second look at what the first has not served, while the primary is being replaced: counts nothing else than
    /// what it finds.
    ///
    /// - Parameter asOf: Read before the shard was locked, see `lookup`.
    mutating func lookupInOutage(
        _ key: UnsafeRawBufferPointer, hash: UInt64, asOf: Instant, now: Instant, needs: FreshnessNeeds
    ) -> Payload? {
        guard let cell = find(key, hash), now < cells[cell].terms.expiresAt, let payload = cells[cell].payload,
            needs.instant(cells[cell].terms.level) <= asOf
        else { return nil }
        counters.inOutage += 1
        queues.touch(cell)
        return payload
    }

    func contains(_ key: [UInt8], hash: UInt64) -> Bool {
        key.withUnsafeBytes { find($0, hash) != nil }
    }

    /// Adds an entry, `evicting` others until it fits: they are handed over as the engine's slots.
    mutating func insert(
        _ key: [UInt8], hash: UInt64, payload: Payload, bytes: Int, entry: Int32, terms: EntryTerms = EntryTerms(),
        evicting: (Int32) -> Void
    ) -> Insertion {
        if let cell = key.withUnsafeBytes({ find($0, hash) }) { return .duplicate(kept: cells[cell].payload) }
        while let victim = queues.victim(toFit: bytes) {
            evicting(cells[victim].entry)
            discard(victim)
        }
        let cell = cells.insert(Cell(key: key.trimmed, payload: payload, entry: entry, terms: terms))
        table.insert(hash, cell)
        queues.insert(cell, hash: hash, bytes: bytes)
        return .inserted(cell: cell)
    }

    /// Removes the entry of a key if it is past its age; returns the engine's slot of it.
    mutating func removeExpired(_ key: [UInt8], hash: UInt64, now: Instant) -> Int32? {
        guard let cell = key.withUnsafeBytes({ find($0, hash) }), cells[cell].terms.expiresAt <= now else { return nil }
        let entry = cells[cell].entry
        remove(cell)
        return entry
    }

    mutating func remove(_ cell: Int32) {
        queues.remove(cell)
        discard(cell)
    }

    /// Empties the shard; the counters stay. Returns what is left of it, to be released outside the lock.
    mutating func removeAll(maxBytes: Int) -> ShardTable {
        var fresh = ShardTable(maxBytes: maxBytes)
        fresh.counters = counters
        swap(&fresh, &self)
        return fresh
    }

    @inline(__always)
    private func find(_ key: UnsafeRawBufferPointer, _ hash: UInt64) -> Int32? {
        table.find(hash) { key.equals(cells[$0].key) }
    }

    private mutating func discard(_ cell: Int32) {
        table.remove(queues.hash(of: cell), cell)
        cells.remove(cell, leaving: Cell())
    }
}

/// What an entry was filled under.
struct EntryTerms: Sendable {
    /// The level that the statement itself names.
    var level: ConsistencyLevel?
    /// How long its query took, as the client saw it.
    var fillTook = Duration.zero
    /// Not served from then on, whatever it is worth.
    var expiresAt = Instant.distantFuture
}
