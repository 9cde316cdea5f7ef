import DequeModule
import WaldenCore

/// How far the cache has come and how fresh that is: probes, the watermark W, and what follows from both.
///
/// A probe begun at t says: whatever was visible at t ended at or before `insertLSN`. Once W has reached that position
/// all of it is applied, so hits are at least as fresh as t. `freshAsOf` is the latest such t.
struct FreshnessLedger: Sendable {
    private static let maxOutstanding = 256

    private(set) var newestProbe: Probe?
    /// When its answer was there.
    private var newestEndedAt = Instant.distantPast
    private(set) var watermark = LSN.zero
    private(set) var freshAsOf = Instant.distantPast
    private(set) var lastMessage = Instant.distantPast
    /// Probes ahead of the watermark, oldest first.
    private var outstanding: Deque<Probe> = []

    mutating func streamStarted(at consistentPoint: LSN, probe: Probe, now: Instant) {
        self = FreshnessLedger()
        watermark = consistentPoint
        lastMessage = now
        newestProbe = probe
        newestEndedAt = now
        outstanding = [probe]
        settle()
    }

    mutating func streamLost() {
        self = FreshnessLedger()
    }

    mutating func probeCompleted(_ probe: Probe, now: Instant) -> ProbeVerdict {
        guard let newest = newestProbe else { return .late }
        guard probe.startedAt >= newest.startedAt else { return .late }
        guard probe.insertLSN >= newest.insertLSN, probe.snapshot.xmin >= newest.snapshot.xmin,
            probe.snapshot.xmax >= newest.snapshot.xmax
        else {
            // Of two that overlap, on two connections, either may have been evaluated first.
            return probe.startedAt >= newestEndedAt ? .regressed : .late
        }
        newestProbe = probe
        newestEndedAt = now
        // When the watermark stands still the newest probe takes the place of the one before it: the oldest are those
        // that the watermark reaches first.
        if outstanding.count >= Self.maxOutstanding { outstanding.removeLast() }
        outstanding.append(probe)
        settle()
        return .accepted
    }

    /// Every transaction that ended at or before `lsn` has been applied.
    mutating func watermarkReached(_ lsn: LSN, now: Instant) {
        watermark = max(watermark, lsn)
        lastMessage = max(lastMessage, now)
        settle()
    }

    /// Since when the watermark has been behind the oldest probe that it has not reached.
    var behindSince: Instant? { outstanding.first?.startedAt }

    /// Until when hits may be served, if nothing more is heard. `distantPast`: not at all.
    func servingUntil(maxStaleness: Duration, maxSilence: Duration) -> Instant {
        guard freshAsOf > .distantPast else { return .distantPast }
        return min(freshAsOf + maxStaleness, lastMessage + maxSilence)
    }

    private mutating func settle() {
        while let probe = outstanding.first, probe.insertLSN <= watermark {
            freshAsOf = max(freshAsOf, probe.startedAt)
            outstanding.removeFirst()
        }
    }
}
