import WaldenAuth
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// Whose sessions a client's links carry, and which link it waits for.
final class PooledClient {
    let database: String
    let credentials: ServerCredentials
    let parameters: [PoolKey.Parameter]
    let pools: LoopPools
    /// The pools it has used, by `NodeID.index`.
    private var known: [LocalPool?] = []
    var waiting: (waiter: WaiterID, pool: LocalPool)?

    init(startup: StartupMessage, credentials: ServerCredentials, pools: LoopPools) {
        database = startup.database
        self.credentials = credentials
        self.pools = pools
        parameters = startup.parameters.map { PoolKey.Parameter(name: $0.name, value: $0.value) }
    }

    /// Nil when there are too many different ones.
    func pool(on node: NodeID) -> LocalPool? {
        if node.index < known.count, let pool = known[node.index] { return pool }
        let key = PoolKey(node: node, database: database, user: credentials.user, parameters: parameters)
        guard let pool = pools.pool(for: key, credentials: credentials) else { return nil }
        while known.count <= node.index { known.append(nil) }
        known[node.index] = pool
        return pool
    }
}

/// Taking links from pools and giving them back.
extension ProxyConnection {
    /// Takes a link to `node`, at once or later; `linkArrived` follows in either case, or the client is refused.
    func acquireLink(to node: NodeID) {
        guard let pooled else { return }
        guard let pool = pooled.pool(on: node) else {
            return fail(PoolRefusal.tooManyPools(ServerPools.poolLimit), cause: "too_many_pools")
        }
        switch pooled.pools.acquire(pool, for: self) {
        case .link(let link):
            self.link = link
            linkArrived(link)
        case .waiting(let waiter):
            pooled.waiting = (waiter, pool)
            pause = .acquiring
        case .refused(let error): fail(error, cause: "server_unreachable")
        }
    }

    /// The link that was waited for. False: the client is gone.
    func linkLent(_ link: ServerLink) -> Bool {
        guard state != .closed, let pooled, pooled.waiting != nil else { return false }
        pooled.waiting = nil
        if case .acquiring = pause { pause = nil }
        readClock()
        self.link = link
        linkArrived(link)
        return true
    }

    func linkRefused(_ error: ErrorResponse, cause: String) {
        pooled?.waiting = nil
        fail(error, cause: cause)
    }

    /// Gives the link back when the connection ends, and leaves the queue for one.
    func giveUpLink() {
        if let pooled, let waiting = pooled.waiting {
            pooled.pools.stopWaiting(waiting.waiter, in: waiting.pool)
            pooled.waiting = nil
        }
        guard let link else { return }
        self.link = nil
        if let pooled, link.pooled != nil {
            pooled.pools.release(link, verdictAtEnd)
        } else {
            link.close()
        }
    }

    /// The server knows nothing yet of what the client wants of it.
    private func linkArrived(_ link: ServerLink) {
        processClient()
        clientReadEnded()
    }

    /// In which state the connection leaves its link when it ends now.
    private var verdictAtEnd: LoopPools.Verdict {
        .broken
    }
}
