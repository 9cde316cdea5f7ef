/// Where a session or a statement would have its reads run. It never lets a read be older than its level allows, nor a
/// statement that may write reach a replica.
public enum RoutePreference: UInt8, Hashable, Sendable, CaseIterable {
    /// By Walden's choice.
    case auto
    /// On the primary.
    case primary
    /// On a replica, if need be after a wait; on the primary when none is fresh enough.
    case replica

    /// As settings and hints spell it.
    public var name: String {
        switch self {
        case .auto: "auto"
        case .primary: "primary"
        case .replica: "replica"
        }
    }

    /// Nil for any other word. Letters of either case.
    public init?(name: String) {
        let lower = name.lowercased()
        guard let preference = Self.allCases.first(where: { $0.name == lower }) else { return nil }
        self = preference
    }
}
