import NIOCore
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenRouting
import WaldenSession
import WaldenWire

/// Where one read goes.
struct RoutedRead {
    /// Nil: the primary, whoever it is when the read is sent.
    let replica: NodeID?
    let reason: RouteReason
    /// What the decision for a replica rests on.
    let basis: ReplicaBasis?
    /// How often its connections were too young for what was known of the node.
    var attempts = 0
    /// The fill under way is of what `basis` tells of.
    var isFilling = false
}

/// Waiting for a replica to catch up, or to be looked at.
struct RouteWait {
    /// What is done with the decision.
    enum Purpose {
        case acquire
        case fill
        /// The session stays where it is bound to.
        case confirm
    }

    let number: UInt64
    let waiter: UInt64
    let timeout: Scheduled<Void>
    let since: Instant
    let needs: ReadNeeds
    let purpose: Purpose
    let isForCoverage: Bool
}

/// Choosing the node for a read of a pooled client, by what it must show.
extension ProxyConnection {
    /// How long a server connection may wait for the look that vouches for it. A look takes a few milliseconds.
    private static let lookLimit = Duration.milliseconds(250)
    /// How long a read waits at least that no other node can serve.
    private static let lastPatience = Duration.seconds(1)
    /// Server connections that were too young, until the read is not sent to a replica any more.
    private static let maxAttempts = 4

    private var isReadOnly: Bool { info.listener == .readOnly }

    // MARK: Deciding

    /// Takes a link for `demand`: to the primary, or where the read may go that it is for.
    func acquireLink(for demand: ServerDemand) {
        guard let pooled, let needs = demand.needs, context.routes.hasReplicas || isReadOnly else {
            pooled?.read = nil
            return acquirePrimary()
        }
        pooled.neededBy = needs
        guard pooled.read != nil || choose(needs, for: .acquire) else { return }
        acquireChosen()
    }

    /// Where the unit at the front, which was not found in the cache, is about to run; nil: not known yet.
    func fillServer(isAudit: Bool) -> FillServer? {
        guard let pooled, !isAudit, context.routes.hasReplicas || isReadOnly else { return .primary }
        if pooled.read == nil {
            // Bound to its server, whatever the read needs.
            guard link == nil else { return .primary }
            let needs = clientInput.withUnsafeReadableBytes { machine?.fillNeeds($0.bytes, context) ?? nil }
            guard let needs else { return .primary }
            pooled.neededBy = needs
            guard choose(needs, for: .fill) else { return nil }
        }
        guard let basis = pooled.read?.basis else { return .primary }
        return .standby(replayed: basis.replayed, covering: basis.covering)
    }

    /// Whether the primary, which audits ask, is known to show all that replicas have shown to the session.
    var primaryShowsAll: Bool {
        guard let (replica, endedAt) = machine?.unsettledRead() else { return true }
        return context.routes.isSettled(RouteRequest.LastRead(node: replica, endedAt: endedAt))
    }

    /// Decides where the read goes. False: it waits, or was refused; `routeWaitEnded` goes on.
    private func choose(_ needs: ReadNeeds, for purpose: RouteWait.Purpose, hasWaited: Bool = false) -> Bool {
        guard let pooled else { return false }
        let arrival = arrivedAt ?? now
        arrivedAt = arrival
        var request = RouteRequest(
            needs: needs.instant(arrivedAt: arrival), now: now, preference: needs.preference,
            fallback: isReadOnly ? .none : .primary, maxLag: needs.maxLag ?? context.configuration.maxLag)
        if needs.level != .bounded, let node = needs.lastReplica {
            request.lastRead = RouteRequest.LastRead(
                node: node, endedAt: needs.lastReplicaAt, isSettled: needs.isSettled)
            request.settling = context.configuration.settleWait
        }
        request.avoided = needs.avoided
        if purpose == .confirm {
            request.only = link?.node
            request.fallback = .none
        }
        request.shown = needs.level == .bounded ? .zero : needs.shown
        request.hasWaited = hasWaited
        if !hasWaited { request.patience = patience(request) }
        let (decision, basis) = context.routes.choose(request)
        switch decision {
        case .replica(let node, let reason):
            pooled.read = RoutedRead(replica: node, reason: reason, basis: basis, attempts: pooled.read?.attempts ?? 0)
        case .primary(let reason):
            pooled.read = RoutedRead(replica: nil, reason: reason, basis: nil)
        case .wait(let demand, let deadline):
            let limit = deadline.elapsed(since: now)
            if wait(for: .coverage(demand), within: limit, needs, purpose) { return false }
            return choose(needs, for: purpose, hasWaited: true)
        case .settle(let last, let deadline):
            if wait(for: .settled(last), within: deadline.elapsed(since: now), needs, purpose) { return false }
            return choose(needs, for: purpose, hasWaited: true)
        case .refused(let reason):
            if purpose == .confirm { refuseBound(reason) } else { refuse(reason) }
            return false
        }
        return true
    }

