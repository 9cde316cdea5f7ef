import ServiceLifecycle
package import WaldenAdmin
package import WaldenCore
import WaldenFailover
import WaldenPostgres
package import WaldenSentinel

/// What people order, carried to the sentinel and followed to its end.
package struct SentinelControl: FailoverControl {
    private let sentinel: Sentinel
    private let names: [NodeID: String]

    /// How often is looked whether it is over.
    private static let interval = Duration.milliseconds(50)
    /// From an order to its first row: the machine forgets it after `FailoverTimings.orderPatience`.
    private static let acceptance = Duration.seconds(4)
    /// A switchover that drains for as long as it may, and a promotion, are over by then.
    private static let patience = Duration.seconds(120)

    package init(_ sentinel: Sentinel, names: [NodeID: String]) {
        self.sentinel = sentinel
        self.names = names
    }

    package func report() -> FailoverReport { FailoverReport(sentinel, names: names) }

    package func incidents() -> [IncidentReport] {
        sentinel.incidents.reversed().map { IncidentReport($0, names: names) }
    }

    package func incident(_ number: UInt64) -> IncidentReport? {
        sentinel.incident(Term(number)).map { IncidentReport($0, names: names) }
    }

    // MARK: Switchover

    package func rehearsal(of name: String?) -> FailoverAnswer {
        switch node(name) {
        case .failure(let answer): return answer
        case .success(let wish):
            let prospect = sentinel.switchoverProspect(to: wish)
            var answer = prospect.obstacle.map(refusal) ?? FailoverAnswer(.rehearsed, "")
            answer.node = prospect.candidate.map(spelled)
            answer.missingBytes = prospect.candidate == nil ? nil : prospect.missingBytes
            answer.estimatedSeconds = prospect.estimate.total.fractionalSeconds
            if prospect.obstacle == nil { answer.message = words(prospect) }
            return answer
        }
    }

    private func words(_ prospect: SwitchoverProspect) -> String {
        let basis = prospect.estimate.isMeasured ? "as the last takeover here took" : "as takeovers usually take"
        let took = FailoverReport.spelled(prospect.estimate.total.fractionalSeconds)
        return "\(prospect.candidate.map(spelled) ?? "") would become the primary; it lacks \(prospect.missingBytes) "
            + "bytes of log and has \(prospect.unappliedBytes) to apply, which a switchover waits for; about \(took) s, "
            + "\(basis), besides what is under way at the primary"
    }

    package func switchover(to name: String?) async -> FailoverAnswer {
        switch node(name) {
        case .failure(let answer): return answer
        case .success(let wish):
            if let obstacle = sentinel.switchoverObstacle(to: wish) { return refusal(obstacle) }
            return await order(.switchover(to: wish)) { if case .switchover = $0 { true } else { false } }
        }
    }

    private enum Found {
        case success(NodeID?)
        case failure(FailoverAnswer)
    }

    private func node(_ name: String?) -> Found {
        guard let name else { return .success(nil) }
        if let node = names.first(where: { $0.value == name || $0.key.description == name })?.key {
            return .success(node)
        }
        var answer = FailoverAnswer(.refused, "there is no node \(name)")
        answer.cure = "name one of \(names.values.sorted().joined(separator: ", "))"
        return .failure(answer)
    }

    private func refusal(_ obstacle: String) -> FailoverAnswer {
        var answer = FailoverAnswer(.refused, obstacle)
        let view = sentinel.view
        answer.cure =
            switch view.state {
            case .maintenance: "walden resume"
            case .needsHuman: "put right what `walden status` names under failover, or walden failover --force"
            case .steady:
                switch view.readiness.block {
                case .noStandby, .unproven: "bring back standbys of synchronous_standby_names, and try again"
                case .rule, .noQuorum: "set synchronous_standby_names to ANY or FIRST over the standbys' names"
                case .noCandidate, .maintenance, .undiscovered, .manual, .cooldown, nil: nil
                }
            default: "wait until `walden status` shows state steady, and try again"
            }
        return answer
    }

    // MARK: Other orders

    package func force() async -> FailoverAnswer {
        let view = sentinel.view
        guard view.state == .suspect || view.state == .needsHuman else {
            let found = "the primary is found \(view.finding.rawValue) (state \(view.state.rawValue))"
            var answer = FailoverAnswer(.refused, "\(found): there is nothing to force")
            answer.cure = "walden switchover moves a primary that works"
            return answer
        }
        return await order(.force) { $0 == .forced }
    }

    package func pause() async -> FailoverAnswer {
        if sentinel.view.state == .maintenance { return FailoverAnswer(.done, "the sentinel stays out already") }
        sentinel.request(.pause)
        guard await poll(Self.acceptance, { sentinel.view.state == .maintenance ? true : nil }) != nil else {
            return refusal("in state \(sentinel.view.state.rawValue) the sentinel does not stay out")
        }
        return FailoverAnswer(.done, "the sentinel stays out until walden resume: nothing is failed over from")
    }

    package func resume() async -> FailoverAnswer {
        guard sentinel.view.state == .maintenance else {
            return FailoverAnswer(.done, "the sentinel is at work already (state \(sentinel.view.state.rawValue))")
        }
        sentinel.request(.resume)
        guard await poll(Self.acceptance, { sentinel.view.state == .maintenance ? nil : true }) != nil else {
            return FailoverAnswer(.refused, "the sentinel did not take the order: its log says why")
        }
        return FailoverAnswer(.done, "the sentinel is at work again")
    }

    // MARK: To the end

    private func order(
        _ request: FailoverRequest, isMeant: @Sendable (Incident.Cause) -> Bool
    ) async -> FailoverAnswer {
        let before = sentinel.view.term
        sentinel.request(request)
        let begun = await poll(Self.acceptance) { sentinel.incidents.last { $0.term > before } }
        guard let begun else {
            return refusal(sentinel.switchoverObstacle(to: nil) ?? "the sentinel did not take the order")
        }
        guard isMeant(begun.cause) else {
            return outcome(FailoverAnswer(.refused, "a failover came first (incident \(begun.term))"), of: begun)
        }
        let term = begun.term
        let over = await poll(Self.patience) {
            sentinel.incident(term).flatMap { $0.outcome != nil || $0.needsHuman ? $0 : nil }
        }
        guard let over else {
            let words = "incident \(term) is still under way, in state \(sentinel.view.state.rawValue)"
            return outcome(FailoverAnswer(.underWay, words), of: begun)
        }
        guard over.outcome == .replaced else {
            var answer = FailoverAnswer(.refused, "given up: \(over.refusal ?? "another incident took its place")")
            answer.cure = "walden incidents show \(term) tells what happened"
            return outcome(answer, of: over)
        }
        let waited =
            over.outage.map { "; clients waited at most \(FailoverReport.spelled($0.fractionalSeconds)) s" } ?? ""
        return outcome(
            FailoverAnswer(.done, "\(over.candidate.map(spelled) ?? "") is the primary (incident \(term))\(waited)"),
            of: over)
    }

    private func outcome(_ answer: FailoverAnswer, of record: IncidentRecord) -> FailoverAnswer {
        var answer = answer
        answer.incident = record.term.number
        answer.node = spelled(sentinel.view.primary)
        answer.outageSeconds = record.outage?.fractionalSeconds
        return answer
    }

    /// Until it has a value, at the longest for `limit`; a process that is to end does not wait.
    private func poll<Value>(_ limit: Duration, _ look: () -> Value?) async -> Value? {
        let deadline = MonotonicClock.now() + limit
        while MonotonicClock.now() < deadline, !Task.isCancelled, !Task.isShuttingDownGracefully {
            if let value = look() { return value }
            try? await Task.sleep(for: Self.interval)
        }
        return look()
    }

    private func spelled(_ node: NodeID) -> String { names[node] ?? node.description }
}
