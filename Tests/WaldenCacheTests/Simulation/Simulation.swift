import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// A result as the simulation keeps it.
final class SimulatedResult: Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}

/// How often things happen in a run, in shares.
struct SimulationProfile {
    var identity = ReplicaIdentity.default
    /// Whether results that show their rows' keys are filed by them.
    var resultKeys = true
    var write = 4
    var commit = 14
    var becomeVisible = 14
    /// Now and then a synchronous standby hangs for a while: what is committed does not become visible.
    var hangs = false
    var abort = 1
    var flush = 14
    var deliver = 20
    var keepalive = 12
    var probe = 40
    var fill = 80
    var loseStream = 1
    /// Standbys replay what is flushed, each at its own pace, whether or not the primary's readers see it; most fills
    /// run there.
    var standbys = 0
    var replay = 12
    /// How often somebody looks how far they are.
    var sample = 12
    /// Percent of commits that do not wait for their flush.
    var asynchronous = 30
    /// Percent of writes that change the catalog, or truncate.
    var drastic = 4
    var maxRecentChanges = 64
    var maxBytes = 1 << 20
    /// How old what is shown may be while the stream is lost; zero: nothing is.
    var outageStaleness = Duration.zero
}

/// The cache beside a simulated primary, in random interleavings: writers, a lagging stream, probes and fills in their
/// single steps. Every hit is compared with what its query returns in the state at the watermark.
struct Simulation {
    private enum ProbePhase {
        case idle
        case started(Instant)
        case sampled(Instant, Snapshot)
        case answered(Probe)
    }

    private enum StreamPhase {
        case down
        case slotMade(LSN)
        case identifierTaken(LSN, Int)
        case probing(LSN, ceiling: UInt64, startedAt: Instant)
        /// The position in commit order that is delivered next.
        case up(next: Int)
    }

    private struct Standby {
        var replayed = LSN.zero
        var sampled = LSN.zero
    }

    private struct Fill {
        let id: FillID
        let query: SimulatedQuery
        /// The standby that it runs on; nil: the primary.
        let standby: Int?
        var result: String?
        var keys: ResultKeys?
    }

    private struct Analysis {
        let query: SimulatedQuery
        let dependencies: Dependencies
        let generation: UInt64
    }

    let profile: SimulationProfile
    let cache: ResultCache
    private(set) var primary: SimulatedPrimary
    private var random: SplitMix64
    private(set) var now = Instant(nanoseconds: 1_000_000)
    private var isHanging = false
    /// Steps of the stream that are left out before the next one begins.
    private var streamStepsOff = 0
    private var probe = ProbePhase.idle
    private var stream = StreamPhase.down
    private var standbys: [Standby]
    private var fills: [Fill] = []
    private var analyses: [Analysis] = []
    private var catalogRead: Snapshot?
    private var knownViewGroup: Int64 = 0
    private var generation: UInt64 = 0
    private(set) var hits = 0
    private(set) var fillsOnStandbys = 0
    private(set) var audits = 0
    private(set) var outageHits = 0
    /// Where the watermark stood when the stream was last lost.
    private var lostAt = LSN.zero
    /// The state at a watermark never changes.
    private var checked: (watermark: LSN, state: SimulatedPrimary.State)?
    /// What went wrong, in words.
    private(set) var violations: [String] = []

    init(seed: UInt64, profile: SimulationProfile) {
        self.profile = profile
        random = SplitMix64(seed: seed)
        primary = SimulatedPrimary(identity: profile.identity)
        standbys = Array(repeating: Standby(), count: profile.standbys)
        cache = ResultCache(
            configuration: CacheConfiguration(
                maxBytes: profile.maxBytes, maxResultBytes: 64, maxStaleness: .microseconds(60),
                maxSilence: .microseconds(200), outageStaleness: profile.outageStaleness,
                maxRecentChanges: profile.maxRecentChanges))
    }

