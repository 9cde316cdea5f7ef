import WaldenCore

/// What was servable when the stream was lost, for the time in which nobody tells of changes because another node takes
/// the role of primary.
///
///     live ──stream lost──► frozen ──flush, catalog read, outage or time over, stream started──► empty ──► live
///
/// Frozen entries stay where they are, in the room that they had, and show the state at the watermark at which the stream
/// ended. No way leads back to live: only `streamStarted` lifts the suspension, and it empties the cache first. While
/// the suspension stands, no fill begins, and those that were under way have been dropped, so nothing joins them. The
/// index stays, so that a flush of some relations finds its entries.
extension Engine {
    /// What is found in an outage shows all that was visible at this instant; nil: nothing may be found. While the stream
    /// lives, but is silent, that is what it vouched for last.
    var outageAsOf: Instant? {
        if suspensions.isEmpty { return ledger.freshAsOf }
        return suspensions.count == 1 && suspensions.contains(.streamLost) ? frozenAsOf : nil
    }

    /// The stream is lost; perhaps it was before. False: nothing is worth keeping, or not any more.
    mutating func freeze(now: Instant) -> Bool {
        let asOf = frozenAsOf ?? ledger.freshAsOf
        guard asOf > .distantPast, now < asOf + configuration.outageStaleness else { return false }
        frozenAsOf = asOf
        counters.invalidations[.gap] += fills.completed
        for id in fills.all {
            let entry = fills[id]?.entry ?? -1
            taintFill(id, .gap)
            if entry >= 0 { removeFromIndex(entry) }
        }
        return true
    }

    mutating func outageEnded(shards: borrowing ShardSet) {
        if frozenAsOf != nil { _ = dropEverything(.gap, .gap, shards: shards) }
    }
}
