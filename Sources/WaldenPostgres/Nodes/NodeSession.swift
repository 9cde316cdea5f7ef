internal import WaldenCore

/// One connection to a node from its opening to its loss. Lives on the monitor's thread.
final class NodeSession {
    private let configuration: NodeMonitor.Configuration
    private let stopSignal: Interrupt
    private let wakeSignal: Wake
    private let delegate: any NodeMonitorDelegate
    private let connection: Connection
    private var nextSlots = Instant.distantPast
    private var nextHeartbeat = Instant.distantPast
    private var heartbeats: UInt64 = 0
    private var mayEmit = true
    /// Where a primary wrote at the look before.
    private var previousEnd: LSN?

    private static let name = "walden_node"

    init(
        _ configuration: NodeMonitor.Configuration, _ stopSignal: Interrupt, _ wakeSignal: Wake,
        _ delegate: any NodeMonitorDelegate
    ) throws(PostgresError) {
        self.configuration = configuration
        self.stopSignal = stopSignal
        self.wakeSignal = wakeSignal
        self.delegate = delegate
        var options = Connection.Options()
        options.settings = Heartbeat.settings
        connection = try .open(configuration.dsn, options, interrupt: stopSignal)
        try connection.prepare(Self.name, NodeFacts.sql, timeout: configuration.timeout)
    }

    /// Looks until the connection breaks (throws) or the owner stops it (returns).
    func serve(succeeded: () -> Void) throws(PostgresError) {
        while !stopSignal.isRaised {
            let question = delegate.question(to: configuration.node)
            let parameter = question.flatMap(NodeFacts.parameter)
            let askedAt = MonotonicClock.now()
            let result = try connection.executePrepared(Self.name, [parameter], timeout: configuration.timeout)
            let facts = try NodeFacts(result, connection, askedAt: askedAt)
            let answeredAt = askedAt + facts.roundTrip
            delegate.sampled(
                NodeSample(
                    node: configuration.node, askedAt: askedAt, answeredAt: answeredAt, answer: .facts(facts),
                    question: parameter == nil ? nil : question, slots: try slots(facts, answeredAt)))
            succeeded()
            try flushIfAwaited(facts, answeredAt)
            try waitForNextLook(after: askedAt)
        }
    }

    private func slots(_ facts: NodeFacts, _ now: Instant) throws(PostgresError) -> [SlotFacts]? {
        guard !facts.isInRecovery, now >= nextSlots else { return nil }
        nextSlots = now + configuration.slotInterval
        return try SlotFacts.read(connection, timeout: configuration.timeout)
    }

    /// What is not flushed is not sent to standbys. After an asynchronous commit that may take three turns of the WAL
    /// writer (0.6 s); a commit of one's own flushes it at once. Emitted only when what the look before saw written is
    /// still not on disk.
    private func flushIfAwaited(_ facts: NodeFacts, _ now: Instant) throws(PostgresError) {
        defer { previousEnd = facts.insertLSN }
        guard mayEmit, !facts.isInRecovery, let previousEnd, let flushed = facts.flushedLSN, flushed < previousEnd,
            now >= nextHeartbeat, delegate.isReplayAwaited
        else { return }
        nextHeartbeat = now + configuration.heartbeatSpacing
        heartbeats &+= 1
        do throws(PostgresError) {
            try Heartbeat.emit(heartbeats, on: connection, timeout: configuration.timeout)
        } catch {
            // Not granted, or a server that writes nothing now: the WAL writer does it later.
            guard error.kind == .server else { throw error }
            mayEmit = false
        }
    }

    private func waitForNextLook(after asked: Instant) throws(PostgresError) {
        while !stopSignal.isRaised {
            wakeSignal.lower()
            let due = delegate.nextLook(at: configuration.node, after: asked)
            guard MonotonicClock.now() < due else { return }
            let ready = Polling.wait(
                [.reading(wakeSignal.readEnd), .reading(stopSignal.wake.readEnd), .reading(connection.socket)],
                until: due)
            // The server speaks unasked when it ends: what it had replayed may be gone when it comes back.
            if ready & 4 != 0 { try connection.listen() }
        }
    }
}
