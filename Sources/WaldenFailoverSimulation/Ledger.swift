import WaldenCore
import WaldenFailover

/// What was promised to whom, and whether it was kept.
struct Ledger {
    /// Acknowledged to clients by the rule that the sentinel has recorded as the one in force: no promotion may lose them.
    private(set) var acknowledged: Set<UInt64> = []
    /// Acknowledged by a rule that somebody set and the journal does not have yet. Those cannot be promised: should the
    /// primary die before, or another rule be set, nobody is left who knows of it (a documented limit).
    private var acknowledgedUnknown: [UInt64: (rule: SynchronousRule, by: NodeID)] = [:]
    private(set) var violations: [String] = []
    private(set) var failovers = 0
    private(set) var switchovers = 0
    private var servedIn: [Term: NodeID] = [:]
    private var highestTerm = Term.first

    mutating func violated(_ invariant: String, _ what: String) {
        if violations.count < 20 { violations.append("\(invariant): \(what)") }
    }

    mutating func noteIncident(isSwitchover: Bool) {
        if isSwitchover { switchovers += 1 } else { failovers += 1 }
    }

    /// - Parameters:
    ///   - known: The rules of that node as the journal has them.
    ///   - holders: The standbys that had flushed the commit.
    ///   - newest: The node that writes on the newest timeline.
    mutating func acknowledged(
        _ write: UInt64, by node: SimulatedNode, under rule: SynchronousRule, known: SynchronousRules,
        holders: Set<NodeID>, newest: SimulatedNode?
    ) {
        guard known.current?.canAcknowledge(with: holders) ?? false else {
            acknowledgedUnknown[write] = (rule, node.id)
            return
        }
        acknowledged.insert(write)
        guard let newest, newest.id != node.id, newest.timeline > node.timeline,
            !newest.log.contains(where: { $0.write == write })
        else { return }
        violated("I1", "\(node.name) acknowledged \(write) after \(newest.name) had been promoted without it")
    }

    /// What was acknowledged by a rule is promised from the moment at which the rule is in the journal.
    mutating func journalKnows(_ known: SynchronousRules, of node: NodeID) {
        for (write, (rule, by)) in acknowledgedUnknown where by == node && known.current == rule {
            acknowledged.insert(write)
            acknowledgedUnknown[write] = nil
        }
    }

    mutating func checkHolds(_ node: SimulatedNode, when: String) {
        let held = Set(node.log.map(\.write))
        let lost = acknowledged.subtracting(held)
        if !lost.isEmpty { violated("I1", "\(node.name) lacks \(lost.count) acknowledged commits \(when)") }
        if held.subtracting([0]).count != node.log.filter({ $0.write != 0 }).count {
            violated("I5", "\(node.name) has executed something twice \(when)")
        }
    }

    mutating func serves(_ node: NodeID, in term: Term) {
        if term < highestTerm { violated("I2", "the proxy went back to term \(term)") }
        highestTerm = max(highestTerm, term)
        if let other = servedIn[term], other != node {
            violated("I2", "\(other) and \(node) both serve in term \(term)")
        }
        servedIn[term] = node
    }
}
