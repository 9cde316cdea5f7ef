import Logging
import NIOCore
import NIOPosix
import WaldenAuth
import WaldenCore
import WaldenPool
import WaldenWire

/// How links of a pool come into being, what their servers say while nobody uses them, and how they end.
extension LoopPools {
    /// Opens a link for a slot that the loop holds.
    func open(_ pool: LocalPool) {
        let credentials = shared.credentials(of: pool.key.user)
        let startup = StartupMessage(
            version: .earliest,
            parameters: [("user", credentials.user), ("database", pool.key.database)].map {
                StartupMessage.Parameter(name: $0.0, value: $0.1)
            } + pool.key.parameters.map { StartupMessage.Parameter(name: $0.name, value: $0.value) })
        let id = LinkID(shared.numbers.next())
        logins[id] = Login(pool: pool, since: now)
        let epoch = shared.epoch
        let reign = shared.reign(pool.key.node)
        let login = LinkLogin(
            by: shared.connector(to: pool.key.node), node: pool.key.node, on: loop, startup: startup,
            credentials: credentials
        ) { result in
            self.logins[id] = nil
            switch result {
            case .success((let link, let greeting)): self.opened(link, id, greeting, reign, pool, epoch)
            case .failure(let failure): self.openFailed(failure, pool)
            }
        }
        login.begin(timeout: settings.loginTimeout)
    }

    private func opened(
        _ link: ServerLink, _ id: LinkID, _ greeting: ServerGreeting, _ reign: Reign?, _ pool: LocalPool,
        _ epoch: UInt64
    ) {
        pool.machine.linkOpened()
        pool.failure = nil
        let pooled = register(link, id, pool, greeting, reign)
        pooled.isRetired = !shared.noteGreeting(greeting, of: pool.key, epoch: epoch)
        shared.counters.count { $0.opened += 1 }
        if link.input.readableBytes > 0 { serverSent(on: link) }
        if case .asked = pooled.state { ready(link, pooled) }
    }

    private func openFailed(_ failure: LoginFailure, _ pool: LocalPool) {
        if failure.wantsFreshProof { shared.proofWasRefused(pool.key.user) }
        let isNews = pool.failure != failure.error
        pool.failure = failure.error
        shared.counters.count { $0.loginFailures += 1 }
        if isNews {
            shared.log.warning(
                "a server connection cannot be opened",
                metadata: [
                    "node": "\(pool.key.node)", "database": "\(pool.key.database)", "user": "\(pool.key.user)",
                    "reason": "\(failure.error.message)", "detail": "\(failure.error.fields[.detail] ?? "")",
                ])
        }
        let refused = pool.machine.openFailed(failure.kind(isPrimary: shared.isPrimary(pool.key.node)), now: now)
        returnSlot(of: pool)
        refuse(refused, in: pool, failure.error, cause: "server_unreachable")
        stateNeed(pool, now)
    }

    // MARK: What servers say

    /// Bytes on a link that serves no client.
    func serverSent(on link: ServerLink) {
        guard let pooled = link.pooled else { return }
        while true {
            let step = link.input.withUnsafeReadableBytes { pooled.upkeep.next($0.bytes) }
            switch step {
            case .wait:
                if link.input.readableBytes == 0 { link.input = ByteBuffer() }
                return
            case .drop(let byteCount): link.input.moveReaderIndex(forwardBy: byteCount)
            case .parameter(let byteCount, let status):
                link.input.moveReaderIndex(forwardBy: byteCount)
                parameterReported(status, on: link)
            case .finished(let byteCount):
                link.input.moveReaderIndex(forwardBy: byteCount)
                if link.input.readableBytes == 0 { link.input = ByteBuffer() }
                guard case .asked = pooled.state else { return }
                return ready(link, pooled)
            case .broken(let fault):
                shared.log.debug(
                    "a server connection was given up", metadata: ["node": "\(link.node)", "reason": "\(fault)"])
                return end(link, pooled)
            }
        }
    }

    private func parameterReported(_ status: ParameterStatus, on link: ServerLink) {
        link.pooled?.parameterReported(status)
    }

    /// Closes a link of which the server has said something that makes it useless.
    private func end(_ link: ServerLink, _ pooled: PooledLink) {
        switch pooled.state {
        case .resting:
            if pooled.pool.machine.takeIdle(pooled.id) { close(link, pooled) }
        case .asked, .awaitsCancels: close(link, pooled)
        case .lent, .closing: break
        }
    }

    // MARK: Ends

    /// Closes a link that counts as preparing; its slot is returned when the channel is closed.
    func close(_ link: ServerLink, _ pooled: PooledLink) {
        pooled.state = .closing
        link.listener = .nobody
        link.output.writeBytes(Terminate().encoded())
        link.flush()
        link.channel.close(promise: nil)
        link.input = ByteBuffer()
    }

