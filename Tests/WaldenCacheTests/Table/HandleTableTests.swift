import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct HandleTableTests {
    @Test func findsWhatWasInserted() {
        var table = HandleTable()
        table.insert(7, 0)
        table.insert(8, 1)
        #expect(table.find(7) { _ in true } == 0)
        #expect(table.find(8) { _ in true } == 1)
        #expect(table.find(9) { _ in true } == nil)
        #expect(table.count == 2)
    }

    /// Hashes alike in their low half are told apart by the caller alone.
    @Test func asksTheOwnerAboutEqualHalves() {
        var table = HandleTable()
        let hashes: [UInt64] = [1 << 32 | 5, 2 << 32 | 5, 3 << 32 | 5]
        for (slot, hash) in hashes.enumerated() { table.insert(hash, Int32(slot)) }
        for (slot, hash) in hashes.enumerated() {
            #expect(table.find(hash) { hashes[Int($0)] == hash } == Int32(slot))
        }
        #expect(table.find(5) { _ in false } == nil)
    }

    @Test func removingWhatIsNotThereChangesNothing() {
        var table = HandleTable()
        table.insert(7, 0)
        table.remove(7, 1)
        table.remove(15, 0)
        #expect(table.count == 1)
        #expect(table.find(7) { _ in true } == 0)
    }

    /// A cluster that wraps around the table's end closes its gaps.
    @Test func removalShiftsAClusterBack() {
        var table = HandleTable()
        let hashes: [UInt64] = [6, 6, 7, 14, 15]
        for (slot, hash) in hashes.enumerated() { table.insert(hash, Int32(slot)) }
        table.remove(6, 0)
        for slot in 1..<5 {
            #expect(table.find(hashes[slot]) { $0 == Int32(slot) } == Int32(slot))
        }
        table.remove(7, 2)
        for slot in [1, 3, 4] {
            #expect(table.find(hashes[slot]) { $0 == Int32(slot) } == Int32(slot))
        }
    }

    /// Against a dictionary, with few distinct homes so that clusters are long.
    @Test(arguments: 0..<8) func behavesLikeADictionary(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var table = HandleTable()
        var twin: [Int32: UInt64] = [:]
        var nextSlot: Int32 = 0
        for _ in 0..<3000 {
            if random.chance(55) || twin.isEmpty {
                let hash = random.next() & (random.chance(50) ? 0x7 : .max)
                table.insert(hash, nextSlot)
                twin[nextSlot] = hash
                nextSlot += 1
            } else if let slot = twin.keys.sorted().randomElement(using: &random), let hash = twin[slot] {
                table.remove(hash, slot)
                twin[slot] = nil
            }
        }
        #expect(table.count == twin.count)
        for (slot, hash) in twin {
            #expect(table.find(hash) { $0 == slot } == slot)
        }
        for slot in 0..<nextSlot where twin[slot] == nil {
            #expect(table.find(UInt64(slot)) { $0 == slot && twin[slot] != nil } == nil)
        }
    }
}
