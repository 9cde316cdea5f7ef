import WaldenCore
import WaldenDependency

extension Engine {
    mutating func beginFill(
        key: [UInt8], hash: UInt64, dependencies: Dependencies, generation: UInt64, now: Instant,
        notOlderThan: Instant, joinsPrimary: Bool, on server: FillServer, policy: StatementPolicy?,
        level: ConsistencyLevel?, isAudit: Bool, shards: borrowing ShardSet
    ) -> FillDecision {
        let shape = account(of: policy, isAudit: isAudit)
        dropExpired(key, hash: hash, policy, now: now, shards: shards)
        let newest = fills.newest(of: key, hash: hash)
        if let newest, isJoinable(newest, now: now, notOlderThan: notOlderThan, joinsPrimary: joinsPrimary) {
            return .join(newest)
        }
        if let refusal = refusal(of: key, hash: hash, newest: newest, generation: generation, shards: shards),
            !isAudit || refusal != .alreadyServable
        {
            counters.fillsRefused[refusal] += 1
            return .refused(refusal)
        }
        let horizon: Horizon
        switch server {
        case .primary:
            guard let probe = ledger.newestProbe else {
                counters.fillsRefused[.noHorizon] += 1
                return .refused(.noHorizon)
            }
            horizon = .primary(probe.snapshot)
        case .standby(let replayed, _):
            guard standbys.admits(replayed), fills.invisible < configuration.maxPendingFills else {
                counters.fillsRefused[.standbyTooOld] += 1
                return .refused(.standbyTooOld)
            }
            horizon = .standby(replayed)
        }
        if let refusal = refusal(by: shape, policy, isAudit: isAudit, now: now) {
            counters.fillsRefused[refusal] += 1
            return .refused(refusal)
        }
        var leaving = LeavingRows()
        let taint = taint(of: dependencies, under: horizon, leaving: &leaving)
        let id = fills.begin(key, hash: hash, horizon: horizon, taint: taint, shows: server.shows(now), now: now)
        fills.setTerms(terms(of: shape, policy, level: level, isAudit: isAudit, now: now), of: id)
        if !isAudit { shapes.fillBegun(shape) }
        counters.fillsBegun += 1
        if let taint {
            // Not kept, but begun all the same, so that identical requests wait for it and spare the server.
            counters.fillsTainted[taint] += 1
            shapes.fillFailed(shape, tainted: true)
            changedSinceProbe = true
        } else {
            let entry = entries.insert(Entry(place: .fill(id), shape: shape))
            let receipt = index.insert(entry, dependencies)
            entries[entry].firstPosting = receipt.first
            fills.setEntry(entry, indexBytes: receipt.bytes, of: id)
            if dependencies.resultKeys != nil { fills.awaitKeys(of: id, under: dependencies, leaving: leaving) }
        }
        return .fill(id)
    }

    private func isJoinable(_ id: FillID, now: Instant, notOlderThan: Instant, joinsPrimary: Bool) -> Bool {
        guard suspension == nil, let fill = fills[id], !fill.isCompleted else { return false }
        if case .primary = fill.horizon, !joinsPrimary { return false }
        return fill.shows >= notOlderThan && now.elapsed(since: fill.startedAt) <= configuration.maxStaleness
    }

    /// Whether the fill may not see what has been applied already.
    private func taint(
        of dependencies: Dependencies, under horizon: Horizon, leaving: inout LeavingRows
    ) -> Taint? {
        switch horizon {
        case .primary: recent.taint(of: dependencies, under: horizon, leaving: &leaving)
        case .standby: standbys.taint(of: dependencies, under: horizon, leaving: &leaving)
        }
    }

    private func refusal(
        of key: [UInt8], hash: UInt64, newest: FillID?, generation: UInt64, shards: borrowing ShardSet
    ) -> FillRefusal? {
        if suspension != nil { return .suspended }
        if !catalog.admits(generation) { return .catalogChanged }
        // A tainted one will not be kept; a new one may.
        if let newest, let fill = fills[newest], !fill.isTainted { return .identicalUnderWay }
        if fills.count >= configuration.maxPendingFills { return .tooManyFills }
        let isThere = shards.withShard(shards.number(of: hash)) { $0.contains(key, hash: hash) }
        return isThere ? .alreadyServable : nil
    }

    mutating func addWaiter(_ waiter: UInt64, to id: FillID) -> Bool {
        let added = fills.addWaiter(waiter, to: id, limit: configuration.maxWaitersPerFill)
        if added { counters.fillsJoined += 1 }
        return added
    }

