import WaldenAdmin

extension StatusReport {
    /// A report in which no two figures are alike, with names that need escaping.
    static var sample: StatusReport {
        var report = StatusReport()
        report.version = "0.1.0"
        report.uptimeSeconds = 12.5
        report.reason = "the stream is lost"
        report.reasons = [
            CachingObstacle(source: "catalog", reason: "not read yet"),
            CachingObstacle(source: "stream", reason: "the stream is lost"),
        ]
        report.findings = ["table \"t\" is not published"]
        report.fillProxy()
        report.fillCache()
        report.fillStream()
        report.nodes = [.primary, .unseen]
        var slot = SlotReport()
        slot.name = "replica_1"
        slot.isActive = true
        slot.retainedBytes = 81
        slot.state = "reserved"
        var lost = SlotReport()
        lost.name = "w"
        lost.isLogical = true
        lost.state = "lost"
        report.slots = [slot, lost]
        report.routing.isOn = true
        report.routing.replica = ["balanced": 82, "sticky": 83]
        report.routing.primary = ["not_covered": 84, "function": 85]
        report.routing.refused = ["unusable": 86]
        report.routing.waited = 87
        report.routing.settled = 1_087
        report.routing.unsettled = 1_088
        report.routing.waiting = 88
        report.failover = .sample
        return report
    }

    private mutating func fillProxy() {
        proxy.clients = 3
        proxy.accepted = 41
        proxy.closed = ["terminated": 30, "lost": 8]
        proxy.authentications = ["admitted": 6, "refused": 4]
        proxy.authenticating = 10
        proxy.pool.links = ["idle": 11, "serving": 12]
        proxy.pool.waiting = 13
        proxy.pool.longestWaitSeconds = 1.5
        proxy.pool.opened = 14
        proxy.pool.closed = 15
        proxy.pool.loginFailures = 16
        proxy.cancelRequests = 2
        proxy.cancelRequestsForwarded = 1
        proxy.cancelsWithheld = 3
        proxy.commitsInDoubt = ["committed": 2, "unknown": 1]
        proxy.coalesced = 7
        proxy.localAnswers = 9
        proxy.waits = ["served": 5]
        proxy.bytesFromClients = 1_001
        proxy.bytesFromServers = 2_002
        proxy.listening = ["127.0.0.1:6432", "/run/walden/.s.PGSQL.6432"]
        proxy.certificates = [
            CertificateReport(shownTo: "client", expiresAt: 1_800_000_000, remainingSeconds: -3)
        ]
        proxy.primary = "127.0.0.1:5432"
        proxy.primaryProblem = "refused"
        control.probes = 71
        control.heartbeats = 72
        control.problem = "timed out"
    }

    private mutating func fillCache() {
        cache.level = "bounded"
        cache.maxStalenessSeconds = 1.0
        cache.hits = 100
        cache.misses = 20
        cache.stale = 4
        cache.suspendedLookups = 5
        cache.outageHits = 6
        cache.frozenSeconds = 7.5
        cache.bypasses = ["write": 9, "a\\b\"c\nd": 1]
        cache.invalidations = ["row": 11, "ddl": 12]
        cache.fillsBegun = 19
        cache.fillsKept = 17
        cache.fillsRefused = ["too many": 13]
        cache.fillsTainted = ["truncate": 14]
        cache.fillsAbandoned = ["error": 15]
        cache.entries = 16
        cache.bytes = 4_096
        cache.maxBytes = 65_536
        cache.pendingFills = 18
        cache.recentTransactions = 21
        cache.recentChanges = 22
        cache.shapes = 23
        cache.declinedShapes = 24
        cache.forgottenShapes = 25
        cache.savedSeconds = 26.5
        cache.quarantinedShapes = 27
        cache.audits = 28
        cache.auditMismatches = 29
        cache.auditsGivenUp = 30
        cache.auditsPostponed = 31
    }

    private mutating func fillStream() {
        stream.state = "connecting"
        stream.slot = "walden_1"
        stream.position = "16/B374D848"
        stream.watermark = "0/10"
        stream.lagBytes = 31
        stream.lagSeconds = 0.25
        stream.transactions = 32
        stream.rowChanges = 33
        stream.messages = 34
        stream.bytes = 35
        stream.starts = 36
        stream.losses = 37
        stream.lastLoss = "server closed the connection\n"
        stream.timeline = 2
        stream.systemIdentifier = "7300000000000000001"
    }
}

extension NodeReport {
    static var primary: NodeReport {
        var node = NodeReport()
        node.name = "pg1"
        node.role = "primary"
        node.reachable = true
        node.receivedLSN = "0/20"
        node.replayedLSN = "0/10"
        node.lagBytes = 16
        node.lagSeconds = 0.5
        node.flushedLSN = "0/18"
        node.peakLagBytes = 91
        node.peakLagSeconds = 9.5
        node.coveredSeconds = 0.75
        node.receiver = "streaming"
        node.slot = "replica_1"
        node.reads = 92
        node.outstanding = 93
        node.timeline = 2
        return node
    }

    static var unseen: NodeReport {
        var node = NodeReport()
        node.name = "pg2"
        node.problem = "no route to host"
        node.obstacle = "unreachable"
        return node
    }
}

extension FailoverReport {
    static var sample: FailoverReport {
        var report = FailoverReport()
        report.state = "steady"
        report.stateSeconds = 95.5
        report.term = 96
        report.primary = "pg1"
        report.timeline = 97
        report.finding = "healthy"
        report.findingSeconds = 98.5
        report.candidate = "pg2"
        report.missingBytes = 99
        report.unappliedBytes = 101
        report.estimatedSeconds = 1.25
        report.isEstimateMeasured = true
        report.blockedBy = "cooldown"
        report.obstacle = "a \"short\" while ago"
        report.problems = ["sever pg2: no"]
        report.request = "pause"
        report.incident = 102
        report.failovers = 103
        report.switchovers = 104
        report.aborted = 105
        report.lastOutageSeconds = 106.5
        report.droppedEvents = 107
        report.unwrittenLines = 108
        report.hookEvents = ["told": 109]
        report.silentSeconds = 0.125
        return report
    }
}
