import WaldenCore

/// What rows change as they are taken.
extension FailoverMachine {
    mutating func begin(_ cause: Incident.Cause) {
        term = term.next
        incident = Incident(
            term: term, cause: cause, old: evidence.primary, oldEnd: evidence.primaryEnd, timeline: evidence.timeline,
            rules: evidence.rules)
        request = nil
    }

    mutating func choose(_ candidate: NodeID) {
        incident?.candidate = candidate
    }

    mutating func refuse(_ reason: String) {
        incident?.refusal = reason
    }

    /// Every standby may be severed from now on, whether it is told or not. Also one whose log has parted: it may turn out to
    /// have been rewound meanwhile.
    mutating func detachStandbys() {
        guard let incident else { return }
        detached.formUnion(evidence.nodes.filter { $0 != incident.old })
    }

    /// The candidate is the primary from now on.
    mutating func succeed(at now: Instant) {
        guard let incident, let candidate = incident.candidate else { return }
        lastFailoverAt = now
        if let timeline = incident.timeline, let position = incident.severed[candidate] {
            history.left(timeline, at: position.received)
        }
        detached.remove(candidate)
        parted.remove(candidate)
        // Whether its log has parted or not is for the agent to find out; it cannot follow as it is.
        parted.insert(incident.old)
        evidence.primaryChanged(to: candidate, rules: SynchronousRules(incident.nextRule))
    }

    mutating func end() {
        incident = nil
    }

    mutating func takeRequest() {
        request = nil
    }

    /// The primary as found at the start, where no journal names one.
    mutating func discovered(_ node: NodeID) {
        guard node != evidence.primary else { return }
        evidence.primaryChanged(to: node, rules: evidence.rules)
    }
}
