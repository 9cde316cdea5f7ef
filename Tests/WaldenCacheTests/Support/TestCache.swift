import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// A payload that says what it is.
final class Answer: Sendable, CustomStringConvertible {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    var description: String { text }
}

/// A cache with a clock and a log of its own, so that a test reads like a transcript. Each event takes 10 ns.
final class TestCache {
    let cache: ResultCache
    private(set) var now = Instant(nanoseconds: 1000)
    private var lsn: UInt64 = 1000
    private(set) var generation: UInt64 = 0
    private var visible = "100:100:"
    let relation = TestRelation(["id", "a"], key: ["id"])

    init(_ configuration: CacheConfiguration = CacheConfiguration(maxStaleness: .microseconds(1))) {
        cache = ResultCache(configuration: configuration)
    }

    var statistics: CacheStatistics { cache.statistics }
    var position: LSN { LSN(lsn) }

    @discardableResult
    func tick(_ nanoseconds: Int = 10) -> Instant {
        now = now + .nanoseconds(nanoseconds)
        return now
    }

    // MARK: Stream and probes

    /// A stream, and a catalog read since.
    func start(_ visible: String = "100:100:", ceiling: UInt64 = 50) {
        self.visible = visible
        cache.streamStarted(
            at: position, probe: Probe(startedAt: tick(), snapshot: snapshot(visible), insertLSN: position),
            ceiling: TransactionID(ceiling), now: tick())
        readCatalog(visible)
    }

    @discardableResult
    func readCatalog(_ visible: String, keepsEntries: Bool = false) -> Bool {
        generation += 1
        return cache.catalogChanged(
            generation: generation, readUnder: snapshot(visible), keepsEntries: keepsEntries)
    }

    /// The snapshot stays what it was unless given; `ahead` is how far the log is ahead of the stream.
    @discardableResult
    func probe(_ visible: String? = nil, ahead: UInt64 = 0) -> ProbeVerdict {
        let visible = visible ?? self.visible
        self.visible = visible
        let start = tick()
        return cache.probeCompleted(
            Probe(startedAt: start, snapshot: snapshot(visible), insertLSN: LSN(lsn + ahead)), now: tick())
    }

    @discardableResult
    func apply(
        _ xid: UInt32, _ changes: [RowChange] = [], wholeRelations: [UInt32] = [], message: String? = nil
    ) -> InvalidationReport {
        lsn += 100
        return cache.apply(
            CommittedTransaction(
                xid: xid, commitLSN: LSN(lsn - 10), endLSN: LSN(lsn), commitTime: 0, changes: changes,
                wholeRelations: wholeRelations.map { RelationID($0) },
                messages: message.map { [LogicalMessage(prefix: "walden", content: Array($0.utf8))] } ?? [],
                changeCount: changes.count), now: tick())
    }

    func keepalive(ahead: UInt64 = 0) {
        lsn += ahead
        cache.advanceWatermark(to: position, now: tick())
    }

    // MARK: Requests

    func begin(
        _ key: String, _ dependencies: Dependencies, generation: UInt64? = nil, notOlderThan: Instant = .distantPast,
        joinsPrimary: Bool = true
    ) -> FillDecision {
        cache.beginFill(
            key: Array(key.utf8), dependencies: dependencies, generation: generation ?? self.generation,
            now: tick(), notOlderThan: notOlderThan, joinsPrimary: joinsPrimary)
    }

    /// Begins a fill that must be allowed.
    func fill(_ key: String, _ dependencies: Dependencies) -> FillID? {
        if case .fill(let id) = begin(key, dependencies) { id } else { nil }
    }

    @discardableResult
    func complete(_ id: FillID?, _ text: String, bytes: Int = 10, keys: ResultKeys? = nil) -> FillCompletion? {
        id.map { cache.completeFill($0, payload: Answer(text), payloadBytes: bytes, keys: keys, now: tick()) }
    }

    /// A whole fill up to being servable.
    func keep(
        _ key: String, _ dependencies: Dependencies, _ text: String, bytes: Int = 10, keys: ResultKeys? = nil
    ) {
        complete(fill(key, dependencies), text, bytes: bytes, keys: keys)
        probe()
    }

    /// What a lookup gives, in a word: the payload, or why there is none.
    func lookup(_ key: String, notOlderThan: Instant = .distantPast) -> String {
        let bytes = Array(key.utf8)
        switch cache.lookup(bytes.span.bytes, now: now, notOlderThan: notOlderThan) {
        case .hit(let payload): return (payload as? Answer)?.text ?? "?"
        case .miss: return "miss"
        case .stale: return "stale"
        case .suspended(let reason): return reason.label
        }
    }
}
