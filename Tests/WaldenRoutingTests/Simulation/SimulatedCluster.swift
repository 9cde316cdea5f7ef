import WaldenCore
import WaldenRouting

/// A primary and its standbys by the tick (a tenth of a millisecond): what is written, flushed, received, replayed and
/// visible when.
struct SimulatedCluster {
    struct Commit {
        let xid: UInt64
        let end: UInt64
        /// When readers of the primary see it; a standby may show it earlier.
        let visibleAt: Int
    }

    struct Standby {
        enum Replay {
            case streaming(delay: Int)
            case paused(until: Int)
            case applying(delay: Int)
        }

        var received: UInt64 = 0
        var replayed: UInt64 = 0
        var replay = Replay.streaming(delay: 3)
        /// Receives from this standby instead of from the primary.
        let upstream: Int?
        var startedAt = 0
        /// Down until then.
        var downUntil = 0
        /// Does not answer, though it works, until then.
        var frozenUntil = 0
    }

    private(set) var now = 0
    private(set) var commits: [Commit] = []
    private(set) var end: UInt64 = 100
    private var flushed: UInt64 = 100
    var standbys: [Standby]
    /// What was flushed, received … by each tick of the last while.
    private var received: [[UInt64]]
    /// Transactions that have begun and are yet to commit, some of them for long.
    private var running: [UInt64] = []
    private var nextXID: UInt64 = 1
    private var random: SimulationRandom

    init(random: SimulationRandom) {
        self.random = random
        // The last is a cascaded one.
        standbys = [nil, nil, 0].map { Standby(upstream: $0) }
        received = standbys.map { _ in [] }
    }

    /// What is certain to be visible at the primary to who begins now: the end of the last such commit.
    var visible: UInt64 { visible(at: now) }

    func visible(at moment: Int) -> UInt64 {
        commits.last { $0.visibleAt <= moment }?.end ?? 0
    }

    /// Writes; the position of the commit.
    mutating func write() -> Commit {
        end += random.next(40) + 8
        // Visible after its flush has been waited for, or at once when it is asynchronous; always in the order of commits.
        let isAsynchronous = random.next(4) == 0
        if !isAsynchronous { flushed = end }
        // Now and then its standbys take long to confirm it, and those behind it wait as well.
        let confirmed = random.next(60) == 0 ? Int(random.next(600)) : Int(random.next(8))
        let visibleAt = max(commits.last?.visibleAt ?? 0, now + (isAsynchronous ? 0 : confirmed))
        let commit = Commit(xid: takeXID(), end: end, visibleAt: visibleAt)
        commits.append(commit)
        return commit
    }

    /// Of a transaction that began just now, or long ago.
    private mutating func takeXID() -> UInt64 {
        if random.next(3) == 0, running.count < 20 { running.append(beginXID()) }
        if !running.isEmpty, random.next(4) == 0 { return running.remove(at: Int(random.next(UInt64(running.count)))) }
        return beginXID()
    }

    private mutating func beginXID() -> UInt64 {
        nextXID += 1
        return nextXID - 1
    }

    /// What a reader of the primary is shown.
    var snapshot: Snapshot {
        let hidden = commits.reversed().prefix { $0.visibleAt > now }.map(\.xid)
        let newest = newestXID(through: visible)
        let inProgress = (running + hidden).filter { $0 <= newest }.map(TransactionID.init)
        let xmax = TransactionID(newest + 1)
        return Snapshot(xmin: inProgress.min() ?? xmax, xmax: xmax, inProgress: inProgress)
    }

    /// What a standby shows that has replayed so far, asked of what `question` lists as running.
    func view(replayed: UInt64, askedAt: Instant, question: Snapshot?) -> StandbyView {
        let committed = (question?.inProgress ?? []).filter { xid in
            commits.contains { $0.xid == xid.rawValue && $0.end <= replayed }
        }
        return StandbyView(
            askedAt: askedAt, xmax: TransactionID(newestXID(through: replayed) + 1), question: question,
            committed: committed)
    }

    private func newestXID(through position: UInt64) -> UInt64 {
        commits.reduce(0) { $1.end <= position ? max($0, $1.xid) : $0 }
    }

    mutating func advance() {
        now += 1
        // The WAL writer.
        if now % 2_000 == 0 { flushed = end }
        for index in standbys.indices { advance(index) }
        for index in standbys.indices { disturb(index) }
    }

    private mutating func advance(_ index: Int) {
        let standby = standbys[index]
        guard now >= standby.downUntil else { return }
        let source = standby.upstream.map { standbys[$0].received } ?? flushed
        if random.next(3) == 0 { standbys[index].received = max(standby.received, source) }
        received[index].append(standbys[index].received)
        func receivedAgo(_ ticks: Int) -> UInt64 {
            let place = received[index].count - 1 - ticks
            return place >= 0 ? received[index][place] : 0
        }
        switch standby.replay {
        case .streaming(let delay), .applying(let delay):
            standbys[index].replayed = max(standby.replayed, receivedAgo(delay))
        case .paused(let until):
            if now >= until { standbys[index].replay = .streaming(delay: Int(random.next(10))) }
        }
    }

    private mutating func disturb(_ index: Int) {
        switch random.next(12_000) {
        case 0: standbys[index].replay = .paused(until: now + Int(random.next(8_000)))
        case 1: standbys[index].replay = .applying(delay: Int(random.next(5_000)))
        case 2: standbys[index].replay = .streaming(delay: Int(random.next(20)))
        case 3: standbys[index].frozenUntil = now + Int(random.next(6_000))
        case 4, 5: restart(index)
        default: break
        }
    }

    /// It crashes, and opens again before it has replayed all that it had.
    private mutating func restart(_ index: Int) {
        let opensAt = now + 20 + Int(random.next(500))
        standbys[index].downUntil = opensAt
        standbys[index].startedAt = opensAt
        standbys[index].replayed -= min(standbys[index].replayed, random.next(2_000))
        standbys[index].replay = .paused(until: opensAt + Int(random.next(2_000)))
        received[index] = []
    }
}

/// Small and seeded (a linear congruential generator; Knuth's constants for 64 bits).
struct SimulationRandom {
    private var state: UInt64

    init(seed: Int) {
        state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func next(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
}
