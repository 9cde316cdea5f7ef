import Synchronization
public import WaldenCore
public import WaldenDependency

/// The result cache: results by key, each served only as long as it is what the query would return in the database
/// state at the watermark.
///
/// Three kinds of threads call it. Connections look up (`lookup`: one shard's lock, nothing else) and fill; the
/// stream's thread applies committed transactions; the prober's thread reports probes. What they do to one another is
/// decided in `Engine`, under one lock. Lock order: engine, then shard. Nothing calls out under a lock.
public final class ResultCache: Sendable {
    private let configuration: CacheConfiguration
    private let gate = ServingGate()
    private let bell = FreshnessBell()
    private let audits = AuditBudget()
    let shards: ShardSet
    let engine: Mutex<Engine>

    public init(configuration: CacheConfiguration) {
        self.configuration = configuration
        shards = ShardSet(count: configuration.shardCount, maxBytes: configuration.maxBytes)
        engine = Mutex(Engine(configuration: configuration))
    }

    /// Runs an event and lets hits see its outcome before the lock is given up.
    func event<Result: Sendable>(_ body: (inout Engine, borrowing ShardSet) -> Result) -> Result {
        let (result, garbage) = engine.withLock { engine in
            let result = body(&engine, shards)
            engine.publish(to: gate)
            let garbage = engine.garbage
            engine.garbage = []
            return (result, garbage)
        }
        // Released here, not under the lock.
        _ = consume garbage
        // While nothing is served, there is nothing to wait for.
        if bell.isAwaited { bell.ring(gate.read()?.freshAsOf ?? .distantFuture) }
        return result
    }
}

// MARK: Hits

extension ResultCache {
    /// Looks a key up. Any thread; allocates nothing.
    ///
    /// - Parameters:
    ///   - now: When the request was read.
    ///   - needs: How fresh the hit must be.
    public func lookup(_ key: borrowing RawSpan, now: Instant, needs: FreshnessNeeds) -> Lookup {
        let reading = gate.read()
        return key.withUnsafeBytes { bytes in
            let hash = bytes.keyHash
            let number = shards.number(of: hash)
            guard let reading else {
                shards.withShard(number) { $0.counters.suspended += 1 }
                return .suspended(gate.reason ?? .streamNotStarted)
            }
            return shards.withShard(number) {
                $0.lookup(bytes, hash: hash, gate: reading, now: now, needs: needs)
            }
        }
    }

    /// The state that a hit has shown which was found before this is read is that at this position, or at one before.
    public var shownPosition: LSN { gate.shownPosition }

    /// - Parameter notOlderThan: The hit must show all that was visible at this instant; `distantPast` when any state
    ///   within `maxStaleness` will do.
    public func lookup(_ key: borrowing RawSpan, now: Instant, notOlderThan: Instant) -> Lookup {
        lookup(key, now: now, needs: FreshnessNeeds(notOlderThan: notOlderThan))
    }

    /// Has `wake` called once hits show all that was visible at `instant`, or nothing is served any more; from any
    /// thread, at most once. Nil, and no call, when it is so already: look up again.
    public func awaitFreshness(_ instant: Instant, wake: @escaping @Sendable () -> Void) -> UInt64? {
        let waiter = bell.add(instant, wake)
        if let reading = gate.read(), reading.freshAsOf < instant { return waiter }
        return bell.remove(waiter) ? nil : waiter
    }

    /// Gives a wait up. It may have been woken at the same moment.
    public func stopAwaiting(_ waiter: UInt64) {
        bell.remove(waiter)
    }
}

// MARK: Outages

extension ResultCache {
    /// Whether anything may be served in an outage.
    public var servesOutages: Bool { configuration.outageStaleness > .zero }

    /// Looks a key up that `lookup` has just not served because nobody vouches for freshness. Only while the primary is
    /// being replaced, and only for who is told the age. Any thread.
    ///
    /// The hit is the result that the query had in the database state at the watermark when the stream was last heard; it
    /// shows what `needs` asks for, and that state is not older than `outageStaleness`.
    public func lookupInOutage(_ key: borrowing RawSpan, now: Instant, needs: FreshnessNeeds) -> OutageHit? {
        guard let asOf = gate.outageAsOf, now < asOf + configuration.outageStaleness else { return nil }
        let payload: Payload? = key.withUnsafeBytes { bytes in
            let hash = bytes.keyHash
            return shards.withShard(shards.number(of: hash)) {
                $0.lookupInOutage(bytes, hash: hash, asOf: asOf, now: now, needs: needs)
            }
        }
        return payload.map { OutageHit(payload: $0, age: now.elapsed(since: asOf)) }
    }

    /// The primary, the old one or another, is used from now on: what was kept for the outage goes.
    public func outageEnded() {
        event { $0.outageEnded(shards: $1) }
    }
}

// MARK: Fills