    /// How long the read may wait. Where it has no primary to go to, waiting is better than an error.
    private func patience(_ request: RouteRequest) -> Duration {
        let budget = context.configuration.routeWait
        if request.fallback == .none { return max(budget, Self.lastPatience) }
        return request.preference == .replica || context.routes.waits.arePromising(within: budget) ? budget : .zero
    }

    /// The unit at the front is sent: where it runs is settled.
    func countRead() {
        guard let pooled else { return }
        let unrouted = machine?.takeUnrouted()
        if let read = pooled.read {
            pooled.read = nil
            if read.replica == nil { machine?.readsAtPrimary() }
            context.routes.sent(to: read.replica ?? context.routes.primary, read.reason)
        } else if let unrouted, context.routes.hasReplicas {
            context.routes.stayed(unrouted)
        }
    }

    /// Goes on with `continuation` if the replica that the session is bound to is as fresh as it needs.
    func confirm(_ needs: ReadNeeds) {
        guard let pooled else { return }
        pooled.neededBy = needs
        guard choose(needs, for: .confirm) else { return }
        serverConfirmed()
    }

    private func refuseBound(_ reason: RouteReason) {
        let pins = machine?.pins.map(\.rawValue).joined(separator: ", ") ?? ""
        func words(_ severity: ResponseFields.Severity) -> ErrorResponse {
            ErrorResponse(
                severity: severity, sqlState: .cannotConnectNow,
                message: "the replica that the session is bound to cannot serve the statement (\(reason.rawValue))",
                detail: pins.isEmpty ? "Pools are lent by session." : "The session is bound by: \(pins).",
                hint: "Repeat it when the replica has caught up, or release what binds the session.")
        }
        refuseFront(words(.error), cause: "no_replica", else: words(.fatal))
    }

    private func refuse(_ reason: RouteReason) {
        let words = ErrorResponse(
            sqlState: .cannotConnectNow, message: "no replica can serve the statement (\(reason.rawValue))",
            detail: "The client came by the read-only address, which never leads to the primary.",
            hint: "See the nodes in Walden's status, or connect to the other address.")
        let fatal = ErrorResponse(
            severity: .fatal, sqlState: .cannotConnectNow,
            message: "no replica can serve the session (\(reason.rawValue))",
            detail: "The client came by the read-only address, which never leads to the primary.")
        refuseFront(words, cause: "no_replica", else: fatal)
    }

    private func acquireChosen() {
        if let replica = pooled?.read?.replica { acquireLink(to: replica) } else { acquirePrimary() }
    }

    func acquirePrimary() {
        acquireLink(to: context.routes.primary)
    }

    /// The node that a link was waited for is the primary no more.
    func primaryMoved(from node: NodeID) {
        guard state != .closed, let pooled, pooled.waiting != nil else { return }
        pooled.waiting = nil
        if case .acquiring = pause { pause = nil }
        readClock()
        if pooled.read?.replica == node { return giveUpReplicas() }
        acquirePrimary()
        clientReadEnded()
    }

    // MARK: Waiting

