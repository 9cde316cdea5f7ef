public import WaldenCore

/// What keeps a pool from having one more link.
public enum PoolScope: Hashable, Sendable {
    case pool(PoolID)
    case database(String)
    case user(String)
    case node(NodeID)
    case total
    /// What the pool belongs to is paused; no link that ends makes room.
    case paused(PauseScope)
}

/// What can be kept from having links.
public enum PauseScope: Hashable, Sendable {
    /// By order of people, until they order otherwise.
    case database(String)
    /// While another node takes its place.
    case node(NodeID)

    public func covers(_ key: PoolKey) -> Bool {
        switch self {
        case .database(let database): key.database == database
        case .node(let node): key.node == node
        }
    }
}

extension PoolScope {
    var isPool: Bool {
        if case .pool = self { return true }
        return false
    }
}
