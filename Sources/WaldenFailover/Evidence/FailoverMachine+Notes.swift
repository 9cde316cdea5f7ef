import WaldenCore

/// What facts add to the incident under way.
extension FailoverMachine {
    /// Until the point of no return the old primary may acknowledge, by whatever rule it has by then.
    mutating func followRules() {
        guard state.isRevocable, pending?.record.state != .promote else { return }
        incident?.follow(evidence.rules)
    }

    /// Gone twice, in two looks that both began after it was ordered: one alone may be of a receiver that was just
    /// starting.
    mutating func noteSevered(_ node: NodeID, _ report: NodeReport) {
        guard var incident, [.sever, .census].contains(state), node != incident.old, evidence.isOfThisCluster(report)
        else { return }
        guard report.isSevered, book.isDone(.sever(node)), report.askedAt > enteredAt else {
            sightings[node] = nil
            return
        }
        let last = sightings[node]
        sightings[node] = max(last ?? report.askedAt, report.askedAt)
        guard let last, report.askedAt > last else { return }
        incident.severed[node] = Incident.Position(
            timeline: report.timeline, received: report.received, replayed: report.replayed)
        self.incident = incident
    }

    /// Where the old primary's log ended when nothing was under way there any more.
    mutating func noteDrained(_ node: NodeID, _ report: NodeReport) {
        guard state == .hold, var drained = incident, drained.isSwitchover, node == drained.old, !drained.isEndKnown,
            let checkpointAt, report.askedAt > checkpointAt, !report.isInRecovery
        else { return }
        drained.oldEnd = report.received
        drained.isEndKnown = true
        incident = drained
    }

    /// Log past the place where the primary left the old timeline is no part of its history. A standby that receives the
    /// primary's own timeline has none.
    mutating func noteParted(_ node: NodeID, _ report: NodeReport) {
        if node != evidence.primary, report.isInRecovery, report.timeline == evidence.timeline, report.receiver != nil {
            parted.remove(node)
        }
        guard node != evidence.primary, history.excludes(report.timeline, upTo: report.received) else { return }
        parted.insert(node)
    }
}
