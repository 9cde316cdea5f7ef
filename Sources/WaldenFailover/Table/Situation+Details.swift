import WaldenCore

/// The situation in words, for people.
extension Situation {
    var details: [String] {
        var lines: [String] = ["finding: \(finding.rawValue)"]
        for node in evidence.nodes {
            guard let report = evidence.freshReport(of: node, at: now) else {
                lines.append("\(evidence.name(of: node)): does not answer")
                continue
            }
            let role = report.isInRecovery ? "standby" : "writes"
            let upstream =
                report.receiver.map { "last message \($0.silentFor) ago" }
                ?? (report.isInRecovery ? "receives nothing" : "")
            lines.append(
                "\(evidence.name(of: node)): \(role), timeline \(report.timeline), \(report.received)"
                    + (upstream.isEmpty ? "" : ", \(upstream)"))
        }
        if machine.state == .suspect, let obstacle = failoverObstacle {
            lines.append(obstacle)
        } else if let problem = evidence.ruleProblem {
            lines.append(problem.description)
        }
        if hasStrangers { lines.append(strangers) }
        if let refusal = incident?.refusal { lines.append(refusal) }
        return lines + machine.book.problems
    }

    /// Which they are, and what to do.
    private var strangers: String {
        let systems = evidence.nodes.compactMap { node in
            evidence.freshReport(of: node, at: now).map { "\(evidence.name(of: node)) \($0.systemIdentifier)" }
        }
        return
            "system identifiers differ (\(systems.joined(separator: ", "))): take out of the configuration, or make anew "
            + "by pg_basebackup, what was not made from the primary"
    }
}
