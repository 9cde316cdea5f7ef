import WaldenCore
import WaldenDependency

extension Engine {
    mutating func streamStarted(
        at consistentPoint: LSN, probe: Probe, ceiling: TransactionID, now: Instant, shards: borrowing ShardSet
    ) {
        // What was committed between the old stream and this one is unknown.
        _ = dropEverything(.gap, .gap, shards: shards)
        recent.removeAll()
        standbys.streamStarted(at: consistentPoint)
        ledger.streamStarted(at: consistentPoint, probe: probe, now: now)
        catalog.streamStarted(StartWindow(ceiling: ceiling))
        changedSinceProbe = false
        suspensions.subtract([.streamNotStarted, .streamLost, .probeRegressed])
        if suspensions.isEmpty { suspensionDetail = "" }
        counters.streamStarts += 1
    }

    /// The stream has ended, or has failed to begin.
    mutating func streamLost(detail: String, now: Instant, shards: borrowing ShardSet) {
        if !freeze(now: now) { _ = dropEverything(.gap, .gap, shards: shards) }
        streamLost(.streamLost, detail: detail)
    }

    /// The server has lost a part of its log, or is another one.
    mutating func probeRegressed(shards: borrowing ShardSet) {
        _ = dropEverything(.gap, .gap, shards: shards)
        streamLost(.probeRegressed, detail: "a probe went back behind an earlier one")
    }

    private mutating func streamLost(_ reason: Suspension, detail: String) {
        suspensions.insert(reason)
        suspensionDetail = detail
        recent.removeAll()
        ledger.streamLost()
        counters.streamLosses += 1
    }

    /// Applies one transaction. The caller publishes afterwards: until then hits show the state before it, entry by
    /// entry, and from then on the state after it.
    mutating func apply(
        _ transaction: CommittedTransaction, now: Instant, shards: borrowing ShardSet
    ) -> InvalidationReport {
        guard let probe = ledger.newestProbe else {
            return InvalidationReport(
                transaction: nil, dropped: Tally(), tainted: 0, catalogChanged: false, wantsProbe: false)
        }
        // Live identifiers lie within 2³¹ of one another, so the newest probe tells the epoch.
        let xid = TransactionID(short: transaction.xid, near: probe.snapshot.xmax)
        counters.transactions += 1
        counters.rowChanges += transaction.changeCount
        let messages = WaldenMessages(in: transaction)
        counters.heartbeats += messages.heartbeats
        let changesCatalog = messages.schema != .none
        catalog.transactionDelivered(xid, changesCatalog: changesCatalog)
        remember(transaction, xid: xid, probe: probe)
        var strike = Strike(xid: xid, endLSN: transaction.endLSN)
        if messages.schema == .everything {
            strike.tainted += fills.running
            strike.dropped[.catalogChanged] += dropEverything(.catalogChanged, .catalogChanged, shards: shards)
        } else {
            if case .relations(let relations) = messages.schema {
                strikeReaders(of: relations, &strike, shards: shards)
            }
            strikeEntries(of: transaction, &strike, shards: shards)
            counters.invalidations.add(strike.dropped)
        }
        if strike.dropped.total + strike.tainted > 0 { changedSinceProbe = true }
        ledger.watermarkReached(transaction.endLSN, now: now)
        promote(shards: shards)
        return InvalidationReport(
            transaction: xid, dropped: strike.dropped, tainted: strike.tainted,
            catalogChanged: changesCatalog, wantsProbe: changedSinceProbe || fills.wantsProbe)
    }

    mutating func watermarkReached(_ lsn: LSN, now: Instant, shards: borrowing ShardSet) {
        guard ledger.newestProbe != nil else { return }
        ledger.watermarkReached(lsn, now: now)
        promote(shards: shards)
    }

    /// Puts the transaction on the lists of those that fills from now on may not see.
    private mutating func remember(_ transaction: CommittedTransaction, xid: TransactionID, probe: Probe) {
        guard !transaction.changes.isEmpty || !transaction.wholeRelations.isEmpty else { return }
        standbys.add(transaction, xid: xid)
        if !probe.snapshot.covers(xid) { recent.add(transaction, xid: xid) }
    }

    /// One transaction on its way through the entries.
    private struct Strike {
        let xid: TransactionID
        let endLSN: LSN
        var dropped = Tally<InvalidationCause>()
        var tainted = 0
        /// No horizon covers a change of the catalog: the fill may have been analysed under the catalog before it.
        var isOfCatalog = false
        /// What strikes now, for the log.
        var relation = RelationID(0)
        var change: RowChange?
        var recorded = 0
    }

    /// Drops what reads one of `relations`, whose definition has changed.
    ///
    /// What stays is filed rightly under the new catalog, too. Its analysis is a function of the catalog rows that it
    /// looked at: those of the relations it depends on (with their families, views and the tables of their policies,
    /// each of them a dependency), and of types, functions, operators and schemas, which a confined change leaves
    /// alone. Names lead where they led before, because a change that makes, renames or moves a relation is not
    /// confined.
    private mutating func strikeReaders(
        of relations: Set<RelationID>, _ strike: inout Strike, shards: borrowing ShardSet
    ) {
        strike.isOfCatalog = true
        strike.change = nil
        for relation in relations {
            strike.relation = relation
            matches.removeAll(keepingCapacity: true)
            index.matchAll(of: relation, into: &matches)
            for match in matches { drop(match.entry, .catalogChanged, .catalogChanged, &strike, shards: shards) }
        }
        strike.isOfCatalog = false
    }

