import Synchronization
import WaldenAdmin
import WaldenCore
import WaldenPostgres
import WaldenRouting

/// What the node monitors saw last: the primary's state for readiness, and how far each standby is behind.
final class NodeBoard: Sendable {
    static let primary = "primary"

    private struct State {
        var samples: [String: NodeSample] = [:]
        var positions = NodePositions()
    }

    private let state = Mutex(State())
    private let names: [String]

    /// - Parameter names: In the order shown, the primary first.
    init(names: [String]) {
        self.names = names
    }

    func note(_ sample: NodeSample) {
        state.withLock { state in
            state.samples[sample.node] = sample
            guard case .facts(let facts) = sample.answer else { return }
            if let end = facts.insertLSN, sample.node == Self.primary {
                state.positions.primarySampled(end: end, timeline: facts.system.timeline, at: sample.takenAt)
            } else if facts.isInRecovery {
                state.positions.standbySampled(
                    sample.node,
                    NodePosition(
                        timeline: facts.system.timeline, receivedLSN: facts.receivedLSN,
                        replayedLSN: facts.replayedLSN, sampledAt: sample.takenAt))
            }
        }
    }

    /// Why the primary cannot be used; nil when it answered the last time.
    var primaryProblem: String? {
        switch state.withLock({ $0.samples[Self.primary]?.answer }) {
        case .facts(let facts): facts.isInRecovery ? "the node named as primary is a standby" : nil
        case .unreachable(let error): "\(error)"
        case nil: "the primary has not been reached yet"
        }
    }

    var reports: [NodeReport] {
        let (samples, positions) = state.withLock { ($0.samples, $0.positions) }
        return names.map { name in
            var report = NodeReport()
            report.name = name
            switch samples[name]?.answer {
            case .facts(let facts): report.take(facts, positions.lag(of: name))
            case .unreachable(let error): report.problem = "\(error)"
            case nil: break
            }
            return report
        }
    }
}

extension NodeReport {
    fileprivate mutating func take(_ facts: NodeFacts, _ lag: Lag?) {
        reachable = true
        role = facts.isInRecovery ? "replica" : "primary"
        receivedLSN = facts.receivedLSN.map { "\($0)" }
        replayedLSN = (facts.replayedLSN ?? facts.insertLSN).map { "\($0)" }
        timeline = facts.system.timeline.rawValue
        if facts.isReplayPaused { problem = "replay is paused" }
        guard let lag else { return }
        lagBytes = lag.replayBytes
        switch lag.age {
        case .about(let age), .moreThan(let age): lagSeconds = age.fractionalSeconds
        }
    }
}
