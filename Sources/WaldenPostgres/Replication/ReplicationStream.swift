internal import Synchronization
internal import WaldenCore
public import WaldenDecoding

/// Follows the committed changes of one database: a thread that keeps a logical walsender connection, hands each
/// transaction to its delegate in commit order, and begins anew with backoff whenever the stream is lost.
///
/// Every stream has a temporary slot of its own. What commits between two streams is never delivered, so the delegate
/// must forget everything at `streamLost`. The thread keeps the stream and the delegate alive until `stop`.
public final class ReplicationStream: Sendable {
    public struct Configuration: Sendable {
        public var dsn: DSN
        public var publication = "walden"
        public var limits = StreamLimits()
        /// Between two reports of progress. Default 1 s.
        public var feedbackInterval = Duration.seconds(1)
        /// After so long without a word, though asked, the connection is given up. Default 10 s; a decoder on the
        /// server may be busy with a large transaction, so not below a few seconds.
        public var maxSilence = Duration.seconds(10)
        /// Creating the slot waits for transactions that are running. Default 10 minutes.
        public var slotCreationTimeout = Duration.seconds(600)
        public var backoffInitial = Duration.milliseconds(100)
        public var backoffMaximum = Duration.seconds(5)
        /// A stream that lasted so long resets the backoff. Default 10 s.
        public var steadyAfter = Duration.seconds(10)

        public init(dsn: DSN) {
            self.dsn = dsn
        }
    }

    private let configuration: Configuration
    private let delegate: any StreamDelegate
    private let signals: ReplicationSignals
    private let seed: UInt64
    private let thread = Mutex<OwnedThread?>(nil)

    /// `seed` makes slot names and the jitter of the backoff; give a random one.
    public init(_ configuration: Configuration, seed: UInt64, delegate: any StreamDelegate) throws(PostgresError) {
        self.configuration = configuration
        self.delegate = delegate
        self.seed = seed
        signals = try ReplicationSignals()
    }

    /// Starts the thread. Once only.
    public func start() throws(PostgresError) {
        let started = try OwnedThread(name: "walden-stream") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Asks the walsender for a keepalive, whose position then moves the stream on. From any thread; requests that
    /// come together become one.
    public func requestKeepalive() {
        signals.requestKeepalive()
    }

    public var status: StreamStatus { signals.status }

    /// Ends the stream. Returns at once; `join` waits for the end, which takes milliseconds.
    public func stop() {
        signals.stop.raise()
    }

    /// Waits until the thread has ended. Blocks: not for the cooperative pool.
    public func join() {
        thread.withLock { $0 }?.join()
    }
}

extension ReplicationStream {
    private func run() {
        var generator = SplitMix64(seed: seed)
        var backoff = Backoff(
            initial: configuration.backoffInitial, maximum: configuration.backoffMaximum, seed: generator.next())
        while !signals.stop.isRaised {
            signals.update { $0.enter(.connecting) }
            let begun = MonotonicClock.now()
            let (failure, hadStarted) = attempt(slot: "walden_" + String(generator.next(), radix: 16))
            guard let failure, !signals.stop.isRaised else { break }
            if hadStarted, MonotonicClock.now().elapsed(since: begun) >= configuration.steadyAfter {
                backoff.succeeded()
            }
            let pause = backoff.failed()
            signals.update { $0.enter(.waiting(failure.error)) }
            delegate.streamLost(
                StreamLoss(reason: failure.reason, error: failure.error, hadStarted: hadStarted, retryAfter: pause))
            Polling.sleep(until: MonotonicClock.now() + pause, unless: signals.stop)
        }
        signals.update { $0.enter(.stopped) }
    }

    /// One connection, from opening to loss; no failure when it was stopped.
    private func attempt(slot: String) -> (failure: StreamFailure?, hadStarted: Bool) {
        do throws(StreamFailure) {
            let session = try ReplicationSession(configuration, signals, delegate)
            do throws(StreamFailure) {
                try session.start(slot: slot)
            } catch {
                return (error, false)
            }
            return (session.follow(), true)
        } catch {
            return (error, false)
        }
    }
}
