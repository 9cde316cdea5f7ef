import Logging
import Synchronization
import WaldenCache
import WaldenCore
import WaldenPostgres

/// Hands the replication stream's events to the cache, on the stream's thread.
///
/// The cache starts with a look at the primary made after the slot exists (docs/adr/0003). It is made here, on the
/// thread that delivers, so that nothing is delivered between the look and the start. If it fails the stream goes on
/// unheard, the cache stays suspended, and the start is tried again at a later position, which is as good.
final class StreamCoupling: StreamDelegate {
    private struct State {
        /// Where the stream stands; the cache starts here.
        var position = LSN.zero
        var hasStarted = false
        var nextAttempt = Instant.distantPast
        var lastLoss: StreamLoss?
        var losses: UInt64 = 0
        var problem = RepeatedProblem()
        var startProbe: StartProbe
    }

    private static let attemptInterval = Duration.milliseconds(500)

    private let state: Mutex<State>
    private let cache: ResultCache
    private let catalogWanted: @Sendable () -> Void
    private let probeWanted: @Sendable () -> Void
    private let log: Logger

    init(
        cache: ResultCache, startProbe: StartProbe, log: Logger, catalogWanted: @escaping @Sendable () -> Void,
        probeWanted: @escaping @Sendable () -> Void
    ) {
        self.cache = cache
        state = Mutex(State(startProbe: startProbe))
        self.log = log
        self.catalogWanted = catalogWanted
        self.probeWanted = probeWanted
    }

    /// Nothing comes from the old primary's stream any more; the new one's has not begun.
    func primaryChanged(_ startProbe: StartProbe) {
        state.withLock { state in
            state.startProbe = startProbe
            state.hasStarted = false
        }
        cache.streamLost(reason: "another node is the primary", now: MonotonicClock.now())
        _ = cache.flush()
    }

    var lastLoss: StreamLoss? { state.withLock { $0.lastLoss } }
    var losses: UInt64 { state.withLock { $0.losses } }

    func streamStarted(at position: LSN, identity: SystemIdentity) {
        log.info(
            "the stream has started",
            metadata: ["position": "\(position)", "timeline": "\(identity.timeline)"])
        state.withLock { state in
            state.position = position
            state.hasStarted = false
            state.nextAttempt = .distantPast
        }
        startIfDue()
    }

    func streamDelivered(_ transaction: CommittedTransaction) {
        guard reached(transaction.endLSN) else { return startIfDue() }
        let report = cache.apply(transaction, now: MonotonicClock.now())
        if report.catalogChanged { catalogWanted() }
        if report.wantsProbe { probeWanted() }
    }

    func streamAdvanced(to position: LSN) {
        guard reached(position) else { return startIfDue() }
        cache.advanceWatermark(to: position, now: MonotonicClock.now())
    }

    func streamHeard() {
        startIfDue()
    }

    func streamLost(_ loss: StreamLoss) {
        let now = MonotonicClock.now()
        let isNews = state.withLock { state in
            state.hasStarted = false
            state.lastLoss = loss
            if loss.hadStarted { state.losses += 1 }
            return state.problem.isNews("\(loss.error)", now: now)
        }
        cache.streamLost(reason: "\(loss.error)", now: now)
        log.log(
            level: isNews ? .warning : .debug, "no stream, so nothing is cached",
            metadata: ["reason": "\(loss.reason.rawValue)", "error": "\(loss.error)"])
    }

    /// Notes the position; whether the cache is to hear of it.
    private func reached(_ position: LSN) -> Bool {
        state.withLock { state in
            state.position = max(state.position, position)
            return state.hasStarted
        }
    }

    private func startIfDue() {
        let now = MonotonicClock.now()
        let due: (position: LSN, probe: StartProbe)? = state.withLock { state in
            guard !state.hasStarted, now >= state.nextAttempt else { return nil }
            state.nextAttempt = now + Self.attemptInterval
            return (state.position, state.startProbe)
        }
        guard let (position, startProbe) = due else { return }
        do throws(PostgresError) {
            let (probe, ceiling) = try startProbe.take()
            cache.streamStarted(at: position, probe: probe, ceiling: ceiling, now: MonotonicClock.now())
            state.withLock { state in
                state.hasStarted = true
                state.problem.ended()
            }
            probeWanted()
        } catch {
            log.warning("the cache could not be started yet", metadata: ["error": "\(error)"])
        }
    }
}