    private mutating func strikeEntries(
        of transaction: CommittedTransaction, _ strike: inout Strike, shards: borrowing ShardSet
    ) {
        for relation in transaction.wholeRelations {
            matches.removeAll(keepingCapacity: true)
            index.matchAll(of: relation, into: &matches)
            strike.relation = relation
            for match in matches {
                drop(match.entry, .wholeRelation, .wholeRelation, &strike, shards: shards)
            }
        }
        for change in transaction.changes {
            matches.removeAll(keepingCapacity: true)
            index.match(change, images: &images, into: &matches)
            if matches.isEmpty { continue }
            strike.relation = change.relation.id
            strike.change = change
            for match in matches {
                if match.isOld, isLeftForLater(match.entry, change) { continue }
                drop(
                    match.entry, match.isCertain ? .row : .unknownOldRow, match.isCertain ? .row : .unknownOldRow,
                    &strike, shards: shards)
            }
        }
    }

    /// Whether an old row is judged only when the entry's query has completed and its keys are known. (If the horizon
    /// covers the transaction, noting it is needless, not wrong.)
    private mutating func isLeftForLater(_ entry: Int32, _ change: RowChange) -> Bool {
        guard case .fill(let id) = entries[entry].place else { return false }
        return fills.noteLeaving(change, while: id)
    }

    private mutating func drop(
        _ entry: Int32, _ cause: InvalidationCause, _ taint: Taint, _ strike: inout Strike,
        shards: borrowing ShardSet
    ) {
        switch entries[entry].place {
        case .free: return
        case .fill(let id):
            guard let fill = fills[id],
                strike.isOfCatalog || !fill.horizon.covers(strike.xid, endLSN: strike.endLSN)
            else { return }
            if fill.isCompleted {
                strike.dropped[cause] += 1
                shapes.dropped(fill.shape, cause)
                record(entry, cause, &strike)
            } else {
                strike.tainted += 1
            }
            taintFill(id, taint)
        case .shard(let cell, let number):
            shards.withShard(Int(number)) { $0.remove(cell) }
            strike.dropped[cause] += 1
            shapes.dropped(entries[entry].shape, cause)
            record(entry, cause, &strike)
        }
        removeFromIndex(entry)
    }
}

extension Engine {
    /// Notes why an entry goes, as long as it is in the index.
    private mutating func record(_ entry: Int32, _ cause: InvalidationCause, _ strike: inout Strike) {
        guard strike.recorded < InvalidationLog.perTransaction, let shape = shapes[entries[entry].shape]?.shape else {
            return
        }
        strike.recorded += 1
        let filing = index.filing(from: entries[entry].firstPosting, on: strike.relation)
        let kind: InvalidationRecord.Change =
            switch strike.change?.kind {
            case .insert: .insert
            case .update: .update
            case .delete: .delete
            case nil: .wholeRelation
            }
        log.add(
            InvalidationRecord(
                shape: shape.id, lsn: strike.endLSN, transaction: strike.xid, relation: strike.relation, change: kind,
                cause: cause, equalities: filing.equalities, range: filing.range,
                key: configuration.recordsValues ? strike.change?.shownKey ?? [] : []))
    }
}

extension Engine {
    /// Drops what reads one of the relations and marks the fills that do. Returns how many results that were.
    mutating func flush(readersOf relations: Set<RelationID>, shards: borrowing ShardSet) -> Int {
        var dropped = 0
        for relation in relations {
            matches.removeAll(keepingCapacity: true)
            index.matchAll(of: relation, into: &matches)
            for match in matches where flush(match.entry, shards: shards) { dropped += 1 }
        }
        counters.invalidations[.flush] += dropped
        return dropped
    }

    /// Whether there was a result.
    private mutating func flush(_ entry: Int32, shards: borrowing ShardSet) -> Bool {
        var wasResult = true
        switch entries[entry].place {
        case .free: return false
        case .fill(let id):
            wasResult = fills[id]?.isCompleted ?? false
            taintFill(id, .flush)
        case .shard(let cell, let number): shards.withShard(Int(number)) { $0.remove(cell) }
        }
        if wasResult { shapes.dropped(entries[entry].shape, .flush) }
        removeFromIndex(entry)
        return wasResult
    }
}

/// What Walden's own messages in a transaction say.
private struct WaldenMessages {
    var heartbeats = 0
    var schema = SchemaChange.none

    init(in transaction: CommittedTransaction) {
        for message in transaction.messages where message.prefix == "walden" {
            if message.content.starts(with: "ddl".utf8) {
                schema.add(message.content)
            } else if message.content.starts(with: "heartbeat".utf8) {
                heartbeats += 1
            }
        }
    }
}