    mutating func step() {
        now = now + .nanoseconds(1 + random.below(400))
        let steps: [(Int, (inout Simulation) -> Void)] = [
            (profile.write, { $0.write() }), (profile.commit, { $0.commit() }),
            (profile.becomeVisible, { $0.becomeVisible() }), (profile.abort, { $0.abort() }),
            (profile.flush, { $0.primary.flush() }), (profile.deliver, { $0.streamStep() }),
            (profile.keepalive, { $0.keepalive() }), (profile.probe, { $0.probeStep() }),
            (profile.fill, { $0.fillStep() }), (profile.loseStream, { $0.loseStream() }),
            (4, { $0.catalogStep() }), (profile.standbys > 0 ? profile.replay : 0, { $0.replay() }),
            (profile.standbys > 0 ? profile.sample : 0, { $0.sampleStandbys() }),
        ]
        var choice = random.below(steps.reduce(0) { $0 + $1.0 })
        for (share, act) in steps {
            if choice < share {
                act(&self)
                break
            }
            choice -= share
        }
        check()
    }

    // MARK: Writers

    private mutating func write() {
        var open = primary.indices(at: .open)
        if open.count < 3 { open.append(primary.begin(isAsynchronous: random.chance(profile.asynchronous))) }
        if random.chance(10) { primary.skipIdentifier() }
        let id = Int64(random.below(6))
        let write: SimulatedPrimary.Write =
            if random.chance(profile.drastic) {
                random.chance(50) ? .truncate : .redefineView(Int64(random.below(3)))
            } else if random.chance(20) {
                .delete(id)
            } else {
                .set(id, .init(g: Int64(random.below(3)), v: Int64(random.below(10))))
            }
        primary.write(write, in: open[random.below(open.count)])
    }

    private mutating func commit() {
        if let index = primary.indices(at: .open).randomElement(using: &random) { primary.commit(index) }
    }

    private mutating func abort() {
        if let index = primary.indices(at: .open).randomElement(using: &random) { primary.abort(index) }
    }

    private mutating func becomeVisible() {
        if profile.hangs, random.chance(5) { isHanging.toggle() }
        let candidates = primary.indices(at: .committed).filter {
            primary.mayBecomeVisible($0) && (!isHanging || primary.transactions[$0].isAsynchronous)
        }
        if let index = candidates.randomElement(using: &random) { primary.becomeVisible(index, now: now) }
    }

    // MARK: Stream

    private mutating func loseStream() {
        guard case .up = stream else { return }
        // Sometimes nobody notices before the next stream starts.
        if random.chance(70) {
            lostAt = cache.statistics.watermark
            cache.streamLost(reason: "cut", now: now)
            // The next one is long in coming, or is not.
            if profile.outageStaleness > .zero { streamStepsOff = random.below(40) }
        }
        stream = .down
    }

    /// Makes a slot step by step, then delivers transactions one by one.
    private mutating func streamStep() {
        if streamStepsOff > 0 {
            streamStepsOff -= 1
            // Tries that fail tell of one more loss.
            if case .down = stream, random.chance(20) { cache.streamLost(reason: "refused", now: now) }
            return
        }
        switch stream {
        case .down: stream = .slotMade(primary.insertLSN)
        case .slotMade(let point): stream = .identifierTaken(point, primary.takeIdentifier())
        case .identifierTaken(let point, let index):
            if random.chance(70), primary.transactions[index].stage == .open { primary.abort(index) }
            stream = .probing(point, ceiling: primary.transactions[index].xid, startedAt: now)
        case .probing(let point, let ceiling, let startedAt):
            let probe = Probe(startedAt: startedAt, snapshot: primary.snapshot, insertLSN: primary.insertLSN)
            cache.streamStarted(at: point, probe: probe, ceiling: TransactionID(ceiling), now: now)
            let order = primary.commitOrder
            let next = order.firstIndex { primary.transactions[$0].commitLSN >= point } ?? order.count
            stream = .up(next: next)
            self.probe = .idle
        case .up(let next):
            guard let index = undelivered(next) else { return }
            _ = cache.apply(primary.streamed(index), now: now)
            stream = .up(next: next + 1)
        }
    }

    /// The next transaction that the walsender may send: only what is flushed.
    private func undelivered(_ next: Int) -> Int? {
        guard next < primary.commitOrder.count else { return nil }
        let index = primary.commitOrder[next]
        return primary.transactions[index].endLSN <= primary.flushedLSN ? index : nil
    }

