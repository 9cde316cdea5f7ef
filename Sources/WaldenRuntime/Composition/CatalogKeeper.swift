import Logging
import NIOPosix
import Synchronization
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenSQLParser

/// Keeps the catalog snapshot, by which statements are judged, up to date, and caching off while a prerequisite for it
/// is missing.
///
/// Reads the catalog at the start, when the stream tells of DDL, and when the polled digest shows a change that no
/// event trigger sees (roles, memberships, their settings, `postgresql.conf`, or all of it where there are no event
/// triggers and `cache.without_event_triggers` says `poll`); the most important of them each probe watches, too, and
/// asks for a reading. The snapshot of transactions is taken before the catalog is read, so that it tells which changes
/// the reading contains; the cache begins no fill until that covers every change it knows of.
final class CatalogKeeper: Sendable {
    private struct State {
        var connection: (Connection, to: DSN)?
        var digest: CatalogDigest?
        var generation: UInt64 = 0
        var isReady = false
    }

    /// Who is asked, and what ends the questions that it does not answer.
    private struct Target {
        let dsn: DSN
        let interrupt: Interrupt
    }

    /// How often roles, settings and prerequisites are looked at.
    static let pollInterval = Duration.seconds(2)
    /// After a reading that did not contain all known changes: they are committed and mostly become visible soon. One
    /// that waits for a standby, or a transaction from before the stream, may take long; then the wait doubles.
    private static let retryIntervals = (shortest: Duration.milliseconds(50), longest: pollInterval)

