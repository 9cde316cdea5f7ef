public import Logging
import Synchronization
import WaldenCore
public import WaldenFailover
public import WaldenPostgres

/// Runs a `FailoverMachine` against real servers: one thread that feeds it, writes its records and hands out its orders.
/// Everything that may wait for a server has a thread of its own and tells what it learned through the queue.
public final class Sentinel: Sendable {
    private let loop: SentinelLoop
    private let thread = Mutex<OwnedThread?>(nil)

    /// Opens the journal; throws when it cannot be read.
    public static func make(_ configuration: SentinelConfiguration, logger: Logger) throws -> Sentinel {
        try Sentinel(SentinelLoop(configuration, logger))
    }

    private init(_ loop: SentinelLoop) {
        self.loop = loop
    }

    /// The newest record of the last sentinel with this journal; nil: there was none.
    public var recorded: JournalRecord? { loop.recorded }

    /// Starts its threads. Once only.
    public func start(_ delegate: any SentinelDelegate) throws(PostgresError) {
        let loop = loop
        let started = try OwnedThread(name: "walden-sentinel") { loop.run(delegate) }
        thread.withLock { $0 = started }
    }

    /// Orders of people.
    public func request(_ request: FailoverRequest) {
        loop.events.add(.learned(.requested(request), at: MonotonicClock.now()))
    }

    /// Ends it where it is; waits for the end of its threads. Blocks: not for the cooperative pool. A sentinel that starts
    /// with the same journal goes on from there.
    public func stop() {
        loop.stop()
        thread.withLock { $0 }?.join()
    }
}
