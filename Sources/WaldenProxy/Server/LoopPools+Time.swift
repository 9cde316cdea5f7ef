import NIOCore
import WaldenCore
import WaldenPool
import WaldenWire

/// What is due by the clock.
extension LoopPools {
    // MARK: Clients' time limits

    func clientCame(_ client: ProxyConnection) {
        guard let interval = shared.configuration.pool.clientLimits.lookInterval else { return }
        clients[ObjectIdentifier(client)] = client
        guard !looksAtClients else { return }
        looksAtClients = true
        scheduleLook(.nanoseconds(interval.wholeNanoseconds))
    }

    private func scheduleLook(_ delay: TimeAmount) {
        loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.lookAtClients()
            self?.scheduleLook(delay)
        }
    }

    func clientWent(_ client: ProxyConnection) {
        clients[ObjectIdentifier(client)] = nil
    }

    private func lookAtClients() {
        let now = now
        for client in clients.values { client.lookAtLimits(shared.configuration.pool.clientLimits, now: now) }
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
        for pool in byID.values where !pool.machine.isUnused || shared.configuration.pool.limits.minimum > 0 {
            tick(pool, now)
        }
        tickCount &+= 1
        if tickCount % Self.ticksPerNameLook == 0 { lookAtNames() }
        if tickCount % 5 == 0 { shared.publish(all.map { PoolFigures(key: $0.key, $0.machine) }, of: id) }
    }

    private func tick(_ pool: LocalPool, _ now: Instant) {
        let due = pool.machine.due(now: now) { shared.withLedger { $0.mayShrink(pool.id) } }
        for id in due.closing {
            if let link = links[id], let pooled = link.pooled { close(link, pooled) }
        }
        if !due.expired.isEmpty { refuseExpired(due.expired, pool) }
        // The need may have become pressing, or a failed login may be tried again.
        restate(pool, now)
        if shared.configuration.pool.limits.minimum > 0, pool.failure == nil, !pool.machine.isPaused,
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
            pool.key, obstacle, shared.configuration.pool, lastFailure: pool.failure)
        refuse(waiters, in: pool, error, cause: "query_wait_timeout")
    }

    func refuse(_ waiters: [WaiterID], in pool: LocalPool, _ error: ErrorResponse, cause: String) {
        for waiter in waiters {
            pool.waiters.removeValue(forKey: waiter)?.linkRefused(error, cause: cause)
        }
    }
}
