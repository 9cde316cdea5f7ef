import WaldenCore

/// Whether results of one shape are worth being kept: a running account of what keeping them has cost and saved.
///
/// Saving of a fill = hits per fill × (execution time + relaying). Cost of a fill = capture and index, its share of a
/// probe, its end. The account is a window that is halved whenever it is judged, so that old times fade.
///
/// A new shape is admitted. It is judged once `evidence` says enough, and declined when it saves less than half of what
/// it costs. A declined shape is tried again by sampling: one miss of `stride`, or one after `interval` if that comes
/// first; both double while trials fail. It is admitted again when trials save what they cost. A shape that was
/// readmitted and failed again starts with the longer stride.
///
/// Results that live say little yet, so they count for a small part of one that has ended: a shape whose results stay
/// valid, and are merely not asked for yet while the cache warms, is judged late and mildly.
struct Benefit: Hashable, Sendable {
    enum Standing: Hashable, Sendable {
        case admitted
        case declined
    }

    private static let shortest = (stride: 16, interval: Duration.seconds(1))
    private static let longest = (stride: 256, interval: Duration.seconds(600))
    /// A result that has not ended counts for one in so many that have.
    private static let livingPerEnded = 64.0
    /// How much must be known before a shape is judged: results ended, or begun.
    private static let evidence = (admitted: (ended: 16.0, begun: 4_096.0), trial: (ended: 4.0, begun: 16.0))
    /// Saving by cost below which a shape is declined, and from which it is admitted again.
    private static let threshold = (decline: 0.5, readmit: 1.0)

    private(set) var standing = Standing.admitted
    /// Within the window.
    private(set) var begun = 0.0
    private(set) var ended = 0.0
    private(set) var hits = 0.0
    /// Means, of late: nanoseconds at the server, bytes of a result.
    private(set) var execution = 0.0
    private(set) var bytes = 0.0
    private var samples = 0
    private var stride = Self.shortest.stride
    private var interval = Self.shortest.interval
    private var missesUntilTrial = 0
    private var trialAt = Instant.distantPast

    /// Whether the miss at `now` is to fill the cache.
    mutating func admitsMiss(now: Instant, costs: AdmissionCosts, probeShare: Double) -> Bool {
        judge(now: now, costs: costs, probeShare: probeShare)
        guard standing == .declined else { return true }
        missesUntilTrial -= 1
        guard missesUntilTrial <= 0 || now >= trialAt else { return false }
        missesUntilTrial = stride
        trialAt = now + interval
        return true
    }

    mutating func noteHits(_ count: UInt64) {
        hits += Double(count)
    }

    mutating func noteBegun() {
        begun += 1
    }

    mutating func noteCompleted(execution time: Duration, bytes size: Int) {
        var time = Double(max(0, time.wholeNanoseconds))
        // One statement that waited for a lock says little about the others.
        if samples >= 4 { time = min(time, 8 * execution) }
        samples = min(samples + 1, 8)
        execution += (time - execution) / Double(samples)
        bytes += (Double(size) - bytes) / Double(samples)
    }

    /// A result was dropped, or a fill came to nothing.
    mutating func noteEnded() {
        ended += 1
    }

    /// Expected saving by expected cost of one fill.
    func ratio(costs: AdmissionCosts, probeShare: Double) -> Double {
        let hitsPerFill = hits / max(ended, begun / Self.livingPerEnded, 1)
        let cost = costs.fill + costs.perByte * bytes + probeShare + costs.ending
        return hitsPerFill * (execution + costs.relay) / cost
    }

    private mutating func judge(now: Instant, costs: AdmissionCosts, probeShare: Double) {
        let ratio = ratio(costs: costs, probeShare: probeShare)
        switch standing {
        case .admitted:
            guard ended >= Self.evidence.admitted.ended || begun >= Self.evidence.admitted.begun else { return }
            if ratio < Self.threshold.decline {
                standing = .declined
                missesUntilTrial = stride
                trialAt = now + interval
                startWindow()
            } else {
                (stride, interval) = Self.shortest
                halveWindow()
            }
        case .declined:
            if begun > 0, ratio >= Self.threshold.readmit {
                standing = .admitted
                lengthenTrials()
                startWindow()
            } else if ended >= Self.evidence.trial.ended || begun >= Self.evidence.trial.begun {
                lengthenTrials()
                startWindow()
            }
        }
    }

    private mutating func lengthenTrials() {
        stride = min(stride * 2, Self.longest.stride)
        interval = min(interval * 2, Self.longest.interval)
    }

    private mutating func startWindow() {
        (begun, ended, hits) = (0, 0, 0)
    }

    private mutating func halveWindow() {
        (begun, ended, hits) = (begun / 2, ended / 2, hits / 2)
    }
}
