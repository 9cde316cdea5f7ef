import WaldenAdmin
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenPool
import WaldenPostgres
import WaldenProxy
import WaldenRouting

/// What the instance tells about itself.
extension Instance {
    func report() -> StatusReport {
        let now = MonotonicClock.now()
        let statistics = cache.statistics
        var report = StatusReport()
        report.version = Version.current
        report.uptimeSeconds = now.elapsed(since: startedAt).fractionalSeconds
        report.reasons = obstacles(statistics).map { CachingObstacle(source: $0.source.rawValue, reason: $0.reason) }
        report.caching = report.reasons.isEmpty
        report.reason = report.reasons.first?.reason
        report.proxy = proxyReport()
        report.cache = cacheReport(statistics, now)
        report.stream = streamReport(statistics, now)
        report.control.probes = proberCoupling.probes
        report.control.heartbeats = proberCoupling.heartbeats
        report.control.problem = proberCoupling.problem.map { "\($0)" }
        report.nodes = nodes.reports
        report.slots = nodes.slots
        report.routing = routingReport()
        report.failover = failover?.report()
        report.findings = report.reasons.filter { $0.source == "readiness" }.map(\.reason)
        if let warning = catalog.warning { report.findings.append(warning) }
        return report
    }

    /// Everything that keeps the cache off now, most fundamental first.
    func obstacles(_ statistics: CacheStatistics) -> [(source: CachingState.Source, reason: String)] {
        guard configuration.isCaching else { return [(.configuration, "cache.enabled is false")] }
        var result = caching.all
        if let problem = proberCoupling.problem { result.append((.control, "no control connection: \(problem)")) }
        if let suspension = statistics.suspension {
            let detail = statistics.suspensionDetail.isEmpty ? "" : ": \(statistics.suspensionDetail)"
            result.append((.stream, "\(suspension.label)\(detail)"))
        } else if statistics.freshAsOf == .distantPast {
            result.append((.stream, "the cache has not caught up with the primary yet"))
        }
        return result
    }

    private func poolReport() -> PoolReport {
        let now = MonotonicClock.now()
        let counts = proxy.poolCounts
        var report = PoolReport()
        report.links = ["serving": 0, "idle": 0, "preparing": 0, "login": 0]
        for pool in proxy.pools {
            report.links["serving", default: 0] += UInt64(pool.lent)
            report.links["idle", default: 0] += UInt64(pool.resting)
            report.links["preparing", default: 0] += UInt64(pool.preparing)
            report.links["login", default: 0] += UInt64(pool.opening)
            report.waiting += pool.waiting
            let wait = pool.oldestWait.map { now.elapsed(since: $0).fractionalSeconds } ?? 0
            report.longestWaitSeconds = max(report.longestWaitSeconds, wait)
        }
        report.opened = counts.opened
        report.closed = counts.closed
        report.loginFailures = counts.loginFailures
        return report
    }

    private func proxyReport() -> ProxyReport {
        let figures = proxy.figures
        var report = ProxyReport()
        report.clients = figures.clients
        report.accepted = figures.accepted
        report.closed = figures.closed
        report.authentications = figures.authentications
        report.authenticating = proxy.authenticating
        report.pool = poolReport()
        report.cancelRequests = figures.cancelRequests
        report.cancelRequestsForwarded = figures.cancelRequestsForwarded
        report.cancelsWithheld = figures.cancelsWithheld
        report.coalesced = figures.coalesced
        report.localAnswers = figures.localAnswers
        report.commitsInDoubt = figures.commitsInDoubt
        report.waits = ["served": figures.waitsServed, "in_vain": figures.waitsInVain].filter { $0.value > 0 }
        report.bytesFromClients = figures.bytesFromClients
        report.bytesFromServers = figures.bytesFromServers
        let clock = Int(WallClock.microseconds() / 1_000_000) + Int(WallClock.epochSeconds)
        report.certificates = proxy.certificateExpiries.sorted { $0.key < $1.key }.map { name, expiresAt in
            CertificateReport(shownTo: name, expiresAt: expiresAt, remainingSeconds: expiresAt - clock)
        }
        report.listening = (configuration.listen + configuration.readOnlyListen).map(\.description)
        report.primary = servers[routes.primary.index].endpoint.description
        report.primaryProblem = nodes.primaryProblem
        return report
    }

