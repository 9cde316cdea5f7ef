public import WaldenCore

/// Whether a statement's result may be kept, and if so, on what it depends.
public enum Verdict: Sendable {
    case cacheable(CachePlan)
    case uncacheable(Refusal)
}

/// All that is concluded from a statement's text, a catalog snapshot and a session's context. Immutable and shared by
/// every session that sends the text.
public final class StatementAnalysis: Sendable {
    /// What each statement of the text does to the session, in order. Empty for an empty text.
    public let effects: [SessionEffect]
    /// All `effects` as one.
    public let effect: SessionEffect
    public let verdict: Verdict
    /// How the cache is to treat it; nil when it is not cacheable.
    public let policy: StatementPolicy?
    /// Whether it may bind the session to its server, or unbind it.
    public let binding: SessionBinding
    public let draws: SessionDraws
    /// The level that the statement itself names: by a hint in its text, else by the operator's rule for it.
    public let level: ConsistencyLevel?
    /// Where it may run.
    public let readRoute: ReadRoute
    /// Where the statement's own hint would have it run; nil without one.
    public let routePreference: RoutePreference?

    /// - Parameter binding: Nil: what the effects tell.
    public init(
        effects: [SessionEffect], verdict: Verdict, policy: StatementPolicy? = nil, level: ConsistencyLevel? = nil,
        readRoute: ReadRoute? = nil, routePreference: RoutePreference? = nil,
        binding: SessionBinding? = nil, draws: SessionDraws = []
    ) {
        self.draws = draws
        self.binding = binding ?? effects.map(\.binding).max() ?? .none
        self.readRoute = readRoute ?? Self.unprovenRoute(verdict)
        self.routePreference = routePreference
        self.level = level ?? policy?.consistency
        self.effects = effects
        self.effect = effects.reduce(.readOnly) { $0.union($1) }
        self.verdict = verdict
        self.policy = policy
    }

    /// What is refused for the cache before its names were looked up is not proven for replicas either.
    private static func unprovenRoute(_ verdict: Verdict) -> ReadRoute {
        switch verdict {
        case .uncacheable(let refusal): .primary(refusal)
        case .cacheable: .primary(Refusal(.catalogUnknown, "nothing was proven"))
        }
    }

    /// The same for every text that differs from this one by values alone; never cacheable, for that depends on values.
    public var withoutValues: StatementAnalysis {
        StatementAnalysis(
            effects: effects, verdict: .uncacheable(Refusal(.valuesUnread, "the cache is off")), level: level,
            readRoute: readRoute, routePreference: routePreference, binding: binding)
    }

    /// Whether it is one of those, and values make no difference: only assignments of settings depend on them.
    public var isWithoutValues: Bool {
        guard case .uncacheable(let refusal) = verdict, refusal.rule == .valuesUnread else { return false }
        return effects.allSatisfy { effect in
            switch effect {
            case .readOnly, .writes, .transactionControl, .temporaryObjects: true
            case .settings, .preparedStatements, .opaque: false
            }
        }
    }

    /// The same under an operator's policy.
    public func governed(by policy: StatementPolicy) -> StatementAnalysis {
        StatementAnalysis(
            effects: effects, verdict: verdict, policy: policy, readRoute: readRoute,
            routePreference: routePreference, binding: binding, draws: draws)
    }

    /// The same for a text that holds `hint`.
    public func hinted(_ hint: StatementHint) -> StatementAnalysis {
        var verdict = verdict
        var policy = policy
        if hint.bypassesCache, case .cacheable = verdict {
            verdict = .uncacheable(Refusal(.nocacheHint, "the statement's own hint says so"))
            policy = nil
        }
        return StatementAnalysis(
            effects: effects, verdict: verdict, policy: policy, level: hint.level ?? level, readRoute: readRoute,
            routePreference: hint.route ?? routePreference, binding: binding, draws: draws)
    }

    public convenience init(effect: SessionEffect, verdict: Verdict) {
        self.init(effects: [effect], verdict: verdict)
    }
}

/// A parameter as it stands in a Bind message, with the type named in Parse.
public struct BoundParameter: Sendable {
    /// `TypeID.unspecified` when the client left it to the server.
    public let type: TypeID
    public let isBinary: Bool
    /// Nil for null.
    public let bytes: [UInt8]?

    public init(type: TypeID, isBinary: Bool, bytes: [UInt8]?) {
        self.type = type
        self.isBinary = isBinary
        self.bytes = bytes
    }
}
