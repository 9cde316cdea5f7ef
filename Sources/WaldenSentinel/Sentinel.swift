public import Logging
import Synchronization
public import WaldenCore
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

    // MARK: What it knows

    /// By which `synchronous_standby_names` knows each node.
    public var names: [NodeID: String] { loop.names }

    /// From any thread, at any time.
    public var view: SentinelView {
        SentinelView(loop.board.published, droppedEvents: loop.events.dropped, now: MonotonicClock.now())
    }

    /// What would become of a switchover ordered now.
    public func switchoverProspect(to wish: NodeID?) -> SwitchoverProspect {
        let (machine, now) = (loop.board.published.machine, MonotonicClock.now())
        let readiness = machine.readiness(for: wish, at: now)
        return SwitchoverProspect(
            candidate: readiness.candidate, obstacle: machine.switchoverObstacle(to: wish, at: now),
            missingBytes: readiness.missingBytes, unappliedBytes: readiness.unappliedBytes,
            estimate: machine.switchoverEstimate)
    }

    /// Why a switchover cannot be begun now; nil: it can.
    public func switchoverObstacle(to wish: NodeID?) -> String? { switchoverProspect(to: wish).obstacle }

    /// Oldest first; the last one may be under way.
    public var incidents: [IncidentRecord] { loop.board.published.history.incidents }

    public func incident(_ term: Term) -> IncidentRecord? { loop.board.published.history.incident(term) }

    // MARK: Its end

    /// Ends it where it is; waits for the end of its threads. Blocks: not for the cooperative pool. A sentinel that starts
    /// with the same journal goes on from there.
    public func stop() {
        loop.stop()
        thread.withLock { $0 }?.join()
    }
}

/// Whom a switchover would choose, and whether it could begin.
public struct SwitchoverProspect: Hashable, Sendable {
    public let candidate: NodeID?
    public let obstacle: String?
    /// Log that the candidate had not received at the last look. A switchover waits until it has all of it.
    public let missingBytes: UInt64
    public let unappliedBytes: UInt64
    public let estimate: FailoverEstimate
}
