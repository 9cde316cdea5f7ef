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
    public static func make(
        _ configuration: SentinelConfiguration, delegate: any SentinelDelegate, logger: Logger
    ) throws -> Sentinel {
        try Sentinel(SentinelLoop(configuration, delegate, logger))
    }

    private init(_ loop: SentinelLoop) {
        self.loop = loop
    }

    /// Starts its threads. Once only.
    public func start() throws(PostgresError) {
        let loop = loop
        let started = try OwnedThread(name: "walden-sentinel") { loop.run() }
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