    func channelClosed(of link: ServerLink, _ pooled: PooledLink) {
        let pool = pooled.pool
        links[pooled.id] = nil
        link.pooled = nil
        switch pooled.state {
        case .resting: _ = pool.machine.takeIdle(pooled.id)
        case .lent: pool.machine.linkReturned()
        case .asked, .awaitsCancels, .closing: break
        }
        pool.machine.preparingLinkClosed()
        shared.counters.count { $0.closed += 1 }
        returnSlot(of: pool)
        stateNeed(pool, now)
    }

    // MARK: Cancel requests

    /// A cancel request to the link's server is on its way.
    func cancelBegan(on link: ServerLink) {
        link.pooled?.cancels += 1
    }

    /// The server has read it, and whatever it signals has been signalled.
    ///
    /// - Parameter isCertain: False when it did not say so in time: then the link serves nobody any more.
    func cancelEnded(on link: ServerLink, isCertain: Bool) {
        guard let pooled = link.pooled else { return }
        pooled.cancels -= 1
        if !isCertain { pooled.isRetired = true }
        guard pooled.cancels == 0, case .awaitsCancels(let verdict) = pooled.state else { return }
        settle(link, pooled, isCertain ? verdict : .broken)
    }

    // MARK: Orders

    func pause(_ scope: PauseScope) {
        for pool in all where scope.covers(pool.key) {
            for id in pool.machine.pause(scope) { close(id) }
        }
    }

    func resume(_ scope: PauseScope) {
        for pool in all where scope.covers(pool.key) {
            pool.machine.resume(scope)
            stateNeed(pool, now)
        }
    }

    /// Has every link in the database renewed as soon as nobody uses it; nil: all links.
    func retire(_ database: String?) {
        retire { _, pooled in database == nil || pooled.pool.key.database == database }
    }

    /// As `retire`, for links to a node.
    func retire(_ node: NodeID) {
        retire { link, _ in link.node == node }
    }

    private func retire(_ isMeant: (ServerLink, PooledLink) -> Bool) {
        for link in links.values {
            guard let pooled = link.pooled, isMeant(link, pooled) else { continue }
            pooled.isRetired = true
            if case .resting = pooled.state, pooled.pool.machine.takeIdle(pooled.id) { close(link, pooled) }
        }
    }

    /// Looks where the names of the nodes in use lead now, off the event loop. A failure changes nothing: links that work
    /// go on.
    func lookAtNames() {
        for node in Set(all.map(\.key.node)) {
            guard case .tcp(let host, _) = shared.connector(to: node).endpoint, !NameResolution.isNumeric(host) else {
                continue
            }
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) { NameResolution.addresses(of: host) }
                .assumeIsolated().whenSuccess { addresses in
                    if !addresses.isEmpty { self.nameLeads(to: addresses, of: node) }
                }
        }
    }

    /// The name of the node leads to these addresses now: links to others are renewed as soon as nobody uses them.
    private func nameLeads(to addresses: Set<String>, of node: NodeID) {
        retire { link, _ in
            guard link.node == node, let address = link.channel.remoteAddress?.ipAddress else { return false }
            return !addresses.contains(address)
        }
    }

    /// The node cannot serve: its resting links end, and those who wait for it are told why.
    func nodeIsUnusable(_ node: NodeID, _ reason: ErrorResponse) {
        retire(node)
        for pool in all where pool.key.node == node {
            refuse(pool.machine.takeWaiters(), in: pool, reason, cause: "node_unusable")
            stateNeed(pool, now)
        }
    }

    /// Nothing reaches the node from now on: all links to it end, whatever their clients do there.
    func sever(_ node: NodeID) {
        for link in links.values where link.node == node {
            guard let pooled = link.pooled else { continue }
            if case .resting = pooled.state, pooled.pool.machine.takeIdle(pooled.id) {
                close(link, pooled)
            } else {
                link.channel.close(promise: nil)
            }
        }
    }

    /// Clients that wait for a link to the node that was the primary wait for one to that which is now.
    func primaryMoved(from node: NodeID) {
        for pool in all where pool.key.node == node {
            for waiter in pool.machine.takeWaiters() {
                pool.waiters.removeValue(forKey: waiter)?.primaryMoved(from: node)
            }
            stateNeed(pool, now)
        }
    }

    private func close(_ id: LinkID) {
        if let link = links[id], let pooled = link.pooled { close(link, pooled) }
    }
}

extension LoginFailure {
    /// Another attempt may do: at a server that has no place at present, or is on its way up; and at a primary that is
    /// not reached, which nothing can replace. What a replica would have served goes elsewhere at once.
    fileprivate func kind(isPrimary: Bool) -> LoopPool.OpenFailure {
        switch (origin, error.sqlState) {
        case (.server, .tooManyConnections), (.server, .cannotConnectNow), (.server, .adminShutdown),
            (.server, .crashShutdown):
            .passing
        case (.peer, .sqlClientUnableToEstablishConnection): isPrimary ? .outage : .refusal
        default: .refusal
        }
    }
}
