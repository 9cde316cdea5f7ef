import WaldenCore
import WaldenDependency

/// Names a shape's place in the ledger. Once the ledger has forgotten the shape the name means nothing.
struct ShapeHandle: Hashable, Sendable {
    static let none = ShapeHandle(slot: -1, generation: 0)

    var slot: Int32
    var generation: UInt32
}

/// The shapes of the statements that were looked up lately, with what is known of each. Bounded: a full ledger forgets
/// the half that was not used for the longest time, but no shape that is quarantined.
struct ShapeLedger {
    struct Account {
        var shape: StatementShape?
        var counter = HitCounter()
        var benefit = Benefit()
        var misses: UInt64 = 0
        var begun: UInt64 = 0
        var kept: UInt64 = 0
        var tainted: UInt64 = 0
        var declined: UInt64 = 0
        var dropped = Tally<InvalidationCause>()
        var savedNanoseconds = 0.0
        var isQuarantined = false
        var generation: UInt32 = 0
        fileprivate var hitsNoted: UInt64 = 0
        fileprivate var usedAt: UInt64 = 0
    }

    private let limit: Int
    private var accounts = SlotArena<Account>()
    private var slots: [ShapeID: Int32] = [:]
    private var nextGeneration: UInt32 = 1
    private var uses: UInt64 = 0
    /// Within a window that is halved: how many looks at the primary there were, and how many fills completed.
    private var probes = 0.0
    private var completions = 0.0
    private(set) var forgotten = 0
    private(set) var savedByForgotten = 0.0
    let costs = AdmissionCosts()

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { accounts.count }

    /// Notes a miss in the account of its shape, which is opened if need be. `none` when there is no room.
    mutating func missed(_ shape: StatementShape) -> ShapeHandle {
        uses += 1
        if let slot = slots[shape.id] {
            accounts[slot].usedAt = uses
            accounts[slot].misses += 1
            return ShapeHandle(slot: slot, generation: accounts[slot].generation)
        }
        if accounts.count >= limit { forgetHalf() }
        guard accounts.count < limit else { return .none }
        let generation = nextGeneration
        nextGeneration &+= 1
        var account = Account()
        account.shape = shape
        account.generation = generation
        account.usedAt = uses
        account.misses = 1
        let slot = accounts.insert(account)
        slots[shape.id] = slot
        return ShapeHandle(slot: slot, generation: generation)
    }

    subscript(_ handle: ShapeHandle) -> Account? { isKnown(handle) ? accounts[handle.slot] : nil }

    func handle(of id: ShapeID) -> ShapeHandle? {
        slots[id].map { ShapeHandle(slot: $0, generation: accounts[$0].generation) }
    }

    private func isKnown(_ handle: ShapeHandle) -> Bool {
        handle.slot >= 0 && Int(handle.slot) < accounts.limit && accounts[handle.slot].shape != nil
            && accounts[handle.slot].generation == handle.generation
    }

    /// A fill's part of a look at the primary, in nanoseconds.
    var probeShare: Double { costs.probe * min(1, probes / max(1, completions)) }

    /// Whether a miss is to fill the cache by what the shape has been worth.
    mutating func admitsMiss(_ handle: ShapeHandle, now: Instant) -> Bool {
        guard isKnown(handle) else { return true }
        settle(handle.slot)
        let admits = accounts[handle.slot].benefit.admitsMiss(now: now, costs: costs, probeShare: probeShare)
        if !admits { accounts[handle.slot].declined += 1 }
        return admits
    }

    /// Takes note of the hits since the last look.
    private mutating func settle(_ slot: Int32) {
        let count = accounts[slot].counter.count
        let new = count &- accounts[slot].hitsNoted
        accounts[slot].hitsNoted = count
        accounts[slot].benefit.noteHits(new)
        accounts[slot].savedNanoseconds += Double(new) * (accounts[slot].benefit.execution + costs.relay)
    }

    mutating func fillBegun(_ handle: ShapeHandle) {
        guard isKnown(handle) else { return }
        accounts[handle.slot].begun += 1
        accounts[handle.slot].benefit.noteBegun()
    }

    mutating func fillCompleted(_ handle: ShapeHandle, execution: Duration, bytes: Int) {
        completions += 1
        guard isKnown(handle) else { return }
        accounts[handle.slot].benefit.noteCompleted(execution: execution, bytes: bytes)
    }

    mutating func fillKept(_ handle: ShapeHandle) {
        guard isKnown(handle) else { return }
        accounts[handle.slot].kept += 1
    }

    /// A fill came to nothing.
    mutating func fillFailed(_ handle: ShapeHandle, tainted: Bool) {
        guard isKnown(handle) else { return }
        if tainted { accounts[handle.slot].tainted += 1 }
        accounts[handle.slot].benefit.noteEnded()
    }

    /// An entry, or a finished fill, was dropped.
    mutating func dropped(_ handle: ShapeHandle, _ cause: InvalidationCause) {
        guard isKnown(handle) else { return }
        accounts[handle.slot].dropped[cause] += 1
        accounts[handle.slot].benefit.noteEnded()
    }

    /// Nil when the shape has no account any more.
    mutating func quarantine(_ id: ShapeID) -> ShapeHandle? {
        guard let slot = slots[id] else { return nil }
        accounts[slot].isQuarantined = true
        return ShapeHandle(slot: slot, generation: accounts[slot].generation)
    }

    mutating func probeCompleted() {
        probes += 1
        if probes >= 64 { (probes, completions) = (probes / 2, completions / 2) }
    }

    private mutating func forgetHalf() {
        let oldest = slots.filter { !accounts[$0.value].isQuarantined }.sorted {
            accounts[$0.value].usedAt < accounts[$1.value].usedAt
        }.prefix((limit + 1) / 2)
        for (id, slot) in oldest {
            settle(slot)
            savedByForgotten += accounts[slot].savedNanoseconds
            slots[id] = nil
            accounts.remove(slot, leaving: Account())
            forgotten += 1
        }
    }

    /// Adds up what the statistics show.
    mutating func addUp(into statistics: inout CacheStatistics) {
        statistics.shapes = accounts.count
        statistics.forgottenShapes = forgotten
        statistics.savedNanoseconds = savedByForgotten
        for slot in slots.values {
            settle(slot)
            statistics.savedNanoseconds += accounts[slot].savedNanoseconds
            if accounts[slot].isQuarantined {
                statistics.quarantinedShapes += 1
            } else if accounts[slot].benefit.standing == .declined {
                statistics.declinedShapes += 1
            }
        }
    }

    /// Every account, settled.
    mutating func settled() -> [Account] {
        for slot in slots.values { settle(slot) }
        return slots.values.map { accounts[$0] }
    }

    /// The account of a shape, settled.
    mutating func settled(_ id: ShapeID) -> Account? {
        guard let slot = slots[id] else { return nil }
        settle(slot)
        return accounts[slot]
    }
}
