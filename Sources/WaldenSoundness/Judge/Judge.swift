import WaldenCache
import WaldenCore
import WaldenDependency

/// What was concluded about one query and one transaction.
struct Ruling: Sendable {
    /// The entry was dropped from the cache that all queries share.
    let wasDropped: Bool
    /// The cause, when it was dropped.
    let cause: InvalidationCause?
    /// What the dependencies say when each change is asked for alone.
    let matches: Bool
    /// The transaction changed something of a relation on which the query depends.
    let touches: Bool
    /// Caches with one entry and with many disagree, or the cache dropped what no change matches.
    let contradiction: String?
}

/// The engine under test: results are filled into the real cache under their dependencies, and each transaction is
/// applied as the stream delivered it. An entry that is still served afterwards claims that its result has not changed.
///
/// Every query has an entry in the cache that all share and one in a cache of its own: they must agree, for neither
/// neighbours in the index nor the order of arrival may matter. The second also tells the cause for each query. The
/// clock is a count of events.
final class Judge {
    private struct Place {
        let key: [UInt8]
        let own: ResultCache
        var dependencies: Dependencies?
        var fills: (shared: FillID, own: FillID)?
        var isLive = false
    }

    private let shared: ResultCache
    private var places: [Place]
    private var now = Instant(nanoseconds: 1)
    private static let generation: UInt64 = 1

    init(places count: Int) {
        shared = Self.cache()
        places = (0..<count).map { Place(key: Array("query \($0)".utf8), own: Self.cache()) }
    }

    private static func cache() -> ResultCache {
        ResultCache(
            configuration: CacheConfiguration(
                maxBytes: 8 << 20, maxStaleness: .seconds(100_000), maxSilence: .seconds(100_000)))
    }

    private var all: [ResultCache] { [shared] + places.map(\.own) }

    private func tick() -> Instant {
        now = now + .nanoseconds(10)
        return now
    }

    // MARK: Time

    /// A stream that is at `position`, and a catalog read under `snapshot`, which sees all that went before.
    func start(at position: LSN, snapshot: Snapshot, ceiling: TransactionID) {
        let probe = Probe(startedAt: tick(), snapshot: snapshot, insertLSN: position)
        for cache in all {
            cache.streamStarted(at: position, probe: probe, ceiling: ceiling, now: now)
            cache.catalogChanged(generation: Self.generation, readUnder: snapshot)
        }
    }

    /// A look at the server at which all transactions were delivered: what was filled becomes servable.
    func settle(snapshot: Snapshot, insertLSN: LSN) {
        let probe = Probe(startedAt: tick(), snapshot: snapshot, insertLSN: insertLSN)
        let time = tick()
        for cache in all {
            cache.probeCompleted(probe, now: time)
            cache.advanceWatermark(to: insertLSN, now: time)
        }
    }

    // MARK: Fills

    /// Whether the place holds a servable entry.
    func isLive(_ place: Int) -> Bool { places[place].isLive }

    /// Before the query is sent. Whether its answer is wanted.
    func begin(_ place: Int, _ dependencies: Dependencies) -> Bool {
        let time = tick()
        func begin(_ cache: ResultCache) -> FillID? {
            let decision = cache.beginFill(
                key: places[place].key, dependencies: dependencies, generation: Self.generation, now: time,
                notOlderThan: .distantPast)
            if case .fill(let id) = decision { return id } else { return nil }
        }
        places[place].dependencies = dependencies
        guard let shared = begin(shared), let own = begin(places[place].own) else { return false }
        places[place].fills = (shared, own)
        return true
    }

    /// The answer to the query of a begun fill. `settle` makes it servable.
    func complete(_ place: Int, _ answer: Answer, isBinary: Bool = false) {
        guard let fills = places[place].fills else { return }
        let keys = places[place].dependencies?.resultKeys.flatMap { answer.keys(by: $0, isBinary: isBinary) }
        places[place].fills = nil
        let time = tick()
        if answer.failure != nil {
            _ = shared.abandonFill(fills.shared, reason: .error)
            _ = places[place].own.abandonFill(fills.own, reason: .error)
            return
        }
        _ = shared.completeFill(
            fills.shared, payload: answer, payloadBytes: answer.byteCount, keys: keys, now: time)
        _ = places[place].own.completeFill(
            fills.own, payload: answer, payloadBytes: answer.byteCount, keys: keys, now: time)
    }

    /// What the shared cache would answer; nil when it would ask the server.
    func served(_ place: Int) -> Answer? {
        Self.served(places[place].key, by: shared, now: now)
    }

    private static func served(_ key: [UInt8], by cache: ResultCache, now: Instant) -> Answer? {
        guard case .hit(let payload) = cache.lookup(key.span.bytes, now: now, notOlderThan: .distantPast) else {
            return nil
        }
        return payload as? Answer
    }

    /// Notes which entries are servable, after `settle`.
    func takeStock() {
        for index in places.indices { places[index].isLive = served(index) != nil }
    }

    // MARK: Transactions

    /// Applies the transaction. Rulings by place; nil where no servable entry was.
    func apply(_ transaction: CommittedTransaction) -> [Ruling?] {
        let time = tick()
        _ = shared.apply(transaction, now: time)
        return places.indices.map { index in
            let report = places[index].own.apply(transaction, now: time)
            guard places[index].isLive, let dependencies = places[index].dependencies else { return nil }
            let isServed = served(index) != nil
            let isServedAlone = Self.served(places[index].key, by: places[index].own, now: now) != nil
            let matches = Self.matches(dependencies, transaction)
            var contradiction: String?
            if isServed != isServedAlone {
                contradiction = "kept by the \(isServed ? "shared" : "own") cache alone"
            } else if !isServed, !matches, dependencies.resultKeys == nil {
                // Keys in a result stand for the predicate of old rows, and are not unique among a table's children.
                contradiction = "dropped, though no change matches its dependencies"
            }
            return Ruling(
                wasDropped: !isServed, cause: InvalidationCause.allCases.first { report.dropped[$0] > 0 },
                matches: matches, touches: Self.touches(dependencies, transaction), contradiction: contradiction)
        }
    }

    /// The plain reading of the dependencies: each change against each table.
    static func matches(_ dependencies: Dependencies, _ transaction: CommittedTransaction) -> Bool {
        dependencies.tables.contains { table in
            let strict = withoutSlack(table)
            return transaction.wholeRelations.contains(table.relation)
                || transaction.changes.contains { $0.relation.id == table.relation && strict.affects($0) }
        }
    }

    /// Where any column may matter, the matcher still spares an update that changed none, and the index does not look.
    /// A column that no image has makes both alike.
    private static func withoutSlack(_ table: TableDependency) -> TableDependency {
        guard table.columns == nil else { return table }
        return TableDependency(relation: table.relation, columns: [""], predicate: table.predicate)
    }

    private static func touches(_ dependencies: Dependencies, _ transaction: CommittedTransaction) -> Bool {
        let relations = Set(dependencies.tables.map(\.relation))
        return transaction.wholeRelations.contains { relations.contains($0) }
            || transaction.changes.contains { relations.contains($0.relation.id) }
    }
}
