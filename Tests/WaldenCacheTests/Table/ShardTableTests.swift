import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct ShardTableTests {
    private final class Token: Sendable {}

    private var table = ShardTable(maxBytes: 1000)

    private mutating func insert(_ key: [UInt8], bytes: Int = 100, entry: Int32) -> (inserted: Int32?, evicted: [Int32])
    {
        var evicted: [Int32] = []
        let insertion = table.insert(key, hash: key.keyHash, payload: Token(), bytes: bytes, entry: entry) {
            evicted.append($0)
        }
        if case .inserted(let cell) = insertion { return (cell, evicted) }
        return (nil, evicted)
    }

    private mutating func lookup(_ key: [UInt8], isOpen: Bool = true) -> String {
        key.withUnsafeBytes { bytes in
            switch table.lookup(bytes, hash: key.keyHash, isOpen: isOpen) {
            case .hit: "hit"
            case .miss: "miss"
            case .stale: "stale"
            case .suspended: "suspended"
            }
        }
    }

    @Test mutating func countsWhatLookupsFind() {
        #expect(lookup([1]) == "miss")
        #expect(insert([1], entry: 4).inserted != nil)
        #expect(lookup([1]) == "hit")
        #expect(lookup([1], isOpen: false) == "stale")
        #expect(lookup([2], isOpen: false) == "miss")
        #expect(table.counters.hits == 1)
        #expect(table.counters.misses == 2)
        #expect(table.counters.stale == 1)
    }

    @Test mutating func keepsTheFirstOfTwoEqualKeys() {
        #expect(insert([1], entry: 4).inserted != nil)
        #expect(insert([1], entry: 5).inserted == nil)
        #expect(table.count == 1)
        #expect(table.bytes == 100)
    }

    /// The hash decides nothing: the key does.
    @Test mutating func comparesKeysOfEqualHash() {
        let token = Token()
        _ = table.insert([1], hash: 42, payload: token, bytes: 10, entry: 0) { _ in }
        _ = table.insert([2], hash: 42, payload: Token(), bytes: 10, entry: 1) { _ in }
        let found = [UInt8]([1]).withUnsafeBytes { table.lookup($0, hash: 42, isOpen: true) }
        guard case .hit(let payload) = found else {
            Issue.record("not found")
            return
        }
        let isTheFirst = payload === token
        #expect(isTheFirst)
        #expect(table.count == 2)
    }

    @Test mutating func evictsUntilTheNewcomerFits() {
        for number in 0..<10 { _ = insert([UInt8(number)], entry: Int32(number)) }
        #expect(table.bytes == 1000)
        let (inserted, evicted) = insert([99], bytes: 250, entry: 99)
        #expect(inserted != nil)
        #expect(evicted == [0, 1, 2])
        #expect(table.bytes == 950)
        #expect(lookup([0]) == "miss")
        #expect(lookup([3]) == "hit")
    }

    @Test mutating func removesByCell() {
        guard let cell = insert([1], entry: 4).inserted else { return }
        table.remove(cell)
        #expect(lookup([1]) == "miss")
        #expect(table.count == 0)
        #expect(table.bytes == 0)
    }

    @Test mutating func emptiesAndKeepsItsCounters() {
        _ = insert([1], entry: 4)
        _ = lookup([1])
        let rest = table.removeAll(maxBytes: 1000)
        #expect(rest.count == 1)
        #expect(table.count == 0)
        #expect(table.counters.hits == 1)
        #expect(lookup([1]) == "miss")
    }
}

extension ShardTable {
    fileprivate mutating func lookup(_ key: UnsafeRawBufferPointer, hash: UInt64, isOpen: Bool) -> Lookup {
        let fresh = Instant(nanoseconds: isOpen ? 2 : 0)
        return lookup(
            key, hash: hash, gate: ServingGate.Reading(servingUntil: .distantFuture, freshAsOf: fresh),
            now: Instant(nanoseconds: 1), needs: FreshnessNeeds(notOlderThan: Instant(nanoseconds: 1)))
    }
}