extension ResultCache {
    /// Asks what to do about a miss. Call before the message that makes the query's snapshot is sent: Query, or Bind.
    ///
    /// - Parameters:
    ///   - generation: Of the catalog under which the dependencies were found, as last given to `catalogChanged`; 0
    ///     before the first.
    ///   - notOlderThan: What the result must show at least; a fill that shows less is not joined.
    ///   - joinsPrimary: Whether a fill of the primary may be joined. It shows what the primary's readers saw when it began,
    ///     which may be less than a replica has shown to the session.
    ///   - server: Where the query is about to run.
    ///   - isAudit: There was a hit, which is not served: the result is to be compared with what is kept.
    ///   - policy: How the statement is to be treated; nil: kept whatever that is worth.
    ///   - level: The level that the statement itself names, for whoever hits the entry.
    public func beginFill(
        key: [UInt8], dependencies: Dependencies, generation: UInt64, now: Instant, notOlderThan: Instant,
        joinsPrimary: Bool = true, on server: FillServer = .primary, policy: StatementPolicy? = nil,
        level: ConsistencyLevel? = nil, isAudit: Bool = false
    ) -> FillDecision {
        let hash = key.keyHash
        return engine.withLock { engine in
            engine.beginFill(
                key: key, hash: hash, dependencies: dependencies, generation: generation, now: now,
                notOlderThan: notOlderThan, joinsPrimary: joinsPrimary, on: server, policy: policy, level: level,
                isAudit: isAudit, shards: shards)
        }
    }

    /// Joins a fill that `beginFill` named. False when it has ended meanwhile or has too many waiters: go on alone.
    public func addWaiter(_ waiter: UInt64, to id: FillID) -> Bool {
        engine.withLock { $0.addWaiter(waiter, to: id) }
    }

    public func removeWaiter(_ waiter: UInt64, from id: FillID) {
        engine.withLock { $0.fills.removeWaiter(waiter, from: id) }
    }

    /// Whether a hit may be audited now, as far as the server's time goes. If so, `auditEnded` must be called.
    public func beginsAudit(now: Instant) -> Bool { audits.begins(now: now) }

    /// The statement that an audit sent to the server was answered, or will not be.
    public func auditEnded(began: Instant, now: Instant) { audits.ended(began: began, now: now) }

    /// The whole reply has been read, without error.
    ///
    /// - Parameters:
    ///   - payloadBytes: What the payload holds in memory.
    ///   - keys: What the reply shows by `Dependencies.resultKeys`; nil when it has none or could not be read.
    public func completeFill(
        _ id: FillID, payload: Payload, payloadBytes: Int, keys: ResultKeys? = nil, now: Instant
    ) -> FillCompletion {
        engine.withLock {
            $0.completeFill(id, payload: payload, payloadBytes: payloadBytes, keys: keys, now: now)
        }
    }

    /// The reply will not be kept. Returns the waiters, to be sent on their own way.
    public func abandonFill(_ id: FillID, reason: FillAbandonment) -> [UInt64] {
        engine.withLock { $0.abandonFill(id, reason: reason) }
    }
}

// MARK: Stream

extension ResultCache {
    /// A new slot streams from `consistentPoint` on. Empties the cache: whatever came before is unknown.
    ///
    /// - Parameters:
    ///   - probe: Begun after the slot was made.
    ///   - ceiling: An identifier assigned after the slot was made (`pg_current_xact_id()`). Together with the probe it
    ///     tells which transactions the stream may never mention (`StartWindow`).
    public func streamStarted(at consistentPoint: LSN, probe: Probe, ceiling: TransactionID, now: Instant) {
        event { engine, shards in
            // Positions of another history count for nothing from here on.
            gate.restart(at: consistentPoint)
            engine.streamStarted(at: consistentPoint, probe: probe, ceiling: ceiling, now: now, shards: shards)
        }
    }

    /// The stream has ended. Suspends the cache and empties it, but for what `lookupInOutage` may find.
    public func streamLost(reason: String, now: Instant) {
        gate.suspend(.streamLost)
        event { $0.streamLost(detail: reason, now: now, shards: $1) }
    }

    /// Applies the next committed transaction; on return the watermark is at its end.
    public func apply(_ transaction: CommittedTransaction, now: Instant) -> InvalidationReport {
        event { engine, shards in
            gate.advance(to: transaction.endLSN)
            return engine.apply(transaction, now: now, shards: shards)
        }
    }

    /// The stream has delivered every transaction that ended at or before `lsn` (a keepalive).
    public func advanceWatermark(to lsn: LSN, now: Instant) {
        event { engine, shards in
            gate.advance(to: lsn)
            engine.watermarkReached(lsn, now: now, shards: shards)
        }
    }
}

// MARK: Probes

extension ResultCache {
    @discardableResult
    public func probeCompleted(_ probe: Probe, now: Instant) -> ProbeVerdict {
        event { $0.probeCompleted(probe, now: now, shards: $1) }
    }

    /// What the prober should do now.
    public func demand(now: Instant) -> ProbeDemand {
        engine.withLock { $0.demand(now: now) }
    }

