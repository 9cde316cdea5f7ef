public import WaldenCore

/// All that is known of a cluster's nodes, and what it proves.
///
/// Every fact carries the moment at which it was asked for; a fact older than `freshness` is no evidence. Nothing here is
/// concluded from one observer alone: that nobody listens at the primary counts with the standbys' word that they receive
/// nothing, and silence counts only when enough of them have heard nothing either.
public struct Evidence: Sendable {
    /// Signs of the node that is taken for the primary.
    struct Signs: Hashable, Sendable {
        /// The session at hand: its newest answer, and whether it has broken since.
        var sessionAnsweredAt: Instant?
        var isSessionBroken = false
        /// The newest attempt at a new connection.
        var contact: Contact?
        var contactAt = Instant.distantPast
        var local = Heartbeat()
        var quorum = Heartbeat()
        /// When the rule in force was first reported.
        var ruleReportedAt = Instant.distantPast
        /// An end of the primary's log from after that: all that older rules acknowledged is before it.
        var ruleMark: LSN?
        /// Standbys that were seen to hold the log up to there.
        var markHolders: Set<NodeID> = []
    }

    public let timings: FailoverTimings
    public private(set) var primary: NodeID
    public private(set) var reports: [NodeID: NodeReport] = [:]
    /// The rules that a proof must satisfy.
    public private(set) var rules: SynchronousRules
    /// Why the rule proves nothing, if so.
    public private(set) var ruleProblem: StandbyNamesProblem?
    /// The furthest position that the primary is known to have written.
    public private(set) var primaryEnd = LSN.zero
    /// The primary's timeline, as last told.
    public private(set) var timeline: TimelineID?
    public private(set) var systemIdentifier: String?
    /// Whether the primary itself has told its rule, rather than a journal.
    public private(set) var isRuleSeen = false
    private var signs = Signs()
    private let names: [String: NodeID]

    public init(
        primary: NodeID, names: [String: NodeID], timings: FailoverTimings, rules: SynchronousRules? = nil,
        timeline: TimelineID? = nil, systemIdentifier: String? = nil
    ) {
        self.primary = primary
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.names = names
        self.timings = timings
        self.rules = rules ?? SynchronousRules(nil)
    }

    public var nodes: [NodeID] { names.values.sorted() }

    public func name(of node: NodeID) -> String {
        names.first { $0.value == node }?.key ?? node.description
    }

    // MARK: Facts

    public mutating func reported(_ node: NodeID, _ report: NodeReport, at now: Instant) {
        if let known = reports[node], known.askedAt > report.askedAt { return }
        reports[node] = report
        guard node == primary, !report.isInRecovery else { return noteHolder(node, report) }
        primaryEnd = max(primaryEnd, report.received)
        timeline = report.timeline
        systemIdentifier = report.systemIdentifier
        noteRule(report, at: now)
    }

    private mutating func noteRule(_ report: NodeReport, at now: Instant) {
        let before = rules.current
        isRuleSeen = true
        do {
            let rule = try StandbyNames.parse(report.synchronousStandbyNames)?.rule(among: names)
            ruleProblem = nil
            rules.reported(rule)
        } catch {
            ruleProblem = error
            rules.reported(nil)
        }
        if rules.current != before {
            // The rule may have changed at any moment between question and answer.
            signs.ruleReportedAt = now
            signs.ruleMark = nil
            signs.markHolders = []
        } else if signs.ruleMark == nil, report.askedAt > signs.ruleReportedAt {
            signs.ruleMark = report.received
        }
    }

    /// Enough members seen to hold the mark are proof whatever rule acknowledged it, and whether any did.
    private mutating func noteHolder(_ node: NodeID, _ report: NodeReport) {
        guard let mark = signs.ruleMark, !rules.outgoing.isEmpty, report.isInRecovery, isOfThisCluster(report),
            report.timeline == timeline, report.received >= mark
        else { return }
        signs.markHolders.insert(node)
        rules.held(by: signs.markHolders)
    }

    public mutating func contacted(_ node: NodeID, _ contact: Contact, at now: Instant) {
        guard node == primary else {
            if contact != .answered { reports[node] = nil }
            return
        }
        signs.contact = contact
        signs.contactAt = now
    }

    /// The session at the primary answered, or broke.
    public mutating func sessionAnswered(at now: Instant) {
        signs.sessionAnsweredAt = now
        signs.isSessionBroken = false
    }

    public mutating func sessionBroke() {
        signs.isSessionBroken = true
        signs.local.failed()
        signs.quorum.failed()
    }

    public mutating func heartbeatBegun(_ kind: HeartbeatKind, at now: Instant) {
        switch kind {
        case .local: signs.local.begun(at: now)
        case .quorum: signs.quorum.begun(at: now)
        }
    }

