public import WaldenCore

/// What keeps a pool from having one more link.
public enum PoolScope: Hashable, Sendable {
    case pool(PoolID)
    case database(String)
    case user(String)
    case node(NodeID)
    case total
    /// The database is paused; no link that ends makes room.
    case paused(String)
}

extension PoolScope {
    var isPool: Bool {
        if case .pool = self { return true }
        return false
    }
}
