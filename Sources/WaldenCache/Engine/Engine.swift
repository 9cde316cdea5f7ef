import WaldenCore
import WaldenDependency

/// The exactness machine: fills, the stream and probes, in one order. `ResultCache` holds it behind one lock, which
/// hits never take.
///
/// The invariant that everything here serves: each transaction up to the watermark that affects a servable entry is
/// contained in what the entry's query read. Three rules keep it.
/// - A fill is in the index before it looks at the recent list, and a transaction is on the recent list before it is
///   applied; both under the one lock. So each pair of a fill and a transaction meets exactly once.
/// - A pair is harmless if the fill's horizon covers the transaction, or the transaction does not affect it.
/// - A result becomes servable only at a watermark that has passed everything its query can have read, and removals
///   precede the watermark's publication. So all hits show the state at the watermark. It follows that whatever the
///   stream brings after an entry became servable is not covered by its horizon: a servable entry needs none.
///
/// Split by event over `Engine+Fills`, `Engine+Stream`, `Engine+Probes` and `Engine+Outage`; this file holds the state and
/// what they share.
struct Engine {
    /// Where an entry of the index lives: in a fill, or in a shard.
    struct Entry {
        enum Place {
            case free
            case fill(FillID)
            case shard(cell: Int32, number: Int16)
        }

        var place = Place.free
        /// In the index; negative when the entry depends on nothing.
        var firstPosting: Int32 = -1
        var shape = ShapeHandle.none
    }

    struct Garbage: Sendable {
        let tables: [ShardTable]
        let index: PredicateIndex
    }

    /// Beside key and payload: the cells, places and nodes of the tables.
    static let bytesPerEntry = 192

    let configuration: CacheConfiguration
    var index = PredicateIndex()
    var images = ImagePair()
    var entries = SlotArena<Entry>()
    var fills = FillBook()
    var recent: RecentList
    var standbys: StandbyLog
    var ledger = FreshnessLedger()
    var catalog = CatalogFence()
    var shapes: ShapeLedger
    var log = InvalidationLog()
    /// To be taken by whoever compares.
    var audits: [Audit] = []
    var suspensions: Set<Suspension> = [.streamNotStarted]
    var suspensionDetail = ""
    /// See `Engine+Outage`.
    var frozenAsOf: Instant?
    /// A probe would help fills: something was dropped or tainted since the newest one.
    var changedSinceProbe = false
    /// The latest instant that some session wants the cache to be as fresh as.
    var freshnessWanted = Instant.distantPast
    var lastNudge = Instant.distantPast
    var counters = CacheStatistics()
    /// Reused by `apply`.
    var matches: [Match] = []
    /// What `dropEverything` left, taken by whoever holds the lock, to be released after it: a million entries take
    /// their time.
    var garbage: [Garbage] = []

    init(configuration: CacheConfiguration) {
        self.configuration = configuration
        shapes = ShapeLedger(limit: configuration.maxShapes)
        let bounds = RecentList.Bounds(changes: configuration.maxRecentChanges, bytes: configuration.maxRecentBytes)
        recent = RecentList(bounds: bounds)
        standbys = StandbyLog(bounds: bounds)
    }

    /// The first by rank; the others show once it is lifted.
    var suspension: Suspension? {
        suspensions.min { $0.rawValue < $1.rawValue }
    }

    /// Lets hits see what this event has brought. Call last.
    func publish(to gate: borrowing ServingGate) {
        if configuration.outageStaleness > .zero { gate.publish(outageAsOf: outageAsOf) }
        if let suspension { return gate.suspend(suspension) }
        gate.publish(
            freshAsOf: ledger.freshAsOf,
            servingUntil: ledger.servingUntil(
                maxStaleness: configuration.maxStaleness, maxSilence: configuration.maxSilence))
    }

    /// Drops every entry and marks every fill. Returns how many servable entries and finished fills there were.
    mutating func dropEverything(_ cause: InvalidationCause, _ taint: Taint, shards: borrowing ShardSet) -> Int {
        frozenAsOf = nil
        let tables = shards.removeAll()
        let dropped = tables.reduce(fills.completed) { $0 + $1.count }
        garbage.append(Garbage(tables: tables, index: index))
        for id in fills.all {
            taintFill(id, taint)
        }
        index = PredicateIndex()
        entries.removeAll()
        counters.invalidations[cause] += dropped
        return dropped
    }

    /// Marks the fill. The taint of a running one is counted once, whatever else comes over it.
    mutating func taintFill(_ id: FillID, _ taint: Taint) {
        if let fill = fills[id], case .running = fill.phase {
            counters.fillsTainted[taint] += 1
            if taint.isOfShape { shapes.fillFailed(fill.shape, tainted: true) }
        }
        fills.taint(id, taint)
    }

    /// Takes an entry out of the index and frees its slot.
    mutating func removeFromIndex(_ entry: Int32) {
        index.remove(entries[entry].firstPosting)
        entries.remove(entry, leaving: Entry())
    }
}