    private mutating func keepalive() {
        guard case .up(let next) = stream else { return }
        let position = undelivered(next).map { primary.transactions[$0].commitLSN } ?? primary.flushedLSN
        cache.advanceWatermark(to: position, now: now)
    }

    // MARK: Standbys

    private mutating func replay() {
        let number = random.below(standbys.count)
        let ends = primary.commitOrder.map { primary.transactions[$0].endLSN }
        let next = ends.filter { $0 > standbys[number].replayed && $0 <= primary.flushedLSN }.prefix(3)
        if let position = next.randomElement(using: &random) { standbys[number].replayed = position }
    }

    private mutating func sampleStandbys() {
        // Sometimes one is given up, and sometimes it comes back.
        if random.chance(5) { return cache.standbysReplayed(nil) }
        for number in standbys.indices { standbys[number].sampled = standbys[number].replayed }
        cache.standbysReplayed(standbys.map(\.sampled).min())
    }

    // MARK: Prober and catalog reader

    private mutating func probeStep() {
        switch probe {
        case .idle: probe = .started(now)
        case .started(let start): probe = .sampled(start, primary.snapshot)
        case .sampled(let start, let snapshot):
            probe = .answered(Probe(startedAt: start, snapshot: snapshot, insertLSN: primary.insertLSN))
        case .answered(let answer):
            if cache.probeCompleted(answer, now: now) == .regressed { violations.append("a probe regressed") }
            probe = .idle
        }
    }

    private mutating func catalogStep() {
        if let snapshot = catalogRead {
            knownViewGroup = primary.visibleState.viewGroup
            generation += 1
            cache.catalogChanged(generation: generation, readUnder: snapshot, keepsEntries: random.chance(80))
            catalogRead = nil
        } else if cache.demand(now: now).catalog {
            catalogRead = primary.snapshot
        }
    }

    // MARK: Fills

    private mutating func fillStep() {
        if fills.count < 5, random.chance(40) {
            beginFill()
        } else if let index = fills.indices.randomElement(using: &random) {
            if fills[index].result == nil {
                let state =
                    fills[index].standby.map { primary.state(at: standbys[$0].replayed) } ?? primary.visibleState
                fills[index].result = fills[index].query.result(in: state)
                // Sometimes they cannot be read.
                if random.chance(90) { fills[index].keys = fills[index].query.keys(in: state) }
            } else {
                completeFill(fills.remove(at: index))
            }
        }
    }

    /// Statements are analysed a while before they run.
    private mutating func beginFill() {
        let query = SimulatedQuery.allCases[random.below(SimulatedQuery.allCases.count)]
        analyses.append(
            Analysis(
                query: query,
                dependencies: profile.resultKeys
                    ? query.keyedDependencies(viewGroup: knownViewGroup)
                    : query.dependencies(viewGroup: knownViewGroup), generation: generation))
        guard analyses.count > random.below(12) else { return }
        let analysis = analyses.remove(at: random.below(analyses.count))
        let standby = standbys.isEmpty || random.chance(25) ? nil : random.below(standbys.count)
        let decision = cache.beginFill(
            key: analysis.query.key, dependencies: analysis.dependencies, generation: analysis.generation,
            now: now, notOlderThan: .distantPast, on: server(of: standby), policy: analysis.query.policy,
            isAudit: standby == nil && random.chance(50))
        guard case .fill(let id) = decision else { return }
        fills.append(Fill(id: id, query: analysis.query, standby: standby))
        if standby != nil { fillsOnStandbys += 1 }
    }

    private func server(of standby: Int?) -> FillServer {
        standby.map { .standby(replayed: standbys[$0].sampled, covering: .distantPast) } ?? .primary
    }

    private mutating func completeFill(_ fill: Fill) {
        if random.chance(5) {
            _ = cache.abandonFill(fill.id, reason: .error)
        } else if let result = fill.result {
            _ = cache.completeFill(
                fill.id, payload: SimulatedResult(result), payloadBytes: min(60, result.utf8.count),
                keys: fill.keys, now: now)
        }
    }

