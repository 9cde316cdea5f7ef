import WaldenCore
import WaldenDependency

extension Engine {
    mutating func streamStarted(
        at consistentPoint: LSN, probe: Probe, ceiling: TransactionID, now: Instant, shards: borrowing ShardSet
    ) {
        // What was committed between the old stream and this one is unknown.
        _ = dropEverything(.gap, .gap, shards: shards)
        recent.removeAll()
        ledger.streamStarted(at: consistentPoint, probe: probe, now: now)
        catalog.streamStarted(StartWindow(ceiling: ceiling))
        changedSinceProbe = false
        suspensions.subtract([.streamNotStarted, .streamLost, .probeRegressed])
        if suspensions.isEmpty { suspensionDetail = "" }
        counters.streamStarts += 1
    }

    mutating func streamLost(_ reason: Suspension, detail: String, shards: borrowing ShardSet) {
        suspensions.insert(reason)
        suspensionDetail = detail
        _ = dropEverything(.gap, .gap, shards: shards)
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
        catalog.transactionDelivered(xid, changesCatalog: messages.changeCatalog)
        remember(transaction, xid: xid, probe: probe)
        var strike = Strike(xid: xid, endLSN: transaction.endLSN)
        if messages.changeCatalog {
            strike.tainted += fills.running
            strike.dropped[.catalogChanged] += dropEverything(.catalogChanged, .catalogChanged, shards: shards)
        } else {
            strikeEntries(of: transaction, &strike, shards: shards)
            counters.invalidations.add(strike.dropped)
        }
        if strike.dropped.total + strike.tainted > 0 { changedSinceProbe = true }
        ledger.watermarkReached(transaction.endLSN, now: now)
        promote(shards: shards)
        return InvalidationReport(
            transaction: xid, dropped: strike.dropped, tainted: strike.tainted,
            catalogChanged: messages.changeCatalog, wantsProbe: changedSinceProbe || fills.wantsProbe)
    }

    mutating func watermarkReached(_ lsn: LSN, now: Instant, shards: borrowing ShardSet) {
        guard ledger.newestProbe != nil else { return }
        ledger.watermarkReached(lsn, now: now)
        promote(shards: shards)
    }

    /// Puts the transaction on the recent list, unless every fill from now on sees it anyway.
    private mutating func remember(_ transaction: CommittedTransaction, xid: TransactionID, probe: Probe) {
        guard !transaction.changes.isEmpty || !transaction.wholeRelations.isEmpty, !probe.snapshot.covers(xid) else {
            return
        }
        recent.add(transaction, xid: xid)
    }

    /// One transaction on its way through the entries.
    private struct Strike {
        let xid: TransactionID
        let endLSN: LSN
        var dropped = Tally<InvalidationCause>()
        var tainted = 0
    }

    private mutating func strikeEntries(
        of transaction: CommittedTransaction, _ strike: inout Strike, shards: borrowing ShardSet
    ) {
        for relation in transaction.wholeRelations {
            matches.removeAll(keepingCapacity: true)
            index.matchAll(of: relation, into: &matches)
            for match in matches {
                drop(match.entry, .wholeRelation, .wholeRelation, &strike, shards: shards)
            }
        }
        for change in transaction.changes {
            matches.removeAll(keepingCapacity: true)
            index.match(change, images: &images, into: &matches)
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
            guard let fill = fills[id], !fill.horizon.covers(strike.xid, endLSN: strike.endLSN) else { return }
            if fill.isCompleted { strike.dropped[cause] += 1 } else { strike.tainted += 1 }
            countTaint(taint, of: id)
            fills.taint(id, taint)
        case .shard(let cell, let number):
            shards.withShard(Int(number)) { $0.remove(cell) }
            strike.dropped[cause] += 1
        }
        removeFromIndex(entry)
    }
}

/// What Walden's own messages in a transaction say.
private struct WaldenMessages {
    var heartbeats = 0
    var changeCatalog = false

    init(in transaction: CommittedTransaction) {
        for message in transaction.messages where message.prefix == "walden" {
            if message.content.starts(with: "ddl".utf8) {
                changeCatalog = true
            } else if message.content.starts(with: "heartbeat".utf8) {
                heartbeats += 1
            }
        }
    }
}