    mutating func completeFill(
        _ id: FillID, payload: Payload, payloadBytes: Int, keys: ResultKeys?, now: Instant
    ) -> FillCompletion {
        guard let fill = fills[id], !fill.isCompleted else {
            return FillCompletion(outcome: .gone, waiters: [], wantsProbe: false)
        }
        counters.fillsCompleted += 1
        shapes.fillCompleted(fill.shape, execution: now.elapsed(since: fill.startedAt), bytes: payloadBytes)
        func end(_ outcome: FillCompletion.Outcome) -> FillCompletion {
            FillCompletion(outcome: outcome, waiters: fill.waiters, wantsProbe: changedSinceProbe)
        }
        if case .tainted(let taint) = fill.phase {
            fills.remove(id)
            return end(.tainted(taint))
        }
        if payloadBytes > fill.terms.maxBytes {
            counters.fillsTooLarge += 1
            discard(id, fill)
            return end(.tooLarge)
        }
        if fills.completedBytes + payloadBytes > max(configuration.maxBytes / 8, configuration.maxResultBytes) {
            counters.fillsTainted[.crowdedOut] += 1
            discard(id, fill)
            return end(.tainted(.crowdedOut))
        }
        if let taint = fileKeys(keys, id, fill) {
            counters.fillsTainted[taint] += 1
            changedSinceProbe = true
            discard(id, fill)
            return end(.tainted(taint))
        }
        fills.complete(id, with: FillBook.Result(payload: payload, bytes: payloadBytes), now: now)
        return FillCompletion(outcome: .pendingVisibility, waiters: fill.waiters, wantsProbe: true)
    }

    /// Files the entry anew, now that it is known which rows the result was made of, and judges the rows that left
    /// meanwhile. The taint when the result may hold one of them: it may have been read before that row left.
    private mutating func fileKeys(_ keys: ResultKeys?, _ id: FillID, _ fill: FillBook.Fill) -> Taint? {
        guard let dependencies = fill.awaitsKeysOf, fill.entry >= 0 else { return nil }
        guard let keys = FiledKeys(keys, of: dependencies) else { return fill.leaving.isEmpty ? nil : .unknownOldRow }
        if keys.hold(anyOf: fill.leaving) { return .row }
        index.remove(entries[fill.entry].firstPosting)
        let receipt = index.insert(fill.entry, dependencies, keys: keys)
        entries[fill.entry].firstPosting = receipt.first
        fills.setEntry(fill.entry, indexBytes: receipt.bytes, of: id)
        return nil
    }

    mutating func abandonFill(_ id: FillID, reason: FillAbandonment) -> [UInt64] {
        guard let fill = fills[id], !fill.isCompleted else { return [] }
        counters.fillsAbandoned[reason] += 1
        discard(id, fill)
        return fill.waiters
    }

    private mutating func discard(_ id: FillID, _ fill: FillBook.Fill) {
        if !fill.isTainted { shapes.fillFailed(fill.shape, tainted: false) }
        if fill.entry >= 0 { removeFromIndex(fill.entry) }
        fills.remove(id)
    }

    /// Makes servable what the watermark has reached.
    mutating func promote(shards: borrowing ShardSet) {
        while let id = fills.nextServable(at: ledger.watermark, invisibleFrom: recent.earliestEnd) {
            guard let fill = fills[id], let result = fill.result else { continue }
            fills.remove(id)
            promote(fill, result, shards: shards)
        }
    }

    private mutating func promote(_ fill: FillBook.Fill, _ result: FillBook.Result, shards: borrowing ShardSet) {
        let number = shards.number(of: fill.hash)
        let bytes = fill.key.count + result.bytes + Self.bytesPerEntry + fill.indexBytes
        var evicted: [Int32] = []
        let insertion = shards.withShard(number) { table in
            table.insert(
                fill.key, hash: fill.hash, payload: result.payload, bytes: bytes, entry: fill.entry,
                terms: fill.terms.entry
            ) { evicted.append($0) }
        }
        for entry in evicted {
            shapes.dropped(entries[entry].shape, .eviction)
            removeFromIndex(entry)
        }
        counters.invalidations[.eviction] += evicted.count
        switch insertion {
        case .inserted(let cell):
            entries[fill.entry].place = .shard(cell: cell, number: Int16(number))
            counters.fillsKept += 1
            shapes.fillKept(fill.shape)
        case .duplicate(let kept):
            noteAudit(fill, result, kept: kept)
            removeFromIndex(fill.entry)
        }
    }
}

extension FillServer {
    /// What was visible at the primary at this instant, a query shows that begins at `now`.
    fileprivate func shows(_ now: Instant) -> Instant {
        switch self {
        case .primary: now
        case .standby(_, let covering): covering
        }
    }
}