    /// False: it has happened already, or there is no way to wait.
    private func wait(
        for event: RouteTable.Event, within limit: Duration, _ needs: ReadNeeds, _ purpose: RouteWait.Purpose
    ) -> Bool {
        guard let pooled, let loop = client?.eventLoop else { return false }
        pooled.routeWaitNumber += 1
        let number = pooled.routeWaitNumber
        let bound = NIOLoopBound(self, eventLoop: loop)
        let waiter = context.routes.wait(for: event, now: now) {
            loop.execute { bound.value.routeWaitEnded(number) }
        }
        guard let waiter else { return false }
        let timeout = loop.assumeIsolated().scheduleTask(in: .nanoseconds(limit.wholeNanoseconds)) {
            self.routeWaitEnded(number)
        }
        let isForCoverage = if case .coverage = event { true } else { false }
        pooled.routeWait = RouteWait(
            number: number, waiter: waiter, timeout: timeout, since: now, needs: needs, purpose: purpose,
            isForCoverage: isForCoverage)
        pause = .acquiring
        adjustReading()
        return true
    }

    func endRouteWait() {
        guard let wait = pooled?.routeWait else { return }
        pooled?.routeWait = nil
        wait.timeout.cancel()
        context.routes.stopWaiting(wait.waiter)
    }

    private func routeWaitEnded(_ number: UInt64) {
        guard state != .closed, let wait = pooled?.routeWait, wait.number == number else { return }
        endRouteWait()
        if case .acquiring = pause { pause = nil }
        readClock()
        if wait.isForCoverage { context.routes.waits.add(now.elapsed(since: wait.since)) }
        decided(wait.needs, wait.purpose)
        processClient()
        clientReadEnded()
    }

    /// Decides once more, without patience, and goes on.
    private func decided(_ needs: ReadNeeds, _ purpose: RouteWait.Purpose) {
        guard choose(needs, for: purpose, hasWaited: true) else { return }
        switch purpose {
        case .acquire: acquireChosen()
        case .fill: fillOrForward()
        case .confirm: serverConfirmed()
        }
    }

    // MARK: Replicas that cannot be used after all

    /// Whether what was known of the node when the read was sent there holds for this connection.
    func isVouchedFor(_ link: ServerLink, _ served: PooledLink) -> Bool {
        guard link.node != context.routes.primary else { return true }
        guard let basis = pooled?.read?.basis else { return false }
        return served.bornAt <= basis.askedAt
    }

    /// The connection is younger than what is known of its node, which may have been restarted meanwhile and not be as far
    /// as it was: it rests until the node has been looked at once more.
    func awaitLook(at node: NodeID, since: Instant) {
        guard let pooled, let needs = pooled.neededBy, let link else { return }
        workEnded()
        self.link = nil
        pooled.pools.release(link, .clean)
        abandonHeldFill()
        let attempts = (pooled.read?.attempts ?? 0) + 1
        guard attempts <= Self.maxAttempts else { return giveUpReplicas() }
        pooled.read?.attempts = attempts
        if wait(for: .look(node, since: since), within: Self.lookLimit, needs, .acquire) { return }
        decided(needs, .acquire)
    }

    /// No connection to the replica is to be had: the read goes to another one, or in the end to the primary, if it may.
    /// False: nothing was routed.
    func readsElsewhere() -> Bool {
        guard let pooled, let replica = pooled.read?.replica else { return false }
        if case .acquiring = pause { pause = nil }
        abandonHeldFill()
        if var needs = pooled.neededBy, needs.avoided == nil {
            needs.avoided = replica
            pooled.neededBy = needs
            decided(needs, .acquire)
        } else {
            giveUpReplicas()
        }
        processClient()
        clientReadEnded()
        return true
    }

    private func giveUpReplicas() {
        guard !isReadOnly else { return refuse(.unusable) }
        pooled?.read = RoutedRead(replica: nil, reason: .unusable, basis: nil)
        acquirePrimary()
    }

    /// What it was to show is not what will be shown.
    private func abandonHeldFill() {
        pooled?.read?.isFilling = false
        if let fill = takeHeldFill() { abandon(FillID(rawValue: fill), .incomplete) }
    }

    // MARK: Work

    func workBegan(on node: NodeID) {
        guard context.routes.hasReplicas, let pooled else { return }
        pooled.worksOn = node
        context.routes.began(node)
    }

    func workEnded() {
        guard let node = pooled?.worksOn else { return }
        pooled?.worksOn = nil
        context.routes.ended(node)
    }
}
