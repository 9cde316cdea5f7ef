import WaldenAuth
import WaldenCache
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// What a client that Walden has authenticated needs to have links lent: of which session, and which it waits for.
final class PooledClient {
    let pools: LoopPools
    let mode: Pooling.Mode
    private let database: String
    private let credentials: ServerCredentials
    private let parameters: [PoolKey.Parameter]
    /// The pools it has used, by `NodeID.index`.
    private var known: [LocalPool?] = []
    var waiting: (waiter: WaiterID, pool: LocalPool)?
    /// Where the read at the front goes, once that is decided.
    var read: RoutedRead?
    /// What that read must show.
    var neededBy: ReadNeeds?
    var routeWait: RouteWait?
    var routeWaitNumber: UInt64 = 0
    /// The fill under way whose query runs on a replica. It ends with the read, if that must be run again elsewhere.
    var replicaFill: FillID?
    /// The node whose work the link in use is counted for.
    var worksOn: NodeID?
    /// The client has not been told that it is connected; it waits for what a server tells of itself.
    var awaitsGreeting = false

    /// The client has not been told that it is connected; it waits until it is known that sessions still have the
    /// defaults which are known.
    var greetingWait: GreetingWait?

    /// What is looked at for `ClientTimeLimits`: units that have ended, and those of them that left no transaction open.
    var answers: UInt64 = 0
    var transactions: UInt64 = 0
    var watch: ClientWatch

    init(startup: StartupMessage, credentials: ServerCredentials, mode: Pooling.Mode, pools: LoopPools) {
        self.pools = pools
        self.mode = mode
        self.credentials = credentials
        watch = ClientWatch(now: pools.now)
        database = startup.database
        parameters = startup.parameters.map { PoolKey.Parameter(name: $0.name, value: $0.value) }
    }

    /// For a link, or for a replica that is far enough.
    var isWaiting: Bool { waiting != nil || routeWait != nil }

    func unitAnswered(isIdle: Bool) {
        answers &+= 1
        if isIdle { transactions &+= 1 }
    }

    /// Nil when there are too many different ones.
    func pool(on node: NodeID) -> LocalPool? {
        if node.index < known.count, let pool = known[node.index] { return pool }
        let key = PoolKey(node: node, database: database, user: credentials.user, parameters: parameters)
        guard let pool = pools.pool(for: key) else { return nil }
        // Its first pool: it has just proved itself.
        if known.isEmpty { pools.shared.noteCredentials(credentials) }
        pool.clients += 1
        while known.count <= node.index { known.append(nil) }
        known[node.index] = pool
        return pool
    }

    /// The session has ended.
    func leavePools() {
        for pool in known { pool?.clients -= 1 }
        known.removeAll()
    }
}