    private func routingReport() -> RoutingReport {
        let figures = routes.figures(MonotonicClock.now())
        var report = RoutingReport()
        report.isOn = configuration.isRouting
        report.replica = Self.labelled(figures.replica)
        report.primary = Self.labelled(figures.primary)
        report.refused = Self.labelled(figures.refused)
        for (rule, count) in figures.unproven { report.primary[rule.rawValue, default: 0] += count }
        report.waited = figures.waited
        report.settled = figures.settled
        report.unsettled = figures.unsettled
        report.waiting = figures.waiting
        return report
    }

    private static func labelled(_ counts: [RouteReason: UInt64]) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }

    private func cacheReport(_ statistics: CacheStatistics, _ now: Instant) -> CacheReport {
        var report = CacheReport()
        report.level = configuration.consistency
        report.maxStalenessSeconds = configuration.maxStaleness.fractionalSeconds
        report.hits = UInt64(statistics.hits)
        report.misses = UInt64(statistics.misses)
        report.stale = UInt64(statistics.stale)
        report.suspendedLookups = UInt64(statistics.suspendedLookups)
        report.outageHits = UInt64(clamping: statistics.outageHits)
        report.frozenSeconds = statistics.frozenAsOf.map { now.elapsed(since: $0).fractionalSeconds }
        report.bypasses = proxy.figures.bypasses
        report.invalidations = statistics.invalidations.labelled(\.label)
        report.fillsBegun = UInt64(statistics.fillsBegun)
        report.fillsKept = UInt64(statistics.fillsKept)
        report.fillsRefused = statistics.fillsRefused.labelled(\.label)
        report.fillsTainted = statistics.fillsTainted.labelled(\.label)
        report.fillsAbandoned = statistics.fillsAbandoned.labelled(\.label)
        report.entries = statistics.entries
        report.bytes = statistics.bytes
        report.maxBytes = configuration.cacheBytes
        report.pendingFills = statistics.runningFills + statistics.completedFills
        report.recentTransactions = statistics.recentTransactions
        report.recentChanges = statistics.recentChanges
        report.shapes = statistics.shapes
        report.declinedShapes = statistics.declinedShapes
        report.forgottenShapes = UInt64(clamping: statistics.forgottenShapes)
        report.savedSeconds = statistics.savedNanoseconds / 1e9
        report.quarantinedShapes = statistics.quarantinedShapes
        report.audits = UInt64(clamping: statistics.auditsAgreed + statistics.auditMismatches)
        report.auditMismatches = UInt64(clamping: statistics.auditMismatches)
        report.auditsGivenUp = UInt64(clamping: statistics.auditsGivenUp)
        report.auditsPostponed = UInt64(clamping: statistics.auditsPostponed)
        report.topShapes = cache.shapes(limit: 5).map(ShapeReport.init)
        return report
    }

    private func streamReport(_ statistics: CacheStatistics, _ now: Instant) -> StreamReport {
        let status = services.status
        var report = StreamReport()
        report.state = status.state.label
        report.position = "\(status.position)"
        report.watermark = "\(statistics.watermark)"
        report.lagBytes = max(statistics.probedLSN, status.serverPosition).bytes(since: statistics.watermark)
        if statistics.freshAsOf > .distantPast {
            report.lagSeconds = now.elapsed(since: statistics.freshAsOf).fractionalSeconds
        }
        report.transactions = status.transactions
        report.rowChanges = status.rowChanges
        report.messages = status.messages
        report.bytes = status.bytes
        report.starts = status.starts
        report.losses = streamCoupling.losses
        report.lastLoss = streamCoupling.lastLoss.map { "\($0.reason.rawValue): \($0.error)" }
        if let identity = status.identity {
            report.timeline = identity.timeline.rawValue
            report.systemIdentifier = identity.systemIdentifier
        }
        return report
    }
}

extension Tally {
    func labelled(_ name: (Label) -> String) -> [String: UInt64] {
        var result: [String: UInt64] = [:]
        for label in Label.allCases where self[label] > 0 { result[name(label)] = UInt64(self[label]) }
        return result
    }
}

extension StreamStatus.State {
    fileprivate var label: String {
        switch self {
        case .idle: "idle"
        case .connecting: "connecting"
        case .creatingSlot: "creating_slot"
        case .streaming: "streaming"
        case .waiting: "waiting"
        case .stopped: "stopped"
        }
    }
}
