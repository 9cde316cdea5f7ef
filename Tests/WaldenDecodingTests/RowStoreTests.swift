import Testing
import WaldenCore

@testable import WaldenDecoding

/// The linked store against a plain list that does the same slowly.
@Suite struct RowStoreTests {
    private struct Model {
        var rows: [(number: UInt8, slot: Int, xid: UInt32)] = []
        var whole: Set<Int> = []
        var folded = 0

        mutating func makeWhole(_ slot: Int) {
            guard whole.insert(slot).inserted else { return }
            folded += rows.count { $0.slot == slot }
            rows.removeAll { $0.slot == slot }
        }

        mutating func abort(_ xid: UInt32) { rows.removeAll { $0.xid == xid } }
    }

    private static let relations = (0..<6).map {
        RelationDescription(
            id: RelationID(UInt32($0 + 10)), namespace: "public", name: "r\($0)", replicaIdentity: .default, columns: []
        )
    }

    private func change(_ relation: Int, _ number: UInt8) -> RowChange {
        RowChange(kind: .insert, relation: Self.relations[relation], bytes: [number], old: nil, new: [])
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func equalsAPlainList(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var store = RowStore()
        var model = Model()
        let wholeOdds = Int.random(in: 3...400, using: &random)
        let abortOdds = Int.random(in: 3...200, using: &random)
        for step in 0..<1000 {
            let relation = Int.random(in: 0..<Self.relations.count, using: &random)
            let slot = store.slot(of: Self.relations[relation].id)
            let xid = UInt32.random(in: 1...8, using: &random)
            if Int.random(in: 0..<wholeOdds, using: &random) == 0 {
                store.makeWhole(slot)
                model.makeWhole(slot)
            } else if Int.random(in: 0..<abortOdds, using: &random) == 0 {
                store.abort(xid)
                model.abort(xid)
            } else if store.isWhole(slot) {
                store.fold()
                model.folded += 1
            } else {
                let number = UInt8(truncatingIfNeeded: step)
                store.append(change(relation, number), slot: slot, xid: xid, byteCost: 100)
                model.rows.append((number, slot, xid))
            }
            if step.isMultiple(of: 23) { check(store, model) }
        }
        check(store, model)
        for xid in UInt32(1)...8 { store.abort(xid) }
        #expect(store.held.isEmpty)
        #expect(store.byteCost < 40_000)
    }

    private func check(_ store: RowStore, _ model: Model) {
        #expect(store.held.map(\.bytes) == model.rows.map { [$0.number] })
        #expect(store.foldedCount == model.folded)
        #expect(store.wholeRelations.count == model.whole.count)
        for slot in model.whole { #expect(store.isWhole(slot) && store.count(slot) == 0) }
        let holders = Dictionary(grouping: model.rows, by: \.slot)
        #expect(Set(store.holders.map(\.slot)) == Set(holders.keys))
        for holder in store.holders {
            #expect(store.count(holder.slot) == holders[holder.slot]?.count)
            #expect(holder.byteCost >= 100 * store.count(holder.slot))
        }
        #expect(store.byteCost >= store.holders.reduce(0) { $0 + $1.byteCost })
    }

    /// What is held costs what it takes to drop it.
    @Test func costReturnsToTheStart() {
        var store = RowStore()
        let slot = store.slot(of: RelationID(10))
        let empty = store.byteCost
        for number in 0..<200 { store.append(change(0, UInt8(number)), slot: slot, xid: 5, byteCost: 1000) }
        #expect(store.byteCost - empty > 200 * 1000)
        store.abort(5)
        #expect(store.byteCost == empty)
    }

    /// A loop of subtransactions that all abort needs no more memory than a few of them.
    @Test func emptyPlacesAreClosedUp() {
        var store = RowStore()
        let slot = store.slot(of: RelationID(10))
        store.append(change(0, 0), slot: slot, xid: 1, byteCost: 10)
        for xid in UInt32(2)...3000 {
            store.append(change(0, 1), slot: slot, xid: xid, byteCost: 10)
            store.abort(xid)
            #expect(store.byteCost < 30_000)
        }
        #expect(store.held.count == 1)
    }

    @Test func slotsAreOfRelations() {
        var store = RowStore()
        let slots = (1...100).map { store.slot(of: RelationID($0)) }
        #expect(Set(slots).count == 100)
        #expect((1...100).map { store.slot(of: RelationID($0)) } == slots)
        #expect(store.wholeRelations.isEmpty)
        store.makeWhole(slots[7])
        store.makeWhole(slots[7])
        #expect(store.wholeRelations == [RelationID(8)])
    }
}
