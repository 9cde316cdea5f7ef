import Logging
import NIOCore
import Synchronization
import WaldenAuth
import WaldenConsole
import WaldenCore
import WaldenPool
import WaldenWire

/// The pools of all event loops: their common ledger, and orders that concern all of them.
final class ServerPools: Sendable {
    private struct Member: Sendable {
        let loop: any EventLoop
        let pools: NIOLoopBoundBox<LoopPools>
    }

    /// What all event loops share.
    private struct Shared {
        var settings: PoolConfiguration
        var ledger: PoolLedger
        /// What a server told of itself when some loop logged in on it last.
        var greetings: [PoolKey: ServerGreeting] = [:]
        /// By user: those of the client that came last. So a password that was changed reaches new links at once.
        var credentials: [String: ServerCredentials] = [:]
    }

    let log: Logger
    let counters = PoolCounters()
    let numbers: ConnectionNumbers
    /// A server does not accept what Walden holds of this user any more.
    let proofWasRefused: @Sendable (String) -> Void
    /// Whether the node is the primary now.
    let isPrimary: @Sendable (NodeID) -> Bool
    /// Whose reign it is, if it is the node's.
    let reign: @Sendable (NodeID) -> Reign?
    /// By `NodeID.index`.
    private let connectors: [ServerConnector]
    /// Whether some loop waits for a slot that any loop's link might free.
    let signal: PoolSignal
    private let state: Mutex<Shared>
    private let members = Mutex<[Member]>([])
    private let published = Mutex<[LoopID: [PoolFigures]]>([:])
    private let defaultsEpoch = Atomic<UInt64>(0)
    private let pausing = Mutex<[PauseScope: [CheckedContinuation<Void, Never>]]>([:])

    /// Different pools at the same time: startup parameters are the clients' to choose.
    static let poolLimit = 10_000

    /// - Parameter connectors: Of all nodes, in the order of the configuration.
    init(
        settings: PoolConfiguration, connectors: [ServerConnector], group: any EventLoopGroup,
        numbers: ConnectionNumbers, log: Logger, isPrimary: @escaping @Sendable (NodeID) -> Bool,
        reign: @escaping @Sendable (NodeID) -> Reign?,
        proofWasRefused: @escaping @Sendable (String) -> Void
    ) {
        self.connectors = connectors
        self.isPrimary = isPrimary
        self.reign = reign
        self.proofWasRefused = proofWasRefused
        self.numbers = numbers
        self.log = log
        let loops = Array(group.makeIterator())
        let ledger = PoolLedger(
            limits: settings.limits, handover: settings.times.handover, loopCount: loops.count)
        signal = ledger.signal
        state = Mutex(Shared(settings: settings, ledger: ledger))
        members.withLock { members in
            members = loops.enumerated().map { index, loop in
                let pools = LoopPools(shared: self, settings: settings, id: LoopID(index), loop: loop)
                return Member(loop: loop, pools: .makeBoxSendingValue(pools, eventLoop: loop))
            }
        }
    }

    /// The pools of a loop; to be called on it.
    func pools(on loop: any EventLoop) -> LoopPools? {
        members.withLock { members in members.first { $0.loop === loop } }?.pools.value
    }

    func connector(to node: NodeID) -> ServerConnector {
        var connector = connectors[node.index]
        connector.timeout = settings.loginTimeout
        return connector
    }

    var settings: PoolConfiguration { state.withLock { $0.settings } }

    /// Has other settings hold from now on.
    func adopt(_ settings: PoolConfiguration) {
        let notices = state.withLock { state in
            state.settings = settings
            return state.ledger.adopt(settings.limits)
        }
        deliver(notices)
        tellAll { $0.adopt(settings) }
    }

    /// Nil when there are too many.
    func register(_ key: PoolKey, by loop: LoopID) -> (PoolID, PoolSignal, pauses: Set<PauseScope>)? {
        withLedger { ledger in
            guard ledger.knows(key) || ledger.poolCount < Self.poolLimit else { return nil }
            let (id, signal) = ledger.pool(for: key, on: loop)
            return (id, signal, ledger.pauses(of: key))
        }
    }

    /// The loop forgets a pool that it has not used for a while. False: it must not.
    func unregister(_ pool: PoolID, _ key: PoolKey, by loop: LoopID) -> Bool {
        state.withLock { state in
            switch state.ledger.poolLeft(pool, by: loop) {
            case .refused: return false
            case .left: break
            case .ended(let isLastOfUser):
                state.greetings[key] = nil
                if isLastOfUser { state.credentials[key.user] = nil }
            }
            return true
        }
    }

    /// What a server told of itself when some loop logged in on it last, for this pool.
    func greeting(of key: PoolKey) -> ServerGreeting? { state.withLock { $0.greetings[key] } }

    /// A loop has logged in. Not before the pool is registered, so that there are not too many; so in what follows.
    ///
    /// - Parameter epoch: When the login began.
    /// - Returns: False when sessions have got other defaults since: the link is to be closed.
    func noteGreeting(_ greeting: ServerGreeting, of key: PoolKey, epoch: UInt64) -> Bool {
        state.withLock { state in
            guard epoch == self.epoch else { return false }
            state.greetings[key] = greeting
            return true
        }
    }