    /// A session wrote before `since` and waits for the cache to be at least as fresh.
    public func sessionNeedsFreshness(since: Instant) {
        engine.withLock { $0.freshnessWanted = max($0.freshnessWanted, since) }
    }
}

// MARK: Standbys

extension ResultCache {
    /// How far the slowest of the standbys has replayed on which fills may run; nil when none may. To be told whenever
    /// the standbys were looked at: what all of them have replayed is forgotten, what one lacks is remembered for it.
    public func standbysReplayed(_ slowest: LSN?) {
        engine.withLock { $0.standbys.replayed(slowest, watermark: $0.ledger.watermark) }
    }
}

// MARK: Control

extension ResultCache {
    /// Serves nothing and begins no fill until `resume`; the stream is applied all the same, so nothing is lost.
    public func suspend() {
        event { engine, _ in _ = engine.suspensions.insert(.operatorRequest) }
    }

    public func resume() {
        event { engine, _ in _ = engine.suspensions.remove(.operatorRequest) }
    }

    /// Empties the cache; running fills will not be kept. Returns how many results were dropped.
    @discardableResult
    public func flush() -> Int {
        event { $0.dropEverything(.flush, .flush, shards: $1) }
    }

    /// Drops what reads one of the relations; running fills that do will not be kept. Returns how many results were
    /// dropped.
    @discardableResult
    public func flush(readersOf relations: Set<RelationID>) -> Int {
        event { $0.flush(readersOf: relations, shards: $1) }
    }

    /// The catalog has been read: statements are analysed under `generation` from now on. Wanted after each stream start
    /// and each change of the catalog (`ProbeDemand.catalog`); no fill begins before.
    ///
    /// - Parameters:
    ///   - snapshot: Taken before the catalog was read; it tells which changes the reading contains.
    ///   - keepsEntries: Nothing but what the stream tells of has changed since the last reading. Each entry was then
    ///     analysed under a catalog that lacks only changes of which the stream has told, without touching the entry, or
    ///     is still to tell, and then drops it if they do. Otherwise the cache is emptied.
    /// - Returns: False when a change is known that the reading may not contain. Read again; until then no fill begins.
    @discardableResult
    public func catalogChanged(
        generation: UInt64, readUnder snapshot: Snapshot, keepsEntries: Bool = false
    ) -> Bool {
        event { engine, shards in
            // What the stream was still to tell of the catalog, nobody will.
            if !keepsEntries || engine.frozenAsOf != nil {
                _ = engine.dropEverything(.catalogChanged, .catalogChanged, shards: shards)
            }
            engine.standbys.catalogRead(under: snapshot)
            return engine.catalog.catalogRead(generation: generation, under: snapshot)
        }
    }

    /// A probe with this snapshot found that roles, their settings or Walden's event triggers have changed, of which the
    /// stream tells nothing. To be called before the probe is handed in: results that such a change concerns are then
    /// served no longer than those that a row's change concerns. Empties the cache; no fill begins before the catalog
    /// has been read anew.
    public func unloggedChangeSeen(under snapshot: Snapshot) {
        event { engine, shards in
            _ = engine.dropEverything(.catalogChanged, .catalogChanged, shards: shards)
            engine.catalog.unloggedChangeSeen(under: snapshot)
        }
    }

    /// Whether more than half of `maxBytes` is in use: time to trade CPU for room.
    public var isUnderPressure: Bool {
        var bytes = 0
        for number in 0..<shards.count { shards.withShard(number) { bytes += $0.bytes } }
        return bytes > configuration.maxBytes / 2
    }

    public var statistics: CacheStatistics {
        var statistics = engine.withLock { engine in
            var statistics = engine.statistics
            engine.shapes.addUp(into: &statistics)
            return statistics
        }
        statistics.auditsPostponed = audits.postponed
        for number in 0..<shards.count {
            shards.withShard(number) { table in
                statistics.hits += table.counters.hits
                statistics.misses += table.counters.misses
                statistics.stale += table.counters.stale
                statistics.suspendedLookups += table.counters.suspended
                statistics.outageHits += table.counters.inOutage
                statistics.entries += table.count
                statistics.bytes += table.bytes
            }
        }
        return statistics
    }
}

extension Engine {
    var statistics: CacheStatistics {
        var statistics = counters
        statistics.runningFills = fills.running
        statistics.completedFills = fills.completed
        statistics.recentTransactions = recent.count
        statistics.recentChanges = recent.changes
        statistics.watermark = ledger.watermark
        statistics.probedLSN = ledger.newestProbe?.insertLSN ?? .zero
        statistics.freshAsOf = ledger.freshAsOf
        statistics.lastStreamMessage = ledger.lastMessage
        statistics.frozenAsOf = frozenAsOf
        statistics.suspension = suspension
        statistics.suspensionDetail = suspensionDetail
        statistics.catalogIsStale = catalog.isUp
        return statistics
    }
}
