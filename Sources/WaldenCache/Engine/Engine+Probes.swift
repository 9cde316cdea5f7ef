import WaldenCore

extension Engine {
    mutating func probeCompleted(_ probe: Probe, now: Instant, shards: borrowing ShardSet) -> ProbeVerdict {
        let verdict = ledger.probeCompleted(probe, now: now)
        switch verdict {
        case .late: break
        case .regressed:
            probeRegressed(shards: shards)
        case .accepted:
            counters.probes += 1
            shapes.probeCompleted()
            let horizon = Horizon.primary(probe.snapshot)
            recent.prune(coveredBy: horizon)
            standbys.probeCompleted(probe)
            changedSinceProbe = false
            fills.probeCompleted(probe, now: now)
            promote(shards: shards)
        }
        return verdict
    }

    mutating func demand(now: Instant) -> ProbeDemand {
        guard let newest = ledger.newestProbe else {
            return ProbeDemand(probe: false, keepalive: false, nudge: false, catalog: catalog.isUp)
        }
        let isEager = fills.wantsProbe || changedSinceProbe || newest.startedAt < freshnessWanted
        // Without it the gate would close on an idle database, too.
        let isAging = newest.startedAt + configuration.maxStaleness / 4 <= now
        let quiet = ledger.lastMessage + configuration.maxSilence / 4 <= now
        let waiting = waitingSince(newest)
        var nudge = false
        if let waiting, waiting + configuration.nudgeAfter <= now, lastNudge + configuration.nudgeAfter <= now {
            nudge = true
            lastNudge = now
        }
        return ProbeDemand(
            probe: isEager || isAging, keepalive: quiet || waiting != nil || ledger.behindSince != nil, nudge: nudge,
            catalog: catalog.isUp)
    }

    /// Since when a fill or a session has been waiting for the watermark, or the gate is about to close for want of it.
    private func waitingSince(_ newest: Probe) -> Instant? {
        if let since = fills.waitingForWatermarkSince { return since }
        guard let behind = ledger.behindSince else { return nil }
        if ledger.freshAsOf < freshnessWanted, newest.startedAt >= freshnessWanted { return behind }
        let isClosing = ledger.freshAsOf + configuration.maxStaleness / 2 <= newest.startedAt
        return isClosing ? behind : nil
    }
}
