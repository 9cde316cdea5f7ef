import Logging
import Synchronization
import WaldenAdmin
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenProxy
import WaldenSentinel

/// What load balancers are told.
extension Instance {
    private var judgement: HealthJudgement {
        let names = configuration.nodeNames
        var judgement = HealthJudgement(
            nodes: nodes.reports, primary: names[routes.primary.index],
            refusal: drain.isBegun ? "Walden is stopping" : nil, maxLag: configuration.maxLag)
        judgement.aliases = Dictionary(
            names.enumerated().map { (NodeID($0.offset).description, $0.element) },
            uniquingKeysWith: { first, _ in first })
        if routes.isHeld {
            let state = failover.map { " (state \($0.sentinel.view.state.rawValue))" } ?? ""
            judgement.hold = "the primary is not known or being replaced\(state)"
        }
        return judgement
    }

    func health(_ question: HealthQuestion) -> HealthAnswer { judgement.answer(question) }

    /// What HAProxy's agent check is told of this instance: whether it serves writes.
    var agentState: AgentState {
        if drain.isBegun { return .drain }
        if proxy.pausedDatabases.contains(configuredPrimary.database ?? "") { return .maintenance }
        let answer = health(HealthQuestion(.primary))
        guard case .fit = answer.verdict else { return .down(answer.reason ?? "") }
        return .up
    }

    /// Nil: no port is configured.
    func agentCheck(_ log: Logger) -> AgentCheckServer? {
        guard case .tcp(let host, let port)? = configuration.agentCheck else { return nil }
        return AgentCheckServer(host: host, port: port, log: log.part("admin")) { self.agentState }
    }
}

/// Whether the instance is about to end.
final class DrainFlag: Sendable {
    private let flag = Atomic(false)

    var isBegun: Bool { flag.load(ordering: .acquiring) }

    func begin() {
        flag.store(true, ordering: .releasing)
    }
}
