import DequeModule
import Logging
import NIOCore
import WaldenAuth
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// The pools of one event loop: lends links to the loop's clients and takes them back.
///
/// It holds what the machines (`LoopPool`, the shared `PoolLedger`) only number. A link that rests is lent, and one that
/// is returned goes to the loop's next client, without any lock unless another loop is in need (`PoolSignal`). How links
/// come into being and end is in `LoopPools+Links`.
final class LoopPools {
    enum Acquisition {
        case link(ServerLink)
        /// `ProxyConnection.linkLent` or `linkRefused` will be called.
        case waiting(WaiterID)
        case refused(ErrorResponse)
    }

    /// In which state a client leaves its link.
    enum Verdict {
        /// The last unit has ended and no transaction is open.
        case clean
        /// The last unit has ended; `rollsBack`: in a transaction; `discards`: and what the session has left must go.
        case dirty(rollsBack: Bool, discards: Bool)
        /// Answers are still to come, or what the server is doing cannot be told.
        case broken
    }

    struct Login {
        let pool: LocalPool
        let since: Instant
    }

    let shared: ServerPools
    let id: LoopID
    let loop: any EventLoop
    /// As they are now; `ServerPools.adopt` changes them.
    var settings: PoolConfiguration
    private var pools: [PoolKey: LocalPool] = [:]
    var byID: [PoolID: LocalPool] = [:]
    var links: [LinkID: ServerLink] = [:]
    /// Links to be, by the numbers that they will have.
    var logins: [LinkID: Login] = [:]
    private var nextWaiter: UInt64 = 0
    /// Links on their way to clients; handed over one after another, not from within each other.
    private var lendings = Deque<(link: ServerLink, client: ProxyConnection)>()
    private var isLending = false
    var isTicking = false
    var tickCount = 0
    /// All that are to be looked at for `ClientTimeLimits` if there are any.
    var clients: [ObjectIdentifier: ProxyConnection] = [:]
    var looksAtClients = false

    static let tickInterval = TimeAmount.milliseconds(100)
    /// Every 30 s.
    static let ticksPerNameLook = 300
    /// Every 5 s.
    static let ticksPerForgetting = 50

    init(shared: ServerPools, settings: PoolConfiguration, id: LoopID, loop: any EventLoop) {
        self.settings = settings
        self.shared = shared
        self.id = id
        self.loop = loop
    }

    var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Pools

    /// The pool for `key`; nil when there are too many different ones.
    func pool(for key: PoolKey) -> LocalPool? {
        if let known = pools[key] { return known }
        guard let (poolID, signal, pauses) = shared.register(key, by: id) else { return nil }
        let pool = LocalPool(id: poolID, key: key, signal: signal, times: settings.times)
        for scope in pauses { _ = pool.machine.pause(scope) }
        pools[key] = pool
        byID[poolID] = pool
        startTicking()
        return pool
    }

    var all: some Collection<LocalPool> { pools.values }

    /// Forgets the pool, unless it has just got a slot.
    func forget(_ pool: LocalPool) {
        guard shared.unregister(pool.id, pool.key, by: id) else { return }
        pools[pool.key] = nil
        byID[pool.id] = nil
    }

    // MARK: Lending

    func acquire(_ pool: LocalPool, for client: ProxyConnection) -> Acquisition {
        let now = now
        nextWaiter += 1
        let waiter = WaiterID(nextWaiter)
        // Where another node takes the place of a primary that is lost, it is worth waiting for.
        let isReplaced = settings.primaryIsReplaced && shared.isPrimary(pool.key.node)
        let isImpatient = (client.pooled?.awaitsGreeting ?? true) && !isReplaced
        let arrival = pool.machine.clientArrived(waiter, isImpatient: isImpatient, now: now) { id in
            links[id]?.pooled.map { client.mayUse($0.session) } ?? true
        }
        switch arrival {
        case .lend(let id):
            guard let link = links[id] else { return .refused(Self.lost) }
            lend(link, to: client)
            return .link(link)
        case .test(let id):
            pool.waiters[waiter] = client
            if let link = links[id] { ask(.test, on: link) }
        case .replace(let id):
            pool.waiters[waiter] = client
            if let link = links[id], let pooled = link.pooled { close(link, pooled) }
        case .wait:
            pool.waiters[waiter] = client
            stateNeed(pool, now)
        case .refuse: return .refused(pool.failure ?? Self.lost)
        }
        return .waiting(waiter)
    }