    private let target: Mutex<Target>
    private let publication: String
    /// Schema changes are looked for by probes and polls, so that event triggers need not be there.
    private let pollsSchema: Bool
    private let cache: ResultCache
    private let statements: StatementCatalog
    private let caching: CachingState
    private let streamRuns: @Sendable () -> Bool
    private let log: Logger
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())
    private let announced = Atomic<UInt64>(0)
    private let mustReadAnew = Atomic(false)
    private let lacksTriggers = Atomic(false)
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(
        dsn: DSN, publication: String, pollsSchema: Bool, cache: ResultCache, statements: StatementCatalog,
        caching: CachingState, log: Logger, streamRuns: @escaping @Sendable () -> Bool
    ) throws(PostgresError) {
        target = Mutex(Target(dsn: dsn, interrupt: try Interrupt()))
        self.publication = publication
        self.pollsSchema = pollsSchema
        self.cache = cache
        self.statements = statements
        self.caching = caching
        self.log = log
        self.streamRuns = streamRuns
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The generation of the catalog that statements are judged by.
    var generation: UInt64 { announced.load(ordering: .acquiring) }

    /// What is worse than it could be without keeping the cache off; nil: nothing.
    var warning: String? {
        lacksTriggers.load(ordering: .relaxed)
            ? "schema changes do not reach the log: they are looked for with every probe, and materialized views are "
                + "not cached; cure: walden init, as a superuser" : nil
    }

    /// Asks for a reading. Any thread.
    func refresh() {
        wake.yield()
    }

    /// Asks for a reading under a new generation, whether or not the catalog has changed; it empties the cache. What
    /// was concluded before it and comes to the cache only later is refused or dropped then. Any thread.
    func readAnew() {
        mustReadAnew.store(true, ordering: .releasing)
        refresh()
    }

    /// Another node is the primary: what is read from now on is read there. A reading under way is dropped, and not waited
    /// for: the old primary may have stopped answering in the middle of it.
    func primaryChanged(_ dsn: DSN) {
        let new = try? Interrupt()
        let old = target.withLock { target in
            defer { target = Target(dsn: dsn, interrupt: new ?? target.interrupt) }
            return target.interrupt
        }
        readAnew()
        // Out of descriptors, the old questions are waited for, as any.
        if new != nil { old.raise() }
    }

    /// Works until cancelled.
    func run() async {
        pool.start()
        refresh()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            var retry = Self.retryIntervals.shortest
            for await _ in wakes {
                let isUpToDate = (try? await pool.runIfActive { self.check() }) ?? true
                if isUpToDate {
                    retry = Self.retryIntervals.shortest
                } else {
                    try? await Task.sleep(for: retry)
                    retry = min(retry * 2, Self.retryIntervals.longest)
                    refresh()
                }
            }
            group.cancelAll()
        }
        try? await pool.shutdownGracefully()
    }

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pollInterval)
            refresh()
        }
        wake.finish()
        target.withLock { $0.interrupt }.raise()
    }

    /// One look; on the pool's thread. False when the catalog is known to have changes that the reading lacks.
    private func check() -> Bool {
        let target = target.withLock { $0 }
        return state.withLock { state in
            do throws(PostgresError) {
                let connection = try connect(target, &state)
                if mustReadAnew.exchange(false, ordering: .acquiringAndReleasing) { state.digest = nil }
                let digest = try CatalogDigest.read(connection, includingSchema: pollsSchema)
                if !state.isReady || digest != state.digest { judge(target, &state) }
                guard state.isReady, digest != state.digest || cache.statistics.catalogIsStale else { return true }
                let isUpToDate = try read(
                    connection, at: target.dsn, keepsEntries: digest.differsByLoggedChangesAlone(from: state.digest),
                    tellsRefresh: digest.schemaChangesReachTheLog, &state)
                state.digest = digest
                report(.catalog, nil)
                return isUpToDate
            } catch {
                state.connection = nil
                // Asked for, and followed by another look or by the end.
                if error.kind == .interrupted { return true }
                report(.catalog, "the catalog cannot be read: \(error)")
                return true
            }
        }
    }

    private func connect(_ target: Target, _ state: inout State) throws(PostgresError) -> Connection {
        if let (connection, dsn) = state.connection, dsn == target.dsn, connection.isOpen { return connection }
        let connection = try Connection.open(target.dsn, Connection.Options(), interrupt: target.interrupt)
        state.connection = (connection, target.dsn)
        return connection
    }

    /// Looks whether the prerequisites are there, and lets the cache go on or stop accordingly.
    private func judge(_ target: Target, _ state: inout State) {
        let isStreaming = streamRuns()
        let found = Doctor.blockers(
            target.dsn, publication: publication, needsEventTriggers: !pollsSchema, interrupt: target.interrupt)
        // They say nothing then.
        if target.interrupt.isRaised { return }
        let blockers = found.filter { finding in
            // The running stream itself holds a slot and a walsender, perhaps the last ones.
            !(isStreaming && Self.heldByStream.contains(finding.id))
        }
        report(.readiness, blockers.first.map(Self.describe))
        let wasReady = state.isReady
        state.isReady = blockers.isEmpty
        if !state.isReady {
            state.digest = nil
            if wasReady {
                statements.replaceCatalog(nil)
                _ = cache.flush()
            }
        }
    }

    private static let heldByStream: Set<Finding.ID> = [.replicationSlots, .walSenders, .replicationConnection]

    private static func describe(_ finding: Finding) -> String {
        "\(finding.what) (\(finding.evidence))" + (finding.cure.map { "; cure: \($0)" } ?? "")
    }

    /// - Parameter keepsEntries: Only what the stream tells of has changed since the last reading, if anything has.
    private func read(
        _ connection: Connection, at dsn: DSN, keepsEntries: Bool, tellsRefresh: Bool, _ state: inout State
    ) throws(PostgresError) -> Bool {
        let answer = try connection.execute("SELECT pg_catalog.pg_current_snapshot()::text").rows.first?.first ?? nil
        guard let snapshot = answer.flatMap(Snapshot.init) else {
            throw PostgresError(.unexpectedReply, "the server gave no snapshot")
        }
        state.generation += 1
        let catalog = try CatalogReader.read(
            connection, publication: publication, generation: state.generation, tellsRefresh: tellsRefresh)
        // Of another primary than the present one it says nothing.
        guard target.withLock({ $0.dsn == dsn }) else {
            throw PostgresError(.connectionLost, "another node has become the primary")
        }
        if lacksTriggers.exchange(!tellsRefresh, ordering: .relaxed) == tellsRefresh, let warning {
            log.warning("caching goes on without event triggers", metadata: ["finding": "\(warning)"])
        }
        statements.replaceCatalog(catalog)
        announced.store(state.generation, ordering: .releasing)
        log.info("the catalog has been read", metadata: ["generation": "\(state.generation)"])
        return cache.catalogChanged(
            generation: state.generation, readUnder: snapshot, keepsEntries: keepsEntries)
    }

    private func report(_ source: CachingState.Source, _ reason: String?) {
        guard caching.set(source, reason) else { return }
        if let reason {
            log.warning("nothing is cached", metadata: ["reason": "\(reason)"])
        } else {
            log.info("nothing is missing for caching any more", metadata: ["source": "\(source.rawValue)"])
        }
    }
}
