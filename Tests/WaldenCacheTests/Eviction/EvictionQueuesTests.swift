import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct EvictionQueuesTests {
    private var queues = EvictionQueues(maxBytes: 100)

    private mutating func insert(_ slot: Int32, bytes: Int = 10) {
        queues.insert(slot, hash: UInt64(slot) &* 0x9E37_79B9_7F4A_7C15, bytes: bytes)
    }

    private mutating func evictAll(toFit bytes: Int) -> [Int32] {
        var victims: [Int32] = []
        while let victim = queues.victim(toFit: bytes) { victims.append(victim) }
        return victims
    }

    @Test mutating func nobodyGoesWhileThereIsRoom() {
        insert(0)
        #expect(queues.victim(toFit: 90) == nil)
        #expect(queues.count == 1)
    }

    @Test mutating func unreadNewcomersGoFirstInFirstOut() {
        for slot in 0..<10 { insert(Int32(slot)) }
        #expect(evictAll(toFit: 30) == [0, 1, 2])
    }

    /// One read may be the same scan's; two make it worth keeping.
    @Test mutating func twiceReadNewcomersMoveToTheMainQueue() {
        for slot in 0..<10 { insert(Int32(slot)) }
        for slot in [0, 1] as [Int32] {
            queues.touch(slot)
            queues.touch(slot)
        }
        queues.touch(2)
        #expect(evictAll(toFit: 80) == [2, 3, 4, 5, 6, 7, 8, 9])
        #expect(queues.count == 2)
    }

    @Test mutating func mainEntriesGoRoundOncePerRead() {
        for slot in 0..<4 { insert(Int32(slot), bytes: 25) }
        for slot in 0..<4 {
            queues.touch(Int32(slot))
            queues.touch(Int32(slot))
        }
        // All move to the main queue; from there the unread go in their order.
        #expect(queues.victim(toFit: 1) == 0)
        queues.touch(1)
        #expect(evictAll(toFit: 75) == [2, 3])
        #expect(queues.count == 1)
    }

    @Test mutating func aGhostReturnsToTheMainQueue() {
        for slot in 0..<10 { insert(Int32(slot)) }
        #expect(queues.victim(toFit: 10) == 0)
        insert(0)
        // Everything unread in the small queue goes before it.
        #expect(evictAll(toFit: 90) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(queues.count == 1)
    }

    @Test mutating func removedOnesAreNotVictims() {
        for slot in 0..<10 { insert(Int32(slot)) }
        queues.remove(0)
        queues.remove(5)
        #expect(queues.bytes == 80)
        #expect(evictAll(toFit: 100) == [1, 2, 3, 4, 6, 7, 8, 9])
        #expect(queues.count == 0)
        #expect(queues.victim(toFit: 500) == nil)
    }

    /// A working set that is read again and again survives a scan ten times the room, but for a few.
    @Test func aScanLeavesTheWorkingSet() {
        var queues = EvictionQueues(maxBytes: 1000)
        var random = SplitMix64(seed: 1)
        var resident: Set<Int32> = []
        func request(_ slot: Int32) -> Bool {
            if resident.contains(slot) {
                queues.touch(slot)
                return true
            }
            while let victim = queues.victim(toFit: 1) { resident.remove(victim) }
            queues.insert(slot, hash: UInt64(slot) &* 0x9E37_79B9_7F4A_7C15, bytes: 1)
            resident.insert(slot)
            return false
        }
        for _ in 0..<20_000 { _ = request(Int32(random.below(600))) }
        let before = (0..<600).filter { resident.contains(Int32($0)) }.count
        #expect(before > 590)
        for slot in 0..<10_000 { _ = request(Int32(10_000 + slot)) }
        let after = (0..<600).filter { resident.contains(Int32($0)) }.count
        #expect(after > 540)
    }

    @Test(arguments: 0..<6) func staysWithinItsBytes(seed: Int) {
        var queues = EvictionQueues(maxBytes: 500)
        var random = SplitMix64(seed: UInt64(seed))
        var resident: [Int32: Int] = [:]
        var free = Array((0..<200).map { Int32($0) })
        for _ in 0..<5000 {
            let bytes = 1 + random.below(60)
            while let victim = queues.victim(toFit: bytes) {
                #expect(resident.removeValue(forKey: victim) != nil)
                free.append(victim)
            }
            if let slot = free.popLast() {
                queues.insert(slot, hash: random.next() & 0xFF, bytes: bytes)
                resident[slot] = bytes
            }
            if let slot = resident.keys.sorted().randomElement(using: &random) {
                if random.chance(20) {
                    queues.remove(slot)
                    resident[slot] = nil
                    free.append(slot)
                } else {
                    queues.touch(slot)
                }
            }
            #expect(queues.bytes == resident.values.reduce(0, +))
            #expect(queues.bytes <= 500)
            #expect(queues.count == resident.count)
        }
    }
}

@Suite struct GhostTableTests {
    @Test func remembersForAWindow() {
        var ghosts = GhostTable()
        ghosts.insert(1, window: 64)
        #expect(ghosts.take(1, window: 64) == true)
        // Taking forgets.
        #expect(ghosts.take(1, window: 64) == false)
        ghosts.insert(2, window: 64)
        for hash in 100..<164 { ghosts.insert(UInt64(hash) << 8, window: 64) }
        #expect(ghosts.take(2, window: 64) == false)
    }

    @Test func growsWithItsWindow() {
        var ghosts = GhostTable()
        for hash in 0..<50 { ghosts.insert(UInt64(hash), window: 64) }
        ghosts.insert(1000, window: 4096)
        let remembered = (0..<50).filter { ghosts.take(UInt64($0), window: 4096) }
        #expect(remembered.count == 50)
    }

    @Test func anEmptyOneRemembersNothing() {
        var ghosts = GhostTable()
        #expect(ghosts.take(0, window: 64) == false)
    }
}
