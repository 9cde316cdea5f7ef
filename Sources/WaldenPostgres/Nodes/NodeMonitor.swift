internal import Synchronization
public import WaldenCore

/// Looks at one node as often as it is told to and gives away what it saw: a thread with a connection of its own, which
/// is kept while it works and made anew, with backoff, when it does not.
public final class NodeMonitor: Sendable {
    public struct Configuration: Sendable {
        /// What samples are called by.
        public var node: NodeID
        public var dsn: DSN
        /// A node that does not answer in time counts as unreachable. Default 5 s.
        public var timeout = Duration.seconds(5)
        /// Between two looks at a primary's replication slots. Default 1 s.
        public var slotInterval = Duration.seconds(1)
        /// Shortest time between two heartbeats. Default 10 ms.
        public var heartbeatSpacing = Duration.milliseconds(10)
        public var backoffMaximum = Duration.seconds(1)

        public init(node: NodeID, dsn: DSN) {
            self.node = node
            self.dsn = dsn
        }
    }

    private let configuration: Configuration
    private let seed: UInt64
    private let delegate: any NodeMonitorDelegate
    private let stopSignal: Interrupt
    private let wakeSignal: Wake
    private let thread = Mutex<OwnedThread?>(nil)

    /// - Parameter seed: Makes the jitter of the backoff; give a random one.
    public init(
        _ configuration: Configuration, seed: UInt64, delegate: any NodeMonitorDelegate
    ) throws(PostgresError) {
        self.configuration = configuration
        self.seed = seed
        self.delegate = delegate
        stopSignal = try Interrupt()
        wakeSignal = try Wake()
    }

    /// Starts the thread. Once only.
    public func start() throws(PostgresError) {
        let started = try OwnedThread(name: "walden-node") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Has the delegate asked anew when the next look is due. From any thread.
    public func wake() {
        wakeSignal.raise()
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
            let askedAt = MonotonicClock.now()
            do throws(PostgresError) {
                let session = try NodeSession(configuration, stopSignal, wakeSignal, delegate)
                try session.serve { backoff.succeeded() }
            } catch {
                guard !stopSignal.isRaised else { return }
                delegate.sampled(
                    NodeSample(
                        node: configuration.node, askedAt: askedAt, answeredAt: MonotonicClock.now(),
                        answer: .unreachable(error), slots: nil))
                Polling.sleep(until: MonotonicClock.now() + backoff.failed(), unless: stopSignal)
            }
        }
    }
}

/// Who is told what a monitor saw, and says when it is to look. Called on the monitor's thread.
public protocol NodeMonitorDelegate: Sendable {
    /// After each look, and after each failed attempt.
    func sampled(_ sample: NodeSample)
    /// When the node, last asked at `asked`, is to be asked again.
    func nextLook(at node: NodeID, after asked: Instant) -> Instant
    /// The transactions of which the node is to be asked, if it is a standby, whether it shows them: those that run at the
    /// primary. Nil: of none.
    func question(to node: NodeID) -> Snapshot?
    /// Whether somebody waits for standbys to have what the primary had written.
    var isReplayAwaited: Bool { get }
}
