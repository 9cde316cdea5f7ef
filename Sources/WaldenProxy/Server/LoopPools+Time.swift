import NIOCore
import WaldenCore
import WaldenPool
import WaldenWire

/// What is due by the clock.
extension LoopPools {
    // MARK: Clients' time limits

    func clientCame(_ client: ProxyConnection) {
        clients[ObjectIdentifier(client)] = client
        beginLooking()
    }

    private func beginLooking() {
        guard !looksAtClients, let interval = settings.clientLimits.lookInterval else { return }
        looksAtClients = true
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(interval.wholeNanoseconds)) { [weak self] in
            self?.lookAtClients()
            self?.looksAtClients = false
            self?.beginLooking()
        }
    }

    func clientWent(_ client: ProxyConnection) {
        clients[ObjectIdentifier(client)] = nil
    }

    private func lookAtClients() {
        let now = now
        for client in clients.values { client.lookAtLimits(settings.clientLimits, now: now) }
    }

    // MARK: Settings

    /// Other settings hold from now on: for links that are opened, and for what is looked at from time to time.
    func adopt(_ settings: PoolConfiguration) {
        self.settings = settings
        for pool in all { pool.machine.times = settings.times }
        beginLooking()
    }

    // MARK: Time

    func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        scheduleTick()
    }

    private func scheduleTick() {
        loop.assumeIsolated().scheduleTask(in: Self.tickInterval) { [weak self] in
            self?.tick()
            self?.scheduleTick()
        }
    }

    private func tick() {
        let now = now
        for pool in byID.values where !pool.machine.isUnused || settings.limits.minimum > 0 {
            tick(pool, now)
        }
        tickCount &+= 1
        if tickCount % Self.ticksPerNameLook == 0 { lookAtNames() }
        if tickCount % Self.ticksPerForgetting == 0 { forgetUnused(now) }
        if tickCount % 5 == 0 { shared.publish(all.map { PoolFigures(key: $0.key, $0.machine) }, of: id) }
    }

    /// Startup parameters are the clients' to choose, so pools are not kept for ever.
    private func forgetUnused(_ now: Instant) {
        for pool in all where pool.machine.mayBeForgotten(hasClients: pool.clients > 0, now: now) { forget(pool) }
    }

    private func tick(_ pool: LocalPool, _ now: Instant) {
        let due = pool.machine.due(now: now) { shared.withLedger { $0.mayShrink(pool.id) } }
        for id in due.closing {
            if let link = links[id], let pooled = link.pooled { close(link, pooled) }
        }
        if !due.expired.isEmpty { refuseExpired(due.expired, pool) }
        if !due.refused.isEmpty, let failure = pool.failure {
            refuse(due.refused, in: pool, failure, cause: "server_unreachable")
        }
        // The limits may have been lowered.
        if shared.signal.isWanted, pool.machine.idleCount > 0, !mayKeep(pool, for: nil, now),
            let id = pool.machine.takeOldestIdle(), let link = links[id], let pooled = link.pooled
        {
            close(link, pooled)
        }
        // The need may have become pressing, or a failed login may be tried again.
        restate(pool, now)
        if settings.limits.minimum > 0, pool.failure == nil, !pool.machine.isPaused,
            shared.withLedger({ $0.takeForMinimum(pool.id, by: id) })
        {
            pool.machine.slotTakenForMinimum()
            open(pool)
        }
    }

    /// A need that is stated as pressing ages with its clients: it is stated anew for the oldest that waits now.
    private func restate(_ pool: LocalPool, _ now: Instant) {
        let demand = pool.machine.demand(now: now)
        if case .pressing = pool.stated, demand != pool.stated, demand != .none {
            pool.stated = .none
        }
        stateNeed(pool, now)
    }

    private func refuseExpired(_ waiters: [WaiterID], _ pool: LocalPool) {
        let obstacle = shared.withLedger { $0.obstacle(to: pool.id) }
        let error = PoolRefusal.waitedTooLong(
            pool.key, obstacle, settings, lastFailure: pool.failure)
        refuse(waiters, in: pool, error, cause: "query_wait_timeout")
    }

    func refuse(_ waiters: [WaiterID], in pool: LocalPool, _ error: ErrorResponse, cause: String) {
        for waiter in waiters {
            pool.waiters.removeValue(forKey: waiter)?.linkRefused(error, cause: cause)
        }
    }
}
