import DequeModule
public import WaldenCore

/// The links of one pool on one event loop, and the clients that wait there for one.
///
///     slot ─► opening ─► preparing ─┬─ ready ─► resting ─┬─► lent ─┐
///                          ▲   │    └────── a client waits ─►──────┤
///                          │   └─► closed                          │
///                          ├────────── tested ◄── resting          │
///                          └────────── returned ◄──────────────────┘
///
/// A link is *opening* until it has logged in, and *preparing* while it is tested, cleaned after a client or closed; out
/// of that lead `linkReady` and `preparingLinkClosed`. Clients are served in the order in which they came. Links rest in
/// a stack, so that those not needed grow old and are closed.
///
/// Never: reads a clock, touches a channel, asks the ledger by itself.
public struct LoopPool {
    private struct Idle {
        let link: LinkID
        let since: Instant
        let expires: Instant
    }

    private struct Waiting {
        let waiter: WaiterID
        let since: Instant
        /// When a link was closed so that one that suits this client takes its place.
        var placedAt: Instant?
        /// It is told at once when no server can be reached.
        let isImpatient: Bool
    }

    private struct Backoff {
        let until: Instant
        let delay: Duration
        let failure: OpenFailure
    }

    private static let outageRetry = Duration.seconds(1)
    /// How long a pool without links and clients is remembered.
    private static let retention = Duration.seconds(60)

    public var times: PoolTimes
    private var idle: [Idle] = []
    private var waiting = Deque<Waiting>()
    /// Slots whose link is connecting or logging in.
    public private(set) var opening = 0
    public private(set) var preparing = 0
    public private(set) var lent = 0
    private var backoff: Backoff?
    /// As seen by looks at intervals.
    private var unusedSince: Instant?
    private var pauses: Set<PauseScope> = []

    public init(times: PoolTimes) {
        self.times = times
    }

    public var isPaused: Bool { !pauses.isEmpty }
    public var idleCount: Int { idle.count }
    public var waitingCount: Int { waiting.count }
    public var isUnused: Bool { linkCount == 0 && waiting.isEmpty }
    /// Slots that the loop holds for this pool.
    public var linkCount: Int { opening + preparing + lent + idle.count }
    public var oldestWait: Instant? { waiting.first?.since }
    /// Since when the link rests that rests for the longest.
    public var oldestIdle: Instant? { idle.first?.since }

    // MARK: Clients

    /// - Parameters:
    ///   - isImpatient: The client is refused at once while no server can be reached: it is about to begin its session, or
    ///     another node can serve it.
    ///   - suits: Whether a link can be brought to the state of the client's session.
    public mutating func clientArrived(
        _ waiter: WaiterID, isImpatient: Bool = false, now: Instant, suits: (LinkID) -> Bool = { _ in true }
    ) -> Arrival {
        var arrived = Waiting(waiter: waiter, since: now, isImpatient: isImpatient)
        // Who waits while links rest, is waiting for others than these.
        if !isPaused, let index = idle.lastIndex(where: { suits($0.link) }) {
            let link = idle.remove(at: index)
            if now.elapsed(since: link.since) < times.check {
                lent += 1
                return .lend(link.link)
            }
            preparing += 1
            waiting.append(arrived)
            return .test(link.link)
        }
        if !isPaused, let link = takeOldestIdle() {
            arrived.placedAt = now
            waiting.append(arrived)
            return .replace(link)
        }
        if linkCount == 0, let backoff, now < backoff.until, refuses(arrived, backoff.failure, now) { return .refuse }
        waiting.append(arrived)
        return .wait
    }

    /// Whether the client is told of the failure instead of waiting for another attempt.
    private func refuses(_ client: Waiting, _ failure: OpenFailure, _ now: Instant) -> Bool {
        switch failure {
        case .passing: false
        case .outage: client.isImpatient || now.elapsed(since: client.since) >= times.outage
        case .refusal: true
        }
    }

    /// Takes those off the queue who are to be told of the failure.
    private mutating func takeRefused(_ failure: OpenFailure, _ now: Instant) -> [WaiterID] {
        guard failure != .passing, lent + idle.count + preparing == 0 else { return [] }
        let refused = waiting.filter { refuses($0, failure, now) }
        if !refused.isEmpty { waiting = Deque(waiting.filter { !refuses($0, failure, now) }) }
        return refused.map(\.waiter)
    }

    /// A client does not wait any more. False: it has been served or told already.
    @discardableResult
    public mutating func clientLeft(_ waiter: WaiterID) -> Bool {
        guard let index = place(of: waiter) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// The waiters' numbers grow, so the queue is sorted by them.
    private func place(of waiter: WaiterID) -> Int? {
        var low = waiting.startIndex
        var high = waiting.endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if waiting[middle].waiter < waiter { low = middle + 1 } else { high = middle }
        }
        return low < waiting.endIndex && waiting[low].waiter == waiter ? low : nil
    }

    /// All that wait, in their order; they wait no more.
    public mutating func takeWaiters() -> [WaiterID] {
        defer { waiting.removeAll() }
        return waiting.map(\.waiter)
    }

    // MARK: Slots

    /// Whether to ask the ledger for a slot.
    public func demand(now: Instant) -> Demand {
        guard !isPaused, let oldest = waiting.first?.since, waiting.count > opening + preparing else { return .none }
        if let backoff, now < backoff.until { return .none }
        if linkCount == 0 || now.elapsed(since: oldest) >= times.handover { return .pressing(since: oldest) }
        return .ordinary(since: oldest)
    }

