import WaldenCore

/// The row changes of one transaction, such that those of one relation, or of one subtransaction, can be dropped at a
/// cost in proportion to their number.
///
/// Changes stand in the order they came. Each is linked to the one before it of the same relation and to the one
/// before it of the same subtransaction; a dropped change leaves an empty place, and places are closed up once they
/// are the majority.
struct RowStore: Sendable {
    private struct Link {
        let slot: Int
        let xid: UInt32
        let byteCost: Int
        let previousOfRelation: Int
        let previousOfSubtransaction: Int
        var isDropped = false
    }

    private struct Tally {
        let relation: RelationID
        var isWhole = false
        var count = 0
        var byteCost = 0
        var last = RowStore.none
    }

    /// What a change costs besides its own bytes, a relation, and a subtransaction.
    private static let changeBytes = MemoryLayout<RowChange>.stride + MemoryLayout<Link>.stride
    private static let relationBytes = MemoryLayout<Tally>.stride + 48
    private static let subtransactionBytes = 48
    /// Ends a chain of links.
    private static let none = -1

    private(set) var byteCost = 0
    /// Changes that were left out because their relation counts as changed entirely.
    private(set) var foldedCount = 0
    private var changes: [RowChange] = []
    private var links: [Link] = []
    private var droppedCount = 0
    private var tallies: [Tally] = []
    private var slots: [RelationID: Int] = [:]
    private var recentSlot = 0
    /// The last change of each subtransaction but the current one.
    private var last: [UInt32: Int] = [:]
    private var currentXid: UInt32 = 0
    private var currentLast = RowStore.none

    /// The place where `relation` is counted; stays valid.
    mutating func slot(of relation: RelationID) -> Int {
        if recentSlot < tallies.count, tallies[recentSlot].relation == relation { return recentSlot }
        if let slot = slots[relation] {
            recentSlot = slot
        } else {
            recentSlot = tallies.count
            slots[relation] = recentSlot
            tallies.append(Tally(relation: relation))
            byteCost += Self.relationBytes
        }
        return recentSlot
    }

    func isWhole(_ slot: Int) -> Bool { tallies[slot].isWhole }

    /// Changes held of one relation.
    func count(_ slot: Int) -> Int { tallies[slot].count }

    static func byteCost(ofChange byteCost: Int) -> Int { byteCost + changeBytes + subtransactionBytes }

    /// Holds `change`, which costs `byteCost` besides its place here.
    mutating func append(_ change: RowChange, slot: Int, xid: UInt32, byteCost cost: Int) {
        enter(xid)
        link(change, slot: slot, xid: xid, byteCost: cost + Self.changeBytes)
    }

    /// Counts a change of a whole relation.
    mutating func fold() { foldedCount += 1 }

    /// From now on every row of the relation counts as changed. Its changes are dropped.
    mutating func makeWhole(_ slot: Int) {
        guard !tallies[slot].isWhole else { return }
        tallies[slot].isWhole = true
        foldedCount += tallies[slot].count
        var index = tallies[slot].last
        while index != Self.none {
            drop(index)
            index = links[index].previousOfRelation
        }
        tallies[slot].last = Self.none
        closeUp()
    }

    /// The subtransaction aborted: its changes are dropped. A relation that became whole by them stays whole.
    mutating func abort(_ xid: UInt32) {
        enter(xid)
        var index = currentLast
        while index != Self.none {
            drop(index)
            index = links[index].previousOfSubtransaction
        }
        currentLast = Self.none
        closeUp()
    }

    /// Relations with changes held, and what these cost.
    var holders: [(slot: Int, byteCost: Int)] {
        tallies.indices.lazy.filter { tallies[$0].count > 0 }.map { ($0, tallies[$0].byteCost) }
    }

    var wholeRelations: [RelationID] { tallies.lazy.filter(\.isWhole).map(\.relation) }

    /// The changes held, in order.
    var held: [RowChange] {
        guard droppedCount > 0 else { return changes }
        return zip(changes, links).lazy.filter { !$0.1.isDropped }.map(\.0)
    }

    /// Makes `xid` the current subtransaction.
    private mutating func enter(_ xid: UInt32) {
        guard xid != currentXid else { return }
        if currentLast != Self.none {
            if last.updateValue(currentLast, forKey: currentXid) == nil { byteCost += Self.subtransactionBytes }
        }
        currentXid = xid
        currentLast = Self.none
        if let known = last.removeValue(forKey: xid) {
            currentLast = known
            byteCost -= Self.subtransactionBytes
        }
    }

    private mutating func link(_ change: RowChange, slot: Int, xid: UInt32, byteCost cost: Int) {
        let index = changes.count
        changes.append(change)
        links.append(
            Link(
                slot: slot, xid: xid, byteCost: cost, previousOfRelation: tallies[slot].last,
                previousOfSubtransaction: currentLast))
        tallies[slot].last = index
        tallies[slot].count += 1
        tallies[slot].byteCost += cost
        currentLast = index
        byteCost += cost
    }

    private mutating func drop(_ index: Int) {
        let link = links[index]
        guard !link.isDropped else { return }
        links[index].isDropped = true
        droppedCount += 1
        let change = changes[index]
        changes[index] = RowChange(kind: change.kind, relation: change.relation, bytes: [], old: nil, new: nil)
        let freed = link.byteCost - Self.changeBytes
        byteCost -= freed
        tallies[link.slot].count -= 1
        tallies[link.slot].byteCost -= link.byteCost
    }

    /// Removes the empty places when they outnumber the changes, so that their number stays bounded.
    private mutating func closeUp() {
        guard droppedCount > 64, droppedCount > changes.count / 2 else { return }
        let old = zip(changes, links).filter { !$0.1.isDropped }
        byteCost -= droppedCount * Self.changeBytes
        byteCost -= last.count * Self.subtransactionBytes
        changes.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        last.removeAll()
        droppedCount = 0
        currentLast = Self.none
        for slot in tallies.indices {
            tallies[slot].last = Self.none
            tallies[slot].count = 0
            byteCost -= tallies[slot].byteCost
            tallies[slot].byteCost = 0
        }
        for (change, link) in old {
            enter(link.xid)
            self.link(change, slot: link.slot, xid: link.xid, byteCost: link.byteCost)
        }
    }
}
