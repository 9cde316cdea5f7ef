internal import Synchronization
internal import WaldenCore

/// Looks at one node once per interval and gives away what it saw: a thread with a connection of its own, which is
/// kept while it works and made anew, with backoff, when it does not.
public final class NodeMonitor: Sendable {
    public struct Configuration: Sendable {
        /// What samples are called by.
        public var name: String
        public var dsn: DSN
        /// Between two samples. Default 1 s.
        public var interval = Duration.seconds(1)
        /// A node that does not answer in time counts as unreachable. Default 5 s.
        public var timeout = Duration.seconds(5)
        public var backoffMaximum = Duration.seconds(5)

        public init(name: String, dsn: DSN) {
            self.name = name
            self.dsn = dsn
        }
    }

    private let configuration: Configuration
    private let seed: UInt64
    private let report: @Sendable (NodeSample) -> Void
    private let stopSignal: Interrupt
    private let thread = Mutex<OwnedThread?>(nil)

    /// - Parameters:
    ///   - seed: makes the jitter of the backoff; give a random one.
    ///   - report: called on the monitor's thread, for failed attempts as well.
    public init(
        _ configuration: Configuration, seed: UInt64, report: @escaping @Sendable (NodeSample) -> Void
    ) throws(PostgresError) {
        self.configuration = configuration
        self.seed = seed
        self.report = report
        stopSignal = try Interrupt()
    }

    /// Starts the thread. Once only.
    public func start() throws(PostgresError) {
        let started = try OwnedThread(name: "walden-node") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Ends the monitor. Returns at once; `join` waits for the end, which takes milliseconds.
    public func stop() {
        stopSignal.raise()
    }

    /// Waits until the thread has ended. Blocks: not for the cooperative pool.
    public func join() {
        thread.withLock { $0 }?.join()
    }

    private func run() {
        var backoff = Backoff(maximum: configuration.backoffMaximum, seed: seed)
        while !stopSignal.isRaised {
            do throws(PostgresError) {
                let connection = try Connection.open(configuration.dsn, interrupt: stopSignal)
                try sample(connection) { backoff.succeeded() }
            } catch {
                guard !stopSignal.isRaised else { return }
                deliver(.unreachable(error))
                Polling.sleep(until: MonotonicClock.now() + backoff.failed(), unless: stopSignal)
            }
        }
    }

    private func sample(_ connection: Connection, succeeded: () -> Void) throws(PostgresError) {
        while !stopSignal.isRaised {
            let next = MonotonicClock.now() + configuration.interval
            deliver(.facts(try NodeFacts.read(connection, timeout: configuration.timeout)))
            succeeded()
            Polling.sleep(until: next, unless: stopSignal)
        }
    }

    private func deliver(_ answer: NodeSample.Answer) {
        report(NodeSample(node: configuration.name, takenAt: MonotonicClock.now(), answer: answer))
    }
}
