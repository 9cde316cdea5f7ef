import Logging
import WaldenAdmin
import WaldenAgentClient
import WaldenCore
import WaldenFailover
import WaldenHooks
import WaldenPostgres
import WaldenProxy
import WaldenSentinel

/// The sentinel of this instance, and what it orders here.
final class FailoverService: Sendable {
    let sentinel: Sentinel
    let names: [NodeID: String]
    let control: SentinelControl
    let outreach: FailoverOutreach
    /// Of the sentinel.
    let directory: String
    private let succession: Succession

    /// - Parameter sentinel: See `sentinel(of:_:log:)`.
    init(
        _ sentinel: Sentinel, _ choices: FailoverChoices, _ parts: Succession.Parts, log: Logger
    ) throws(ConfigurationProblem) {
        self.sentinel = sentinel
        names = Dictionary(uniqueKeysWithValues: choices.names.enumerated().map { (NodeID($0.offset), $0.element) })
        control = SentinelControl(sentinel, names: names)
        directory = choices.directory
        do throws(AgentClientError) {
            outreach = try FailoverOutreach(choices, log: log.part("hooks"))
        } catch {
            throw ConfigurationProblem(origin: nil, key: "failover.agents", reason: "\(error)")
        }
        succession = Succession(parts, outreach, log: log.part("succession"))
        // Until the sentinel has found out who the primary is: the one known here may have been replaced meanwhile.
        parts.proxy.hold()
        if let recorded = sentinel.recorded { _ = parts.proxy.raise(recorded.term.number) }
    }

    /// Nil while the nodes keep their roles. Throws when the journal cannot be read or is another cluster's.
    static func sentinel(of configuration: Configuration, _ servers: [DSN], log: Logger) throws -> Sentinel? {
        guard configuration.failover.isOn else { return nil }
        let sentinel = try Sentinel.make(
            try configuration.failover.sentinel(servers, needsSlot: configuration.isCaching),
            logger: log.part("sentinel"))
        if let primary = sentinel.recorded?.primary, !servers.indices.contains(primary.index) {
            let reason =
                "the journal there says that node \(primary.index + 1) is the primary, but \(servers.count) nodes are "
                + "configured"
            throw InvalidConfiguration(problems: [
                ConfigurationProblem(origin: nil, key: "failover.directory", reason: reason)
            ])
        }
        return sentinel
    }

    func start() throws(PostgresError) {
        try sentinel.start(succession)
    }

    /// Blocks: not for the cooperative pool. `finish` follows.
    func stop() {
        sentinel.stop()
    }

    func report() -> FailoverReport {
        var report = control.report()
        let hooks = outreach.figures
        report.hookEvents = [
            "told": UInt64(hooks.told), "failed": UInt64(hooks.failed), "dropped": UInt64(hooks.dropped),
        ]
        return report
    }

    func controlServer(_ log: Logger) -> ControlServer {
        ControlServer(path: "\(directory)/control", control: control, log: log.part("control"))
    }

    func finish() async {
        await succession.stop()
    }
}

extension Configuration {
    /// What people call the nodes, by `NodeID.index`.
    var nodeNames: [String] {
        failover.isOn ? failover.names : (0...replicas.count).map { NodeID($0).description }
    }
}
