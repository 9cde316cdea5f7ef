/// What a load balancer asks.
public struct HealthQuestion: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// Writes.
        case primary
        /// Reads at a standby that is fresh enough.
        case replica
        /// Reads at the primary or at such a standby.
        case readOnly = "read_only"
    }

    public var role: Role
    /// One node, by its name; nil: this instance, whichever node serves.
    public var node: String?
    /// How far a standby may be behind, as bytes or time are written; nil: as the configuration says.
    public var lag: String?

    public init(_ role: Role, node: String? = nil, lag: String? = nil) {
        self.role = role
        self.node = node
        self.lag = lag
    }
}

public struct HealthAnswer: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        /// The node that serves.
        case fit(node: String)
        case unfit
        /// The question makes no sense.
        case malformed
    }

    public var verdict: Verdict
    /// Why not, in words for people.
    public var reason: String?

    public init(_ verdict: Verdict, _ reason: String? = nil) {
        self.verdict = verdict
        self.reason = reason
    }

    var status: Int {
        switch verdict {
        case .fit: 200
        case .unfit: 503
        case .malformed: 400
        }
    }

    /// The document of `/primary`, `/replica` and `/read-only`.
    func document(_ question: HealthQuestion) -> String {
        let node: String? = if case .fit(let node) = verdict { node } else { question.node }
        let document: JSON = [
            "fit": .bool(status == 200), "asked": .string(question.role.rawValue), "node": .string(orNull: node),
            "reason": .string(orNull: reason),
        ]
        return document.text + "\n"
    }
}