    /// A slot is the pool's. True: open a link. False: nobody waits for one; return the slot.
    public mutating func slotGranted(now: Instant) -> Bool {
        guard case .none = demand(now: now) else {
            opening += 1
            return true
        }
        return false
    }

    /// A slot that was taken to keep the pool at its minimum.
    public mutating func slotTakenForMinimum() {
        opening += 1
    }

    // MARK: Links

    /// A link has logged in, so the server is well; the link is preparing until `linkReady`.
    public mutating func linkOpened() {
        opening -= 1
        preparing += 1
        backoff = nil
    }

    /// No connection was made, or the server refused the login; the slot is to be returned.
    ///
    /// - Returns: those that waited and are to be told the reason; none while other links can serve them.
    public mutating func openFailed(_ failure: OpenFailure, now: Instant) -> [WaiterID] {
        opening -= 1
        // While clients wait for it, a server that comes back is not to be noticed long after.
        let last = failure == .outage ? min(times.retry.last, Self.outageRetry) : times.retry.last
        let delay = backoff.map { min($0.delay * 2, last) } ?? times.retry.first
        backoff = Backoff(until: now + delay, delay: delay, failure: failure)
        return takeRefused(failure, now)
    }

    /// A client gives its link back, to be cleaned first or to be ready at once.
    public mutating func linkReturned() {
        lent -= 1
        preparing += 1
    }

    /// A link that was preparing can serve. What `Readiness` says has been noted, but `close`, after which
    /// `preparingLinkClosed` follows.
    ///
    /// - Parameter suits: Whether it can be brought to the state of a client's session. Where it does not suit the first,
    ///   it makes room for one that does, unless another has just done so; else it goes to the next that it suits.
    public mutating func linkReady(
        _ link: LinkID, expires: Instant, now: Instant, suits: (WaiterID) -> Bool = { _ in true }
    ) -> Readiness {
        if isPaused || now >= expires { return .close }
        if let first = waiting.first, !suits(first.waiter), !hasPlace(first, now) {
            waiting[0].placedAt = now
            return .close
        }
        preparing -= 1
        if let index = waiting.firstIndex(where: { suits($0.waiter) }) {
            lent += 1
            return .lend(link, to: waiting.remove(at: index).waiter)
        }
        idle.append(Idle(link: link, since: now, expires: expires))
        return .rest
    }

    /// Whether a link for this client may still be on its way.
    private func hasPlace(_ client: Waiting, _ now: Instant) -> Bool {
        guard let placedAt = client.placedAt else { return false }
        return now.elapsed(since: placedAt) < times.handover
    }

    /// A link that was preparing is gone.
    public mutating func preparingLinkClosed() {
        preparing -= 1
    }

    /// Takes a link that rests, to be closed or because it ended by itself; it counts as preparing until
    /// `preparingLinkClosed`. False: it does not rest.
    public mutating func takeIdle(_ link: LinkID) -> Bool {
        guard let index = idle.firstIndex(where: { $0.link == link }) else { return false }
        idle.remove(at: index)
        preparing += 1
        return true
    }

    /// The link that rests for the longest, to be closed; it counts as preparing until `preparingLinkClosed`.
    public mutating func takeOldestIdle() -> LinkID? {
        guard !idle.isEmpty else { return nil }
        preparing += 1
        return idle.removeFirst().link
    }

    /// All that rest, to be closed, as `takeOldestIdle`.
    private mutating func takeIdle() -> [LinkID] {
        defer { idle.removeAll() }
        preparing += idle.count
        return idle.map(\.link)
    }

    // MARK: Time and orders

    /// - Parameter mayShrink: Whether one more link may go for being idle; asked for each.
    public mutating func due(now: Instant, mayShrink: () -> Bool) -> Due {
        var due = Due()
        if times.wait > .zero {
            while let first = waiting.first, now.elapsed(since: first.since) >= times.wait {
                due.expired.append(first.waiter)
                waiting.removeFirst()
            }
        }
        // Who waits while links rest needs another: none has made room yet, or that went to another loop or pool.
        if !isPaused, !idle.isEmpty, let first = waiting.first, now.elapsed(since: first.since) >= times.handover,
            !hasPlace(first, now)
        {
            waiting[0].placedAt = now
            due.closing.append(idle.removeFirst().link)
        }
        if opening == 0, let backoff, backoff.failure == .outage, now < backoff.until {
            due.refused = takeRefused(.outage, now)
        }
        // Links are not renewed all at once: one at a time, and each has an end of its own.
        if let index = idle.firstIndex(where: { $0.expires <= now }) {
            due.closing.append(idle.remove(at: index).link)
        } else if times.idle > .zero, let first = idle.first, now.elapsed(since: first.since) >= times.idle, mayShrink()
        {
            due.closing.append(idle.removeFirst().link)
        }
        preparing += due.closing.count
        return due
    }

    /// Whether the loop may forget the pool; to be asked at intervals.
    ///
    /// - Parameter hasClients: Some session may ask for a link, now or later.
    public mutating func mayBeForgotten(hasClients: Bool, now: Instant) -> Bool {
        guard !hasClients, isUnused else {
            unusedSince = nil
            return false
        }
        let since = unusedSince ?? now
        unusedSince = since
        return now.elapsed(since: since) >= Self.retention
    }

    /// - Returns: links to be closed, which count as preparing.
    public mutating func pause(_ scope: PauseScope) -> [LinkID] {
        pauses.insert(scope)
        return takeIdle()
    }

    public mutating func resume(_ scope: PauseScope) {
        pauses.remove(scope)
    }
}
