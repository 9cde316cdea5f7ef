import Synchronization
import WaldenAdmin
import WaldenCore
import WaldenPostgres

/// The newest sample of each replica.
final class NodeBoard: Sendable {
    private let samples = Mutex<[String: NodeSample]>([:])
    private let names: [String]

    init(names: [String]) {
        self.names = names
    }

    func note(_ sample: NodeSample) {
        samples.withLock { $0[sample.node] = sample }
    }

    /// - Parameter primaryPosition: How far the primary's log reaches, as last seen; the lag is counted from there.
    func reports(primaryPosition: LSN) -> [NodeReport] {
        let samples = samples.withLock { $0 }
        return names.map { name in
            var report = NodeReport()
            report.name = name
            switch samples[name]?.answer {
            case .facts(let facts): report.take(facts, primaryPosition)
            case .unreachable(let error): report.problem = "\(error)"
            case nil: break
            }
            return report
        }
    }
}

extension NodeReport {
    fileprivate mutating func take(_ facts: NodeFacts, _ primaryPosition: LSN) {
        reachable = true
        role = facts.isInRecovery ? "replica" : "primary"
        receivedLSN = facts.receivedLSN.map { "\($0)" }
        replayedLSN = (facts.replayedLSN ?? facts.insertLSN).map { "\($0)" }
        lagBytes = facts.replayedLSN.map { primaryPosition.bytes(since: $0) }
        lagSeconds = facts.replayDelay?.fractionalSeconds
        timeline = facts.system.timeline.rawValue
        if facts.isReplayPaused { problem = "replay is paused" }
    }
}
