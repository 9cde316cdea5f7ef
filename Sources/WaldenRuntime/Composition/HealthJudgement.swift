import WaldenAdmin
import WaldenCore

/// What load balancers' questions are answered from, at one moment.
struct HealthJudgement {
    /// As the nodes were last seen.
    var nodes: [NodeReport]
    /// The name of the node that Walden serves as primary.
    var primary: String
    /// Other names of nodes.
    var aliases: [String: String] = [:]
    /// Why this instance serves nobody.
    var refusal: String?
    /// Why writes wait.
    var hold: String?
    /// For questions that say nothing.
    var maxLag: Duration

    func answer(_ question: HealthQuestion) -> HealthAnswer {
        let limit: Limit
        do throws(Quantity.Malformed) {
            limit = try question.lag.map { text throws(Quantity.Malformed) in try Limit(text) } ?? .time(maxLag)
        } catch {
            return HealthAnswer(.malformed, "lag: \(error.reason)")
        }
        guard let asked = question.node else {
            if let refusal { return HealthAnswer(.unfit, refusal) }
            return judge(candidates(question.role), question.role, limit)
        }
        guard let node = nodes.first(where: { $0.name == asked || $0.name == aliases[asked] }) else {
            let known = nodes.map(\.name).joined(separator: ", ")
            return HealthAnswer(.malformed, "there is no node \(asked): there are \(known)")
        }
        return judge([node], question.role, limit)
    }

    /// Those in the other role are no reason why a cluster cannot serve.
    private func candidates(_ role: HealthQuestion.Role) -> [NodeReport] {
        switch role {
        case .primary: nodes.filter { $0.name == primary }
        case .replica: nodes.filter { $0.name != primary }
        case .readOnly: nodes
        }
    }

    /// The first that is fit; else why none is.
    private func judge(_ nodes: [NodeReport], _ role: HealthQuestion.Role, _ limit: Limit) -> HealthAnswer {
        var reasons: [String] = []
        for node in nodes {
            let isPrimary = node.name == primary
            let problem: String? =
                switch role {
                case .primary: problemAsPrimary(node)
                case .replica: problemAsReplica(node, limit)
                case .readOnly: isPrimary ? problemAsReader(node) : problemAsReplica(node, limit)
                }
            guard let problem else { return HealthAnswer(.fit(node: node.name)) }
            reasons.append("\(node.name): \(problem)")
        }
        if reasons.isEmpty { return HealthAnswer(.unfit, "no \(role.rawValue) is configured") }
        return HealthAnswer(.unfit, reasons.joined(separator: "; "))
    }

    private func problemAsPrimary(_ node: NodeReport) -> String? {
        guard node.name == primary else { return "it is not the primary, which is \(primary)" }
        return hold ?? problemAsReader(node)
    }

    private func problemAsReader(_ node: NodeReport) -> String? {
        guard node.reachable else { return node.problem ?? "it has not been reached yet" }
        return node.role == "primary" ? nil : "it is a standby"
    }

    private func problemAsReplica(_ node: NodeReport, _ limit: Limit) -> String? {
        if node.name == primary { return "it is the primary" }
        guard node.reachable else { return node.problem ?? "it has not been reached yet" }
        if let obstacle = node.obstacle { return obstacle }
        return limit.problem(node)
    }

    /// How far behind a standby may be.
    private enum Limit {
        case bytes(UInt64)
        case time(Duration)

        init(_ text: String) throws(Quantity.Malformed) {
            let unit = text.drop { $0.isNumber }.drop { $0 == " " }
            if Duration(0, unit: String(unit)) != nil {
                self = .time(try Quantity.duration(text, in: .zero ... .seconds(365 * 86_400)))
            } else {
                self = .bytes(UInt64(try Quantity.bytes(text, in: 0...(1 << 60))))
            }
        }

        func problem(_ node: NodeReport) -> String? {
            switch self {
            case .bytes(let limit):
                guard let lag = node.lagBytes else { return "its lag is not known" }
                return lag <= limit ? nil : "it is \(lag) bytes behind, more than \(limit)"
            case .time(let limit):
                guard let lag = node.lagSeconds else { return "its lag is not known" }
                return lag <= limit.fractionalSeconds
                    ? nil : "it is \(lag) s behind, more than \(limit.fractionalSeconds)"
            }
        }
    }
}
