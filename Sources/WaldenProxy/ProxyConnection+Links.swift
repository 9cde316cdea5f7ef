import NIOCore
import WaldenAuth
import WaldenCache
import WaldenCore
import WaldenPool
import WaldenSession
import WaldenWire

/// A look at the primary that a client's greeting waits for.
struct GreetingWait {
    let waiter: UInt64
    let timeout: Scheduled<Void>
}

/// A client of a pool: its beginning, the links that it is lent, and giving them back.
extension ProxyConnection {
    /// A session whose links come from pools. The client is told that it is connected as soon as it is known what a
    /// server tells of itself: at once if one has been logged in on for this pool, else by the first that is.
    func beginPooled(_ message: StartupMessage, _ credentials: ServerCredentials) {
        guard let client, let pools = context.pools.pools(on: client.eventLoop) else {
            return close(cause: "client_closed")
        }
        let settings = pools.settings
        let pooled = PooledClient(startup: message, credentials: credentials, mode: settings.mode, pools: pools)
        self.pooled = pooled
        pools.clientCame(self)
        var pooling = Pooling(mode: settings.mode, census: settings.census, statements: context.statementNames)
        pooling.isReadOnly = info.listener == .readOnly
        openSession(message, pooling: pooling)
        guard knownGreeting != nil, awaitDefaults(client.eventLoop) else { return greet() }
    }

    /// `ALTER ROLE … SET` reaches sessions that begin after it: whether what is known of the defaults is still true at
    /// this moment, a look at the primary tells that begins later. False when there is none to wait for.
    private func awaitDefaults(_ loop: any EventLoop) -> Bool {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let waiter = context.cache.awaitFreshness(now) {
            loop.execute { bound.value.defaultsAwaited() }
        }
        guard let waiter else { return false }
        let timeout = loop.assumeIsolated().scheduleTask(in: Self.defaultsLimit) { self.defaultsAwaited() }
        pooled?.greetingWait = GreetingWait(waiter: waiter, timeout: timeout)
        context.cache.sessionNeedsFreshness(since: now)
        context.delegate.probeWanted()
        return true
    }

    private static let defaultsLimit = TimeAmount.seconds(1)

    private func defaultsAwaited() {
        guard state == .connecting, pooled?.greetingWait != nil else { return }
        endGreetingWait()
        readClock()
        greet()
        flushClient()
    }

    private func endGreetingWait() {
        guard let wait = pooled?.greetingWait else { return }
        pooled?.greetingWait = nil
        wait.timeout.cancel()
        context.cache.stopAwaiting(wait.waiter)
    }

    private func greet() {
        if let greeting = knownGreeting { welcome(greeting.parameters) } else { awaitGreeting() }
    }

    private func welcome(_ parameters: [ParameterStatus]) {
        pooled?.awaitsGreeting = false
        pooled?.read = nil
        if let bytes = machine?.welcome(parameters.map(\.asOfAnyNode)) { clientOutput.writeBytes(bytes) }
        giveCancelKey()
        clientOutput.writeBytes(ReadyForQuery(.idle).encoded())
        startupTimeout?.cancel()
        startupTimeout = nil
        state = .relaying
        processClient()
        clientReadEnded()
    }

    // MARK: Acquiring

    /// Takes a link to `node`, at once or later; or the client is refused.
    func acquireLink(to node: NodeID) {
        guard let pooled else { return }
        guard let pool = pooled.pool(on: node) else {
            return fail(PoolRefusal.tooManyPools(ServerPools.poolLimit), cause: "too_many_pools")
        }
        switch pooled.pools.acquire(pool, for: self) {
        case .link(let link): arrived(link)
        case .waiting(let waiter):
            pooled.waiting = (waiter, pool)
            pause = .acquiring
            adjustReading()
        case .refused(let error): linkRefused(error, cause: "server_unreachable")
        }
    }

    /// Whether a link with this session suits the client.
    func mayUse(_ session: ServerSession) -> Bool {
        pooled?.awaitsGreeting ?? true || machine?.mayUse(session) ?? true
    }

    /// The link that was waited for. False: the client is gone.
    func linkLent(_ link: ServerLink) -> Bool {
        guard state != .closed, let pooled, pooled.waiting != nil else { return false }
        pooled.waiting = nil
        if case .acquiring = pause { pause = nil }
        readClock()
        arrived(link)
        clientReadEnded()
        return true
    }

    private func arrived(_ link: ServerLink) {
        self.link = link
        guard let pooled, let served = link.pooled else { return }
        workBegan(on: link.node)
        if !pooled.awaitsGreeting, !isVouchedFor(link, served) { return awaitLook(at: link.node, since: served.bornAt) }
        if pooled.awaitsGreeting {
            let parameters = served.greeting.parameters
            releaseServer()
            welcome(parameters)
        } else {
            serverAcquired(served.session)
        }
    }

    func linkRefused(_ error: ErrorResponse, cause: String) {
        pooled?.waiting = nil
        if readsElsewhere() { return }
        fail(error, cause: cause)
    }

    // MARK: Giving back

    /// The session is done with its server, or cannot use it any more.
    func releaseServer() {
        guard let link else { return }
        let verdict = verdict
        workEnded()
        self.link = nil
        machine?.detach()
        pooled?.pools.release(link, verdict)
    }

    private var verdict: LoopPools.Verdict {
        guard pooled?.awaitsGreeting == false else { return .clean }
        return switch machine?.abandonment ?? .close {
        case .clean: .clean
        case .rollback: .dirty(rollsBack: true, discards: false)
        case .close: .broken
        }
    }

    /// When the connection ends: leaves the queue for a link, and gives back the one there is.
    func giveUpLink() {
        pooled?.pools.clientWent(self)
        endGreetingWait()
        endRouteWait()
        if let pooled, let waiting = pooled.waiting {
            pooled.waiting = nil
            pooled.pools.stopWaiting(waiting.waiter, in: waiting.pool)
        }
        if link?.pooled != nil {
            releaseServer()
        } else {
            link?.close()
            link = nil
        }
        pooled?.leavePools()
    }
}
