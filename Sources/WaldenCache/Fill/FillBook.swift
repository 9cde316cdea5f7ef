import DequeModule
import WaldenCore
import WaldenDependency

/// The fills: those whose query runs, and the finished ones that wait to become servable.
///
///     begin ──► running ──complete──► awaitingProbe ──a probe begun later──► awaitingWatermark ──W ≥ F──► taken
///                  │                        │                                       │
///                  └── taint: stays,        └── taint: removed                      └── taint: removed
///                      answers its waiters
///
/// What ran on a standby is taken only when, besides, no transaction up to F is invisible at the primary: the standby may
/// have shown one that waits there for its synchronous standby.
///
/// A fill knows its index entry (`entry`) as long as it is untainted. The book never touches index or shards.
struct FillBook {
    enum Phase {
        case running
        case tainted(Taint)
        case awaitingProbe(Result, completedAt: Instant)
        case awaitingWatermark(Result, until: LSN)
    }

    struct Result {
        let payload: Payload
        let bytes: Int
    }

    struct Fill {
        var key: [UInt8] = []
        var hash: UInt64 = 0
        var startedAt = Instant.distantPast
        /// What was visible at the primary at this instant, the result shows.
        var shows = Instant.distantPast
        var horizon = Horizon.standby(.zero)
        var phase = Phase.running
        var waiters: [UInt64] = []
        /// The engine's slot; negative when tainted from the start or since.
        var entry: Int32 = -1
        var indexBytes = 0
        /// Set while the query runs whose result will show keys to file it by.
        var awaitsKeysOf: Dependencies?
        /// Rows that left meanwhile: it is tainted if the result turns out to hold one.
        var leaving = LeavingRows()
        var terms = Terms()
        var generation: UInt32 = 0
        var isFree = true
    }

    /// On which the result is kept.
    struct Terms {
        var shape = ShapeHandle.none
        var maxBytes = Int.max
        var entry = EntryTerms()
        var audit = AuditGrade.none
        /// Begun to be compared with the entry that is there.
        var isAudit = false
    }

    private struct Awaited {
        let lsn: LSN
        let since: Instant
        let id: FillID
    }

    private var fills = SlotArena<Fill>()
    private var nextGeneration: UInt32 = 1
    /// The newest fill of each key, under the key's hash.
    private var newest = HandleTable()
    private var awaitingProbe: Deque<FillID> = []
    private var awaitingWatermark: Deque<Awaited> = []
    /// Results of standbys that the watermark has reached, but that may show what no reader of the primary sees yet.
    private var awaitingVisibility: Deque<Awaited> = []
    private(set) var completed = 0
    private(set) var completedBytes = 0

    var count: Int { fills.count }
    var running: Int { count - completed }

    /// The fill of this name, or nil when it is gone.
    subscript(_ id: FillID) -> Fill? {
        guard id.slot >= 0, Int(id.slot) < fills.limit else { return nil }
        let fill = fills[id.slot]
        return fill.isFree || fill.generation != id.generation ? nil : fill
    }

    func newest(of key: [UInt8], hash: UInt64) -> FillID? {
        newest.find(hash) { fills[$0].key == key }.map { FillID(slot: $0, generation: fills[$0].generation) }
    }

    mutating func begin(
        _ key: [UInt8], hash: UInt64, horizon: Horizon, taint: Taint?, shows: Instant, now: Instant
    ) -> FillID {
        if let older = newest(of: key, hash: hash) { newest.remove(hash, older.slot) }
        let generation = nextGeneration
        nextGeneration &+= 1
        let slot = fills.insert(
            Fill(
                key: key, hash: hash, startedAt: now, shows: shows, horizon: horizon,
                phase: taint.map(Phase.tainted) ?? .running,
                generation: generation, isFree: false))
        newest.insert(hash, slot)
        return FillID(slot: slot, generation: generation)
    }

    mutating func setEntry(_ entry: Int32, indexBytes: Int, of id: FillID) {
        fills[id.slot].entry = entry
        fills[id.slot].indexBytes = indexBytes
    }

    mutating func awaitKeys(of id: FillID, under dependencies: Dependencies, leaving: LeavingRows) {
        fills[id.slot].awaitsKeysOf = dependencies
        fills[id.slot].leaving = leaving
    }

    /// Notes a row that left while the query runs. False when it must be judged at once.
    mutating func noteLeaving(_ change: RowChange, while id: FillID) -> Bool {
        guard let fill = self[id], case .running = fill.phase, let dependencies = fill.awaitsKeysOf,
            let row = LeavingRow(of: change, under: dependencies)
        else { return false }
        return fills[id.slot].leaving.note(row)
    }