    // MARK: The promise

    private mutating func check() {
        if profile.outageStaleness > .zero { checkOutage() }
        for audit in cache.takeAudits() {
            audits += 1
            guard let kept = audit.kept as? SimulatedResult, let read = audit.read as? SimulatedResult else { continue }
            if kept.text != read.text {
                violations.append("at \(audit.watermark) \(kept.text) was kept, and \(read.text) read anew")
            }
        }
        let watermark = cache.statistics.watermark
        for query in SimulatedQuery.allCases {
            let wanted = random.chance(50) ? .distantPast : now - .nanoseconds(random.below(20_000))
            guard
                case .hit(let payload) = cache.lookup(query.key.span.bytes, now: now, notOlderThan: wanted),
                let result = payload as? SimulatedResult
            else { continue }
            hits += 1
            if checked?.watermark != watermark { checked = (watermark, primary.state(at: watermark)) }
            let expected = checked.map { query.result(in: $0.state) } ?? ""
            if result.text != expected {
                violations.append("\(query) gave \(result.text), at \(watermark) it is \(expected)")
            }
            let visible = query.result(in: primary.visibleState(at: watermark))
            if result.text != visible {
                violations.append("\(query) gave \(result.text), of which readers of the primary see \(visible)")
            }
            let freshness = max(wanted, now - .microseconds(60))
            if primary.lastEnd(visibleAt: freshness) > watermark {
                violations.append("\(query) was served at \(watermark), too old")
            }
        }
    }

    /// Nobody vouches for these: each is what its query gave in the state at which the stream was lost, or, while it is
    /// silent, at the watermark; and shows what was asked for.
    private mutating func checkOutage() {
        let statistics = cache.statistics
        let watermark = statistics.suspension == nil ? statistics.watermark : lostAt
        let oldest = now - profile.outageStaleness
        for query in SimulatedQuery.allCases {
            let wanted = random.chance(50) ? .distantPast : now - .nanoseconds(random.below(400_000))
            let found = cache.lookupInOutage(
                query.key.span.bytes, now: now, needs: FreshnessNeeds(notOlderThan: wanted))
            guard let found, let result = found.payload as? SimulatedResult else { continue }
            outageHits += 1
            if checked?.watermark != watermark { checked = (watermark, primary.state(at: watermark)) }
            let expected = checked.map { query.result(in: $0.state) } ?? ""
            if result.text != expected {
                violations.append("in an outage \(query) gave \(result.text), at \(watermark) it is \(expected)")
            }
            let told = now - found.age
            if told < oldest || told < wanted || primary.lastEnd(visibleAt: told) > watermark {
                violations.append("in an outage \(query) was served at \(watermark), older than told or asked for")
            }
        }
    }

    // MARK: Quiescence

    /// Lets everything come to rest, then fills every query once: all must be served, and rightly.
    mutating func settle() -> Int {
        for index in primary.indices(at: .open) { primary.commit(index) }
        primary.flush()
        for index in primary.indices(at: .committed) { primary.becomeVisible(index, now: now) }
        for fill in fills { _ = cache.abandonFill(fill.id, reason: .connectionLost) }
        fills = []
        for _ in 0..<(200 + primary.commitOrder.count) {
            now = now + .nanoseconds(100)
            for index in primary.indices(at: .open) { primary.abort(index) }
            streamStep()
            probeStep()
            catalogStep()
            if case .up = stream { keepalive() }
        }
        analyses = []
        _ = cache.flush()
        for query in SimulatedQuery.allCases {
            let decision = cache.beginFill(
                key: query.key, dependencies: query.dependencies(viewGroup: knownViewGroup),
                generation: generation, now: now, notOlderThan: .distantPast)
            guard case .fill(let id) = decision else {
                violations.append("after quiescence \(query) was \(decision)")
                continue
            }
            let result = SimulatedResult(query.result(in: primary.visibleState))
            _ = cache.completeFill(id, payload: result, payloadBytes: 8, now: now)
        }
        for _ in 0..<8 {
            now = now + .nanoseconds(100)
            probeStep()
            keepalive()
        }
        let before = hits
        check()
        check()
        return hits - before
    }
}
