import Testing

@testable import WaldenCache

@Suite struct SlotArenaTests {
    @Test func reusesFreedPlaces() {
        var arena = SlotArena<String>()
        let first = arena.insert("a")
        let second = arena.insert("b")
        #expect(arena.count == 2)
        arena.remove(first, leaving: "")
        #expect(arena.count == 1)
        #expect(arena[first] == "")
        #expect(arena.insert("c") == first)
        #expect(arena[first] == "c")
        #expect(arena[second] == "b")
        #expect(arena.limit == 2)
    }

    @Test func changesInPlace() {
        var arena = SlotArena<[Int]>()
        let slot = arena.insert([1])
        arena[slot].append(2)
        #expect(arena[slot] == [1, 2])
        arena.removeAll()
        #expect(arena.count == 0)
        #expect(arena.limit == 0)
    }

    /// What a freed place held must not live on.
    @Test func letsGoOfWhatItHeld() {
        final class Token {}
        var arena = SlotArena<Token?>()
        weak var held: Token?
        let slot: Int32
        do {
            let token = Token()
            held = token
            slot = arena.insert(token)
        }
        #expect(held != nil)
        arena.remove(slot, leaving: nil)
        #expect(held == nil)
    }
}
