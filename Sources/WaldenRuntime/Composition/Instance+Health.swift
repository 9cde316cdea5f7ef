import Logging
import Synchronization
import WaldenAdmin
import WaldenCore
import WaldenPostgres
import WaldenProxy

/// What load balancers are told.
extension Instance {
    private var judgement: HealthJudgement {
        HealthJudgement(
            nodes: nodes.reports, primary: NodeID.configuredPrimary.description,
            refusal: drain.isBegun ? "Walden is stopping" : nil, maxLag: configuration.maxLag)
    }

    func health(_ question: HealthQuestion) -> HealthAnswer { judgement.answer(question) }

    /// What HAProxy's agent check is told of this instance: whether it serves writes.
    var agentState: AgentState {
        if drain.isBegun { return .drain }
        if proxy.pausedDatabases.contains(primary.database ?? "") { return .maintenance }
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
