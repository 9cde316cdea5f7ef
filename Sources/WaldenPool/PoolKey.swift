public import WaldenCore

/// What links of one pool have in common: a link of the pool can serve every client of it.
///
/// Startup parameters are part of it because a server takes them as the session's defaults, which no later command can
/// set; `application_name` is not, since it is replayed for each client like any other setting.
public struct PoolKey: Hashable, Sendable {
    public struct Parameter: Hashable, Sendable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public let node: NodeID
    public let database: String
    public let user: String
    /// In the order of their names, without `user`, `database` and `application_name`.
    public let parameters: [Parameter]

    public init(node: NodeID, database: String, user: String, parameters: [Parameter] = []) {
        self.node = node
        self.database = database
        self.user = user
        self.parameters =
            parameters
            .filter { !Self.excluded.contains($0.name) }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
    }

    private static let excluded: Set = ["user", "database", "application_name"]
}

/// An event loop, by its place in the group.
public struct LoopID: Hashable, Comparable, Sendable {
    public let index: Int

    public init(_ index: Int) {
        self.index = index
    }

    public static func < (left: LoopID, right: LoopID) -> Bool { left.index < right.index }
}

/// A pool, by the order in which pools became known to the ledger.
public struct PoolID: Hashable, Comparable, Sendable {
    public let index: Int

    public init(_ index: Int) {
        self.index = index
    }

    public static func < (left: PoolID, right: PoolID) -> Bool { left.index < right.index }
}

/// A link, by a number that no other connection of the process has.
public struct LinkID: Hashable, Sendable {
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A waiting client, by a number that grows with each that waits on its loop.
public struct WaiterID: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (left: WaiterID, right: WaiterID) -> Bool { left.rawValue < right.rawValue }
}
