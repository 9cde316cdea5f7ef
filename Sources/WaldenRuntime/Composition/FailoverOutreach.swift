import Logging
import WaldenAgentClient
import WaldenCore
import WaldenFailover
import WaldenHooks
import WaldenPostgres
import WaldenRejoin

/// Whom a failover concerns besides this process: the operator's fence, hooks for events, and the agents on the hosts of
/// the databases.
final class FailoverOutreach: Sendable {
    /// A copy of a large database takes hours.
    private static let rejoinPatience = Duration.seconds(86_400)
    private static let farewell = Duration.seconds(5)

    private let choices: FailoverChoices
    private let fence: CommandHook?
    private let events: EventHooks
    private let agents: [NodeID: AgentClient]
    private let log: Logger

    /// - Throws: `AgentClientError` when the certificates for the agents cannot be used.
    init(_ choices: FailoverChoices, log: Logger) throws(AgentClientError) {
        self.choices = choices
        self.log = log
        fence =
            choices.fenceCommand.isEmpty ? nil : CommandHook(choices.fenceCommand, timeout: choices.fenceTimeout)
        events = EventHooks(
            commands: choices.eventCommand.isEmpty ? [] : [CommandHook(choices.eventCommand)],
            webhooks: choices.webhooks.map(Webhook.init), log: log)
        var agents: [NodeID: AgentClient] = [:]
        for (index, text) in choices.agents.enumerated() {
            guard let address = choices.agentAddress(text) else { continue }
            agents[NodeID(index)] = try AgentClient(address)
        }
        self.agents = agents
    }

    private func name(_ node: NodeID) -> String { choices.name(of: node) }

    // MARK: Steps

    func fence(_ order: Order, _ node: NodeID, answer: @escaping @Sendable (StepOutcome) -> Void) {
        guard let fence else { return answer(.refused("failover.fence_command is not set")) }
        let event = HookEvent.fence(order, node: node, at: WallClock.microseconds(), name: name)
        let log = log
        Task { answer(await fence.fence(event, log: log)) }
    }

    func rejoin(_ order: Order, _ node: NodeID, answer: @escaping @Sendable (StepOutcome) -> Void) {
        guard let agent = agents[node] else {
            return answer(.refused("\(name(node)) has no agent: rewind or copy it by hand"))
        }
        let upstream = choices.upstreams[order.primary.index]
        // A rewind reads a database's files through a session in one; a receiver names none.
        let isNamed = upstream.contains("dbname")
        let request = RejoinRequest(
            term: order.term.number, upstream: upstream, source: isNamed ? upstream : "\(upstream) dbname=postgres",
            applicationName: name(node))
        let (log, name) = (log, name(node))
        Task {
            do throws(AgentClientError) {
                let job = try await agent.rejoin(request, within: Self.rejoinPatience)
                log.notice("a node follows again", metadata: ["node": "\(name)", "job": "\(job.id)"])
                answer(.done)
            } catch {
                switch error {
                case .refused(let reason): answer(.refused("the agent of \(name): \(reason)"))
                case .failed(let reason): answer(.failed("the agent of \(name): \(reason)"))
                }
            }
        }
    }

    func tell(_ note: FailoverNote) {
        for event in HookEvent.events(of: note, at: WallClock.microseconds(), name: name) { events.post(event) }
    }

    /// Of hooks, for metrics.
    var figures: EventHooks.Figures { events.figures }

    func finish() async {
        await events.shutDown(within: Self.farewell)
        for agent in agents.values { await agent.shutDown() }
    }
}
