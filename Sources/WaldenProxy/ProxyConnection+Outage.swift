import NIOCore
import WaldenCache
import WaldenCore
import WaldenSession
import WaldenWire

/// Answers from the cache while another node takes the role of primary (`cache.outage_staleness`).
extension ProxyConnection {
    /// The unit at the front was looked up, and nobody vouches for what is kept. False: it is a server's.
    func answerInOutage() -> Bool {
        guard let hit = outageHit() else { return false }
        answer(withOutdated: hit)
        return true
    }

    /// The primary is being replaced from now on. Who waits for it since it was lost may be answered without it.
    func primaryHeld() {
        guard state == .relaying, case .acquiring = pause, case .forward = afterAcquiring, heldFill == nil,
            machine?.isQuiescent ?? false, let pooled, let waiting = pooled.waiting
        else { return }
        readClock()
        guard let hit = outageHit(), pooled.pools.stopWaiting(waiting.waiter, in: waiting.pool) else { return }
        pooled.waiting = nil
        pause = nil
        afterAcquiring = .goOn
        answer(withOutdated: hit)
        processClient()
        clientReadEnded()
    }

    private func outageHit() -> OutageHit? {
        guard context.cache.servesOutages, machine?.mayHitInOutage(context) ?? false, context.routes.isHeld else {
            return nil
        }
        return machine?.lookUpInOutage(in: context.cache, now: now, arrivedAt: arrivedAt ?? now)
    }

    private func answer(withOutdated hit: OutageHit) {
        let reply = unsafeDowncast(hit.payload as AnyObject, to: CachedReply.self)
        reply.tag?.hits.bump()
        let notice = NoticeResponse(servedInOutage: hit.age).encoded()
        answer(with: reply, showing: context.cache.shownPosition, notice: notice)
    }
}

extension SessionMachine {
    fileprivate borrowing func lookUpInOutage(in cache: ResultCache, now: Instant, arrivedAt: Instant) -> OutageHit? {
        cache.lookupInOutage(key.span.bytes, now: now, needs: needs(arrivedAt: arrivedAt))
    }
}