    mutating func setTerms(_ terms: Terms, of id: FillID) {
        fills[id.slot].terms = terms
    }

    mutating func addWaiter(_ waiter: UInt64, to id: FillID, limit: Int) -> Bool {
        guard let fill = self[id], !fill.isCompleted, fill.waiters.count < limit else { return false }
        fills[id.slot].waiters.append(waiter)
        return true
    }

    mutating func removeWaiter(_ waiter: UInt64, from id: FillID) {
        guard self[id] != nil else { return }
        fills[id.slot].waiters.removeAll { $0 == waiter }
    }

    /// Marks a running fill, or removes a finished one. Nothing happens to one that is tainted already.
    mutating func taint(_ id: FillID, _ taint: Taint) {
        guard let fill = self[id] else { return }
        switch fill.phase {
        case .running:
            fills[id.slot].phase = .tainted(taint)
            fills[id.slot].entry = -1
        case .tainted: break
        case .awaitingProbe, .awaitingWatermark: remove(id)
        }
    }

    /// Moves a running fill on; its waiters are the caller's now.
    mutating func complete(_ id: FillID, with result: Result, now: Instant) {
        guard let fill = self[id], !fill.isCompleted else { return }
        fills[id.slot].phase = .awaitingProbe(result, completedAt: now)
        fills[id.slot].waiters = []
        fills[id.slot].awaitsKeysOf = nil
        fills[id.slot].leaving = LeavingRows()
        fills[id.slot].terms.entry.fillTook = now.elapsed(since: fill.startedAt)
        awaitingProbe.append(id)
        completed += 1
        completedBytes += result.bytes
    }

    mutating func remove(_ id: FillID) {
        guard let fill = self[id] else { return }
        if fill.isCompleted {
            completed -= 1
            completedBytes -= fill.resultBytes
        }
        newest.remove(fill.hash, id.slot)
        fills.remove(id.slot, leaving: Fill())
    }

    /// Gives each fill that had completed when the probe began the position that the watermark must reach (F).
    mutating func probeCompleted(_ probe: Probe, now: Instant) {
        while let id = awaitingProbe.first {
            if let fill = self[id], case .awaitingProbe(let result, let completedAt) = fill.phase {
                guard completedAt <= probe.startedAt else { return }
                fills[id.slot].phase = .awaitingWatermark(result, until: probe.insertLSN)
                awaitingWatermark.append(Awaited(lsn: probe.insertLSN, since: now, id: id))
            }
            awaitingProbe.removeFirst()
        }
    }

    /// The next fill that may be served; it stays in the book.
    ///
    /// - Parameter invisibleFrom: No transaction that ended before is invisible to readers of the primary; nil when none
    ///   is.
    mutating func nextServable(at watermark: LSN, invisibleFrom: LSN?) -> FillID? {
        while let first = awaitingVisibility.first, self[first.id] == nil || first.lsn < invisibleFrom ?? LSN(.max) {
            awaitingVisibility.removeFirst()
            if self[first.id] != nil { return first.id }
        }
        while let first = awaitingWatermark.first, self[first.id] == nil || first.lsn <= watermark {
            awaitingWatermark.removeFirst()
            guard let fill = self[first.id] else { continue }
            if case .standby = fill.horizon, let invisibleFrom, first.lsn >= invisibleFrom {
                awaitingVisibility.append(first)
            } else {
                return first.id
            }
        }
        return nil
    }

    /// Whether some fill needs a probe begun from now on.
    var wantsProbe: Bool { !awaitingProbe.isEmpty || !awaitingVisibility.isEmpty }

    /// Results of standbys that wait to become visible at the primary, and some that have been dropped meanwhile.
    var invisible: Int { awaitingVisibility.count }

    /// Since when the oldest of the fills that wait for the watermark does.
    var waitingForWatermarkSince: Instant? { awaitingWatermark.first?.since }

    var all: [FillID] {
        (0..<Int32(fills.limit)).compactMap { slot in
            fills[slot].isFree ? nil : FillID(slot: slot, generation: fills[slot].generation)
        }
    }
}

extension FillBook.Fill {
    var isCompleted: Bool {
        switch phase {
        case .running, .tainted: false
        case .awaitingProbe, .awaitingWatermark: true
        }
    }

    var isTainted: Bool {
        if case .tainted = phase { true } else { false }
    }

    var result: FillBook.Result? {
        switch phase {
        case .running, .tainted: nil
        case .awaitingProbe(let result, _), .awaitingWatermark(let result, _): result
        }
    }

    var shape: ShapeHandle { terms.shape }

    var resultBytes: Int { result?.bytes ?? 0 }
}
