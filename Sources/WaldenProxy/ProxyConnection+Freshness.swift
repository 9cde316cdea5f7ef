import NIOCore
import Synchronization
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenSession

/// A place in the queue for a fresher cache.
struct FreshnessWait {
    let number: UInt64
    let waiter: UInt64
    let since: Instant
    let timeout: Scheduled<Void>
}

/// Looking up, and waiting within the budget until what was found is fresh enough.
extension ProxyConnection {
    /// - Parameter mayWait: False for a unit that has waited already.
    func lookUp(mayWait: Bool) {
        let arrival = arrivedAt ?? now
        arrivedAt = arrival
        guard let found = machine?.lookUp(in: context.cache, now: now, arrivedAt: arrival) else { return }
        switch found {
        case .hit(let payload):
            if !mayWait { counters.count { $0.waitsServed += 1 } }
            let reply = unsafeDowncast(payload as AnyObject, to: CachedReply.self)
            if let tag = reply.tag {
                tag.hits.bump()
                if counters.sampler.takesHit(), tag.audit != .none, primaryShowsAll, context.cache.beginsAudit(now: now)
                {
                    return audit()
                }
            }
            answer(with: reply, showing: context.cache.shownPosition)
            return
        case .stale(let staleness):
            if staleness.until == nil, answerInOutage() { return }
            staleFound(staleness, mayWait: mayWait)
        case .miss: fillOrForward()
        case .suspended:
            if answerInOutage() { return }
            forwardUnit(fill: nil)
        }
        if !mayWait { counters.count { $0.waitsInVain += 1 } }
    }

    /// Asks the server although there is a hit, to compare the two.
    private func audit() {
        auditBegan = now
        auditFill = nil
        fillOrForward(isAudit: true)
        if auditFill == nil { endAudit() }
    }

    func endAudit() {
        guard let began = auditBegan else { return }
        auditBegan = nil
        auditFill = nil
        context.cache.auditEnded(began: began, now: now)
    }

    private func staleFound(_ staleness: Staleness, mayWait: Bool) {
        if let until = staleness.until {
            context.cache.sessionNeedsFreshness(since: until)
            if mayWait, isWorthWaiting(staleness), wait(until: until) { return }
        }
        context.delegate.probeWanted()
        forwardUnit(fill: nil)
    }

    private func isWorthWaiting(_ staleness: Staleness) -> Bool {
        guard context.configuration.waitBudget > .zero else { return false }
        let isWorthIt =
            machine?.isWorthWaiting(
                level: staleness.level, fillTook: staleness.fillTook, typicalWait: context.waits.typical) ?? false
        if !isWorthIt { context.waits.refused() }
        return isWorthIt
    }

    /// Pauses until the cache is as fresh, or the budget is spent. False when there is no way to.
    private func wait(until instant: Instant) -> Bool {
        guard let loop = client?.eventLoop else { return false }
        waitNumber += 1
        let number = waitNumber
        let bound = NIOLoopBound(self, eventLoop: loop)
        let waiter = context.cache.awaitFreshness(instant) {
            loop.execute { bound.value.freshnessWaitEnded(number) }
        }
        guard let waiter else {
            lookUp(mayWait: false)
            return true
        }
        let timeout = loop.assumeIsolated().scheduleTask(in: context.configuration.waitBudget) {
            self.freshnessWaitEnded(number)
        }
        pause = .freshening(FreshnessWait(number: number, waiter: waiter, since: now, timeout: timeout))
        context.delegate.probeWanted()
        return true
    }

    /// The cache is fresh enough, or the time is up.
    private func freshnessWaitEnded(_ number: UInt64) {
        guard case .freshening(let wait) = pause, wait.number == number else { return }
        endWait(wait)
        readClock()
        context.waits.add(now.elapsed(since: wait.since))
        lookUp(mayWait: false)
        processClient()
        clientReadEnded()
    }

    func endWait(_ wait: FreshnessWait) {
        pause = nil
        wait.timeout.cancel()
        context.cache.stopAwaiting(wait.waiter)
    }
}

extension SessionMachine {
    fileprivate borrowing func lookUp(in cache: ResultCache, now: Instant, arrivedAt: Instant) -> Lookup {
        cache.lookup(key.span.bytes, now: now, needs: needs(arrivedAt: arrivedAt))
    }
}

/// What waiting for a fresher cache has been costing lately; shared by all connections.
///
/// A moving average over the last eight or so. Each request that does not wait because of it lowers it a little, so that
/// waiting is tried again when it may have become cheaper.
final class WaitEstimate: Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000)

    var typical: Duration { .nanoseconds(nanoseconds.load(ordering: .relaxed)) }

    // Two at the same time may lose one of their samples, which an average does not mind.

    func add(_ sample: Duration) {
        let old = nanoseconds.load(ordering: .relaxed)
        nanoseconds.store(old + (sample.wholeNanoseconds - old) / 8, ordering: .relaxed)
    }

    /// Whether waits end before the budget is spent, most of the time.
    func arePromising(within budget: Duration) -> Bool {
        guard budget > .zero else { return false }
        if typical * 10 <= budget * 9 { return true }
        refused()
        return false
    }

    func refused() {
        let old = nanoseconds.load(ordering: .relaxed)
        nanoseconds.store(old - old / 512, ordering: .relaxed)
    }
}