    /// Rises when sessions get other defaults.
    var epoch: UInt64 { defaultsEpoch.load(ordering: .acquiring) }

    /// A client has shown who it is. One that was let in without a proof adds nothing to what is held of its user.
    func noteCredentials(_ credentials: ServerCredentials) {
        if credentials.proof == .none { return }
        state.withLock { $0.credentials[credentials.user] = credentials }
    }

    /// What links of the user are opened with.
    func credentials(of user: String) -> ServerCredentials {
        state.withLock { $0.credentials[user] } ?? ServerCredentials(user: user)
    }

    func withLedger<Result>(_ body: (inout PoolLedger) -> Result) -> Result where Result: Sendable {
        state.withLock { body(&$0.ledger) }
    }

    /// Tells each loop what the ledger has for it. Never before the call that led to it has returned.
    func deliver(_ notices: [PoolLedger.Notice]) {
        if notices.isEmpty { return }
        let members = members.withLock { $0 }
        for notice in notices {
            switch notice {
            case .granted(let pool, let loop):
                tell(members[loop.index]) { $0.slotGranted(pool) }
            case .reclaim(let scope, let loop):
                tell(members[loop.index]) { $0.reclaim(scope) }
            case .drained(let scope):
                let waiting = pausing.withLock { $0.removeValue(forKey: scope) ?? [] }
                for continuation in waiting { continuation.resume() }
            }
        }
    }

    private func tell(_ member: Member, _ order: @escaping @Sendable (LoopPools) -> Void) {
        member.loop.execute { order(member.pools.value) }
    }

    // MARK: Figures

    /// What a loop's pools have now.
    func publish(_ figures: [PoolFigures], of loop: LoopID) {
        published.withLock { $0[loop] = figures }
    }

    /// Of all loops, by pool.
    var figures: [PoolFigures] {
        var sums: [PoolKey: PoolFigures] = [:]
        for figures in published.withLock({ Array($0.values) }).joined() {
            sums[figures.key, default: PoolFigures(key: figures.key)].add(figures)
        }
        return sums.values.sorted {
            ($0.key.database, $0.key.user, $0.key.node) < ($1.key.database, $1.key.user, $1.key.node)
        }
    }

    /// Databases in which some pool is used.
    var databases: Set<String> { withLedger { $0.usedDatabases } }

    /// Looks at every link and login, loop by loop and `batch` of them in a turn.
    func rows(_ clock: WallClock, batch: Int) async -> [ConnectionRow] {
        var rows: [ConnectionRow] = []
        for member in members.withLock({ $0 }) {
            let numbers = try? await member.loop.submit { member.pools.value.numbers }.get()
            guard let numbers else { continue }
            for start in stride(from: 0, to: numbers.count, by: batch) {
                let part = numbers[start..<min(start + batch, numbers.count)]
                let seen = try? await member.loop.submit {
                    let pools = member.pools.value
                    return part.compactMap { pools.row(of: $0, clock) }
                }.get()
                rows += seen ?? []
            }
        }
        return rows
    }

    // MARK: Orders

    /// Lets no client have a link in the scope. Returns when the last transaction there has ended and no link is left.
    func pause(_ scope: PauseScope) async {
        await withCheckedContinuation { continuation in
            pausing.withLock { $0[scope, default: []].append(continuation) }
            stop(scope)
        }
    }

    /// As `pause`, without waiting for anybody.
    func stop(_ scope: PauseScope) {
        let isDrained = withLedger { $0.pause(scope) }
        tellAll { $0.pause(scope) }
        if isDrained { deliver([.drained(scope)]) }
    }

    /// Databases that people have paused.
    var pausedDatabases: Set<String> {
        Set(
            withLedger { $0.paused }.compactMap { scope in
                if case .database(let database) = scope { database } else { nil }
            })
    }

    func resume(_ scope: PauseScope) {
        deliver(withLedger { $0.resume(scope) })
        deliver([.drained(scope)])
        tellAll { $0.resume(scope) }
    }

    /// Ends all links to the node, whatever their clients do there.
    func sever(_ node: NodeID) {
        tellAll { $0.sever(node) }
    }

    /// The role has gone from one node to the other. Links to the new one that were opened while it was a standby are
    /// renewed; what servers said of themselves then is forgotten with them.
    func primaryMoved(from old: NodeID, to new: NodeID) {
        state.withLock { state in
            for key in state.greetings.keys where key.node == new { state.greetings[key] = nil }
        }
        tellAll { pools in
            pools.retire(new)
            pools.primaryMoved(from: old)
        }
    }

    /// Has links renewed as soon as nobody uses them; nil: in all databases.
    func reconnect(_ database: String?) {
        tellAll { $0.retire(database) }
    }

    /// No link that is open, or about to be, serves clients that begin from now on.
    func renew() {
        state.withLock { state in
            state.greetings.removeAll()
            defaultsEpoch.add(1, ordering: .releasing)
        }
        reconnect(nil)
    }

    func nodeIsUnusable(_ node: NodeID, _ reason: ErrorResponse) {
        tellAll { $0.nodeIsUnusable(node, reason) }
    }

    private func tellAll(_ order: @escaping @Sendable (LoopPools) -> Void) {
        for member in members.withLock({ $0 }) { tell(member, order) }
    }
}