    private static let lost = ErrorResponse(
        severity: .fatal, sqlState: .internalError, message: "Walden's pool has lost a server connection",
        hint: "This is a defect of Walden; please report it.")

    /// False: the client has been given a link already, which is on its way to it.
    @discardableResult
    func stopWaiting(_ waiter: WaiterID, in pool: LocalPool) -> Bool {
        guard pool.machine.clientLeft(waiter) else { return false }
        pool.waiters[waiter] = nil
        if pool.machine.waitingCount == 0 { stateNeed(pool, now) }
        return true
    }

    private func lend(_ link: ServerLink, to client: ProxyConnection) {
        link.pooled?.state = .lent
        link.listener = .client(client)
        link.setReading(true)
    }

    /// Takes a link back from its client.
    func release(_ link: ServerLink, _ verdict: Verdict) {
        guard let pooled = link.pooled, case .lent = pooled.state else { return }
        link.listener = .pool(self)
        link.setReading(true)
        link.flush()
        pooled.pool.machine.linkReturned()
        if pooled.cancels > 0, !verdict.isBroken {
            pooled.state = .awaitsCancels(verdict)
            return
        }
        settle(link, pooled, verdict)
    }

    func settle(_ link: ServerLink, _ pooled: PooledLink, _ verdict: Verdict) {
        pooled.state = .asked
        let resets = settings.resetsAlways
        switch verdict {
        case .broken: close(link, pooled)
        case .clean where !resets:
            // What is unread came unasked.
            if link.input.readableBytes > 0 { serverSent(on: link) }
            if case .asked = pooled.state { ready(link, pooled) }
        case .clean where pooled.session.hasCustomSettings: close(link, pooled)
        case .clean: ask(.clean(rollsBack: false, discards: true), on: link)
        // What no command frees a link of, DISCARD ALL does not either.
        case .dirty(_, let discards) where (discards || resets) && pooled.session.hasCustomSettings: close(link, pooled)
        case .dirty(let rollsBack, let discards):
            ask(.clean(rollsBack: rollsBack, discards: discards || resets), on: link)
        }
    }

    func ask(_ task: LinkUpkeep.Task, on link: ServerLink) {
        guard let pooled = link.pooled else { return }
        pooled.state = .asked
        link.listener = .pool(self)
        if case .clean(rollsBack: _, discards: true) = task { pooled.sessionIsReset() }
        link.output.writeBytes(pooled.upkeep.begin(task))
        link.flush()
        if link.input.readableBytes > 0 { serverSent(on: link) }
    }

    /// A link that is prepared goes to the next client, or rests.
    func ready(_ link: ServerLink, _ pooled: PooledLink) {
        let (pool, now) = (pooled.pool, now)
        guard link.channel.isActive, !pooled.isRetired, mayKeep(pool, for: pool.machine.oldestWait, now) else {
            return close(link, pooled)
        }
        let readiness = pool.machine.linkReady(pooled.id, expires: pooled.expires, now: now) { waiter in
            pool.waiters[waiter]?.mayUse(pooled.session) ?? true
        }
        switch readiness {
        case .close: close(link, pooled)
        case .rest:
            pooled.state = .resting(since: now)
            link.listener = .pool(self)
        case .lend(_, let waiter):
            guard let client = pool.waiters.removeValue(forKey: waiter) else {
                // It stands for no client: as if it had been lent and returned at once.
                pool.machine.linkReturned()
                return ready(link, pooled)
            }
            lend(link, to: client)
            lendings.append((link, client))
            if pool.machine.waitingCount == 0 { stateNeed(pool, now) }
            deliverLendings()
        }
    }

