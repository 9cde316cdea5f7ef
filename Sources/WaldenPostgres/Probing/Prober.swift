internal import Synchronization
internal import WaldenCore

/// Asks the primary over SQL what is visible and how far its log reaches: a thread with a control connection that
/// probes on demand, and at least once per tick. One probe serves all who asked before it began.
public final class Prober: Sendable {
    public struct Configuration: Sendable {
        public var dsn: DSN
        /// Longest time between two probes. Default 1 s.
        public var tickInterval = Duration.seconds(1)
        /// Shortest time between the beginnings of two probes. Default 1 ms, at most 100 ms.
        public var probeSpacing = Duration.milliseconds(1)
        /// Until the next probe while something waits for the stream. Default 10 ms.
        public var soonInterval = Duration.milliseconds(10)
        /// Shortest time between two heartbeats. Default 10 ms.
        public var heartbeatSpacing = Duration.milliseconds(10)
        /// A server that does not answer a probe in time is given up. Default 5 s.
        public var probeTimeout = Duration.seconds(5)
        /// Each probe looks for schema changes, because no event trigger tells of them. Default false.
        public var watchesSchema = false
        public var backoffInitial = Duration.milliseconds(100)
        public var backoffMaximum = Duration.seconds(5)

        public init(dsn: DSN) {
            self.dsn = dsn
        }
    }

    private let configuration: Configuration
    private let delegate: any ProberDelegate
    private let signals: ProberSignals
    private let seed: UInt64
    private let thread = Mutex<OwnedThread?>(nil)

    /// `seed` makes the jitter of the backoff; give a random one.
    public init(_ configuration: Configuration, seed: UInt64, delegate: any ProberDelegate) throws(PostgresError) {
        self.configuration = configuration
        self.delegate = delegate
        self.seed = seed
        signals = try ProberSignals()
    }

    /// Starts the thread. Once only.
    public func start() throws(PostgresError) {
        let started = try OwnedThread(name: "walden-prober") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Has a probe begin after this call, as soon as the one that runs has ended. From any thread; requests that come
    /// together become one.
    public func requestProbe() {
        signals.demand(.probe)
    }

    /// Has a message written into the log and flushed, once `heartbeatSpacing` has passed since the last.
    public func emitHeartbeat() {
        signals.demand(.heartbeat)
    }

    /// Ends the prober. Returns at once; `join` waits for the end, which takes milliseconds.
    public func stop() {
        signals.stop.raise()
    }

    /// Waits until the thread has ended. Blocks: not for the cooperative pool.
    public func join() {
        thread.withLock { $0 }?.join()
    }
}

extension Prober {
    private func run() {
        var backoff = Backoff(
            initial: configuration.backoffInitial, maximum: configuration.backoffMaximum, seed: seed)
        var previous: ServerIdentity?
        while !signals.stop.isRaised {
            var wasConnected = false
            do throws(PostgresError) {
                let session = try ProberSession(configuration, signals, delegate)
                wasConnected = true
                delegate.proberConnected(session.identity, change: session.identity.change(from: previous))
                previous = session.identity
                backoff.succeeded()
                try session.serve()
            } catch {
                guard !signals.stop.isRaised else { return }
                let pause = backoff.failed()
                delegate.proberLost(ProberLoss(error: error, wasConnected: wasConnected, retryAfter: pause))
                Polling.sleep(until: MonotonicClock.now() + pause, unless: signals.stop)
            }
        }
    }
}

/// What other threads tell the prober's.
final class ProberSignals: Sendable {
    let stop: Interrupt
    let wake: Wake
    private let demanded = Atomic<UInt8>(0)

    init() throws(PostgresError) {
        stop = try Interrupt()
        wake = try Wake()
    }

    func demand(_ demand: ProbeDemand) {
        demanded.bitwiseOr(demand.rawValue, ordering: .sequentiallyConsistent)
        wake.raise()
    }

    func take() -> ProbeDemand {
        ProbeDemand(rawValue: demanded.exchange(0, ordering: .sequentiallyConsistent))
    }
}
