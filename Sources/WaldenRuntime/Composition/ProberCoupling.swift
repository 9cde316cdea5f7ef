import Logging
import Synchronization
import WaldenCache
import WaldenCore
import WaldenPostgres

/// Hands probes to the cache and the cache's demands to prober and stream, on the prober's thread.
final class ProberCoupling: ProberDelegate {
    /// What the cache's demands are met by. The parts exist later than those that call them.
    final class Hands: Sendable {
        private typealias Attached = (services: PrimaryServices, catalog: @Sendable () -> Void)
        private let attached = Mutex<Attached?>(nil)

        func attach(_ services: PrimaryServices, catalog: @escaping @Sendable () -> Void) {
            attached.withLock { $0 = (services, catalog) }
        }

        var isStreaming: Bool { attached.withLock { $0 }?.services.status.state == .streaming }

        func requestKeepalive() {
            attached.withLock { $0 }?.services.requestKeepalive()
        }

        func requestProbe() {
            attached.withLock { $0 }?.services.requestProbe()
        }

        func requestCatalog() {
            attached.withLock { $0 }?.catalog()
        }
    }

    private struct State {
        var hands: Hands?
        var nodes: NodeBoard?
        var system: SystemIdentity?
        var problem: PostgresError?
        var repeated = RepeatedProblem()
        var newest: Probe?
        var unloggedCatalog: String?
        var sessionDefaults: String?
        var sessionDefaultsChanged: (@Sendable () -> Void)?
        var probes: UInt64 = 0
        var heartbeats: UInt64 = 0
    }

    private let state = Mutex(State())
    private let cache: ResultCache
    private let log: Logger

    init(cache: ResultCache, log: Logger) {
        self.cache = cache
        self.log = log
    }

    func attach(_ hands: Hands) {
        state.withLock { $0.hands = hands }
    }

    func attach(_ nodes: NodeBoard) {
        state.withLock { $0.nodes = nodes }
    }

    /// Nothing comes from the old primary any more; the new one has not been asked.
    func primaryChanged() {
        state.withLock { state in
            state.system = nil
            state.newest = nil
            state.unloggedCatalog = nil
            state.sessionDefaults = nil
        }
    }

    /// Why there is no control connection; nil while there is one.
    var problem: PostgresError? { state.withLock { $0.problem } }
    var newestProbe: Probe? { state.withLock { $0.newest } }
    var probes: UInt64 { state.withLock { $0.probes } }
    var heartbeats: UInt64 { state.withLock { $0.heartbeats } }

    func proberConnected(_ identity: ServerIdentity, change: ServerIdentity.Change) {
        state.withLock { state in
            state.problem = nil
            state.system = identity.system
            state.repeated.ended()
        }
        switch change {
        case .first, .none: break
        case .restarted, .otherTimeline, .otherSystem:
            // Commits that readers had seen may be gone with the old run or the old timeline.
            let dropped = cache.flush()
            log.warning(
                "the primary is not the one it was: the cache was emptied",
                metadata: ["change": "\(change.rawValue)", "entries": "\(dropped)"])
        }
        log.info("the control connection stands", metadata: ["timeline": "\(identity.system.timeline)"])
    }

    /// - Parameter sessionDefaultsChanged: Called when sessions that begin from now on have, or may have, other defaults
    ///   than those that began before; before a probe vouches for a moment after that.
    func attach(sessionDefaultsChanged: @escaping @Sendable () -> Void) {
        state.withLock { $0.sessionDefaultsChanged = sessionDefaultsChanged }
    }

    func unloggedCatalogSeen(_ fingerprint: String, sessionDefaults: String, under snapshot: Snapshot) {
        let renewal: (@Sendable () -> Void)? = state.withLock { state in
            guard state.sessionDefaults != sessionDefaults else { return nil }
            state.sessionDefaults = sessionDefaults
            return state.sessionDefaultsChanged
        }
        renewal?()
        let hands: Hands? = state.withLock { state in
            guard state.unloggedCatalog != fingerprint else { return nil }
            state.unloggedCatalog = fingerprint
            return state.hands
        }
        guard let hands else { return }
        // The first one, too: nobody knows whether the catalog was read before it or after.
        cache.unloggedChangeSeen(under: snapshot)
        hands.requestCatalog()
        log.info("something has changed that the log does not tell of, so the cache was emptied")
    }

    func probeCompleted(_ probe: Probe) {
        let (nodes, system) = state.withLock { state in
            state.newest = probe
            state.probes += 1
            return (state.nodes, state.system)
        }
        if let nodes, let system { nodes.primaryProbed(probe, of: system) }
        if cache.probeCompleted(probe, now: MonotonicClock.now()) == .regressed {
            log.error("the primary's log went back: the cache was emptied and waits for a new stream")
        }
    }

    func proberLost(_ loss: ProberLoss) {
        let isNews = state.withLock { state in
            state.problem = loss.error
            return state.repeated.isNews("\(loss.error)", now: MonotonicClock.now())
        }
        log.log(
            level: isNews ? .warning : .debug, "no control connection, so nothing can be cached anew",
            metadata: ["error": "\(loss.error)"])
    }

    func nextDemand() -> WaldenPostgres.ProbeDemand {
        let demand = cache.demand(now: MonotonicClock.now())
        let hands = state.withLock { $0.hands }
        if demand.keepalive { hands?.requestKeepalive() }
        if demand.catalog { hands?.requestCatalog() }
        var result: WaldenPostgres.ProbeDemand = []
        if demand.probe { result.insert(.probe) }
        if demand.keepalive { result.insert(.soon) }
        if demand.nudge {
            result.insert(.heartbeat)
            state.withLock { $0.heartbeats += 1 }
        }
        return result
    }
}