    func mayKeep(_ pool: LocalPool, for since: Instant?, _ now: Instant) -> Bool {
        guard shared.signal.isWanted || pool.signal.isWanted else { return true }
        return shared.withLedger { $0.mayKeep(pool.id, on: id, for: since, now: now) }
    }

    private func deliverLendings() {
        guard !isLending else { return }
        isLending = true
        while let (link, client) = lendings.popFirst() {
            if !client.linkLent(link) { release(link, .clean) }
        }
        isLending = false
    }

    // MARK: Slots

    /// Tells the ledger what the pool needs, as far as that has changed, and opens links for slots it gives.
    func stateNeed(_ pool: LocalPool, _ now: Instant) {
        while true {
            let demand = pool.machine.demand(now: now)
            switch (demand, pool.stated) {
            case (.none, .none), (.ordinary, .ordinary), (.pressing, .pressing): return
            case (.none, _):
                pool.stated = .none
                return shared.withLedger { $0.wantWithdrawn(pool.id, by: id) }
            case (.ordinary(let since), _), (.pressing(let since), _):
                let isPressing = if case .pressing = demand { true } else { false }
                let (isGranted, notices) = shared.withLedger {
                    $0.slotWanted(pool.id, by: id, since: since, isPressing: isPressing)
                }
                shared.deliver(notices)
                pool.stated = isGranted ? .none : demand
                guard isGranted else { return }
                slotGranted(pool, now)
            }
        }
    }

    /// The ledger has met a want.
    func slotGranted(_ id: PoolID) {
        guard let pool = byID[id] else { return }
        let now = now
        pool.stated = .none
        slotGranted(pool, now)
        stateNeed(pool, now)
    }

    private func slotGranted(_ pool: LocalPool, _ now: Instant) {
        if pool.machine.slotGranted(now: now) { open(pool) } else { returnSlot(of: pool) }
    }

    func returnSlot(of pool: LocalPool) {
        shared.deliver(shared.withLedger { $0.slotReturned(pool.id, by: id) })
    }

    /// Another loop, or another pool, needs the place of a resting link.
    func reclaim(_ scope: PoolScope) {
        let covered = shared.withLedger { ledger in byID.keys.filter { ledger.isCovered($0, by: scope) } }
        let longest = covered.compactMap { byID[$0] }.filter { $0.machine.oldestIdle != nil }
            .min { ($0.machine.oldestIdle ?? .distantFuture) < ($1.machine.oldestIdle ?? .distantFuture) }
        guard let longest, !mayKeep(longest, for: nil, now) else { return }
        if let id = longest.machine.takeOldestIdle(), let link = links[id], let pooled = link.pooled {
            close(link, pooled)
        }
    }

    func register(
        _ link: ServerLink, _ id: LinkID, _ pool: LocalPool, _ greeting: ServerGreeting, _ reign: Reign?
    ) -> PooledLink {
        let now = now
        let lifetime = settings.lifetime
        // Links that were opened together do not end together.
        let expires =
            lifetime > .zero ? now + lifetime * Double.random(in: 0.9...1.1) : Instant.distantFuture
        let pooled = PooledLink(
            id: id, pool: pool, pools: self, greeting: greeting, reign: reign, bornAt: now,
            expires: expires)
        link.pooled = pooled
        link.listener = .pool(self)
        links[pooled.id] = link
        return pooled
    }
}

extension LoopPools.Verdict {
    fileprivate var isBroken: Bool {
        if case .broken = self { return true }
        return false
    }
}

extension Duration {
    fileprivate static func * (duration: Duration, factor: Double) -> Duration {
        .nanoseconds(Int64((Double(duration.wholeNanoseconds) * factor).clamped))
    }
}

extension Double {
    fileprivate var clamped: Double { min(max(self, 0), 9e18) }
}