    /// - Parameter end: A position at or past the message.
    public mutating func heartbeatAcknowledged(_ kind: HeartbeatKind, end: LSN, at now: Instant) {
        primaryEnd = max(primaryEnd, end)
        sessionAnswered(at: now)
        switch kind {
        case .local: signs.local.acknowledged()
        case .quorum: signs.quorum.acknowledged()
        }
    }

    public mutating func heartbeatFailed(_ kind: HeartbeatKind) {
        switch kind {
        case .local: signs.local.failed()
        case .quorum: signs.quorum.failed()
        }
    }

    /// Another node is the primary from now on; its rule is that which was set for it.
    public mutating func primaryChanged(to node: NodeID, rules: SynchronousRules) {
        primary = node
        self.rules = rules
        signs = Signs()
        ruleProblem = nil
        if let report = reports[node] {
            primaryEnd = report.received
            timeline = report.timeline
        }
    }

    // MARK: What they prove

    public func freshReport(of node: NodeID, at now: Instant) -> NodeReport? {
        guard let report = reports[node], now.elapsed(since: report.askedAt) <= timings.freshness else { return nil }
        return report
    }

    /// Whether the node that told this was made from the primary, as far as is known.
    func isOfThisCluster(_ report: NodeReport) -> Bool {
        systemIdentifier == nil || report.systemIdentifier == systemIdentifier
    }

    var standbys: [NodeID] { nodes.filter { $0 != primary } }

    /// Standbys of this cluster that answer.
    func freshStandbys(at now: Instant) -> [(node: NodeID, report: NodeReport)] {
        standbys.compactMap { node in
            guard let report = freshReport(of: node, at: now), report.isInRecovery, isOfThisCluster(report)
            else { return nil }
            return (node, report)
        }
    }

    /// Whether the primary answers on the session at hand.
    public func sessionLives(at now: Instant) -> Bool {
        guard !signs.isSessionBroken, let answered = signs.sessionAnsweredAt else { return false }
        return now.elapsed(since: answered) <= timings.silence
    }

    /// When the primary last answered on the session at hand; nil: not yet.
    var primaryAnsweredAt: Instant? { signs.sessionAnsweredAt }

    /// Acknowledged by the quorum since `moment`.
    public func quorumAcknowledged(since moment: Instant) -> Bool {
        signs.quorum.provenAt.map { $0 > moment } ?? false
    }

    public func finding(at now: Instant) -> Finding {
        sessionLives(at: now) ? findingWithSession(at: now) : findingWithoutSession(at: now)
    }

    /// Nodes that say they are out of recovery.
    public func writers(at now: Instant) -> [NodeID] {
        nodes.filter { node in freshReport(of: node, at: now).map { !$0.isInRecovery } ?? false }
    }

    private func findingWithSession(at now: Instant) -> Finding {
        if signs.local.stalled(at: now) > timings.writeStall { return .writeDead }
        if signs.quorum.stalled(at: now) > timings.quorumStall { return .syncStalled }
        if signs.contact == .silent, isContactFresh(at: now) { return .hungAccept }
        return .healthy
    }

    private func isContactFresh(at now: Instant) -> Bool {
        now.elapsed(since: signs.contactAt) <= timings.freshness
    }

    private func findingWithoutSession(at now: Instant) -> Finding {
        guard isContactFresh(at: now), let contact = signs.contact else { return silence(at: now) }
        switch contact {
        case .answered: return .healthy
        case .full(replication: true): return .overloaded
        case .full(replication: false): return silence(at: now)
        case .starting: return .recovering
        case .denied: return .denied
        case .refused: return nobodyReceives(at: now) ? .crashed : .doubtful
        case .silent: return silence(at: now)
        }
    }

    private func silence(at now: Instant) -> Finding {
        let deaf = freshStandbys(at: now).filter { standby in
            guard let receiver = standby.report.receiver else { return true }
            return receiver.silentFor > timings.silence
        }
        return suffices(Set(deaf.map(\.node))) ? .unreachable : .sentinelBlind
    }

    /// No standby that answers receives, and enough of them answer.
    private func nobodyReceives(at now: Instant) -> Bool {
        let fresh = freshStandbys(at: now)
        guard fresh.allSatisfy({ $0.report.receiver == nil }) else { return false }
        return suffices(Set(fresh.map(\.node)))
    }

    /// Where commits wait for nobody, nobody less than all standbys will do.
    private func suffices(_ witnesses: Set<NodeID>) -> Bool {
        if !rules.countNobody { return rules.isProven(bySevered: witnesses) }
        return !standbys.isEmpty && witnesses.isSuperset(of: standbys)
    }
}

public enum HeartbeatKind: String, Hashable, Sendable, CaseIterable, Codable {
    /// Waits for the primary's own disk.
    case local
    /// Waits for the standbys that `synchronous_standby_names` asks for.
    case quorum
}
