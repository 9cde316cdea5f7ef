internal import CLibPQ
internal import WaldenCore

/// One control connection from its opening to its loss. Lives on the prober's thread.
final class ProberSession {
    let identity: ServerIdentity
    private let configuration: Prober.Configuration
    private let signals: ProberSignals
    private let delegate: any ProberDelegate
    private let connection: Connection
    private var pending: ProbeDemand = .probe
    private var nextTick = Instant.distantPast
    private var nextProbe = Instant.distantPast
    private var nextHeartbeat = Instant.distantPast
    private var heartbeats: UInt64 = 0

    private static let probeName = "walden_probe"
    private static let probeSQL =
        "SELECT pg_catalog.pg_current_snapshot()::text, pg_catalog.pg_current_wal_insert_lsn()::text, "

    init(
        _ configuration: Prober.Configuration, _ signals: ProberSignals, _ delegate: any ProberDelegate
    ) throws(PostgresError) {
        self.configuration = configuration
        self.signals = signals
        self.delegate = delegate
        var options = Connection.Options()
        options.settings = Heartbeat.settings
        connection = try .open(configuration.dsn, options, interrupt: signals.stop)
        identity = try ServerIdentity(asking: connection)
        try connection.prepare(
            Self.probeName,
            Self.probeSQL
                + UnloggedCatalog.expression(
                    asking: connection, watchesSchema: configuration.watchesSchema))
    }

    /// Probes until the connection breaks (throws) or the owner stops it (returns).
    func serve() throws(PostgresError) {
        while !signals.stop.isRaised {
            pending.formUnion(signals.take())
            let now = MonotonicClock.now()
            if pending.contains(.heartbeat), now >= nextHeartbeat { try emitHeartbeat(now) }
            if pending.contains(.probe) || now >= nextTick {
                try probe(notBefore: nextProbe)
                pending.formUnion(delegate.nextDemand())
                if pending.remove(.soon) != nil { nextTick = min(nextTick, nextProbe + configuration.soonInterval) }
            } else {
                try waitForDemand()
            }
        }
    }

    private func probe(notBefore earliest: Instant) throws(PostgresError) {
        Polling.pause(earliest.elapsed(since: MonotonicClock.now()))
        // Whoever asked until here is served by what is about to be sent.
        pending.formUnion(signals.take())
        pending.remove(.probe)
        let startedAt = MonotonicClock.now()
        nextProbe = startedAt + configuration.probeSpacing
        nextTick = startedAt + configuration.tickInterval
        let result = try connection.executePrepared(Self.probeName, timeout: configuration.probeTimeout)
        if configuration.watchesSchema {
            // It reads hundreds of rows: no more than a third of the time.
            let took = MonotonicClock.now().elapsed(since: startedAt)
            nextProbe = max(nextProbe, startedAt + min(took * 3, configuration.tickInterval))
        }
        guard let row = result.rows.first, row.count == 3, let snapshot = row[0].flatMap(Snapshot.init),
            let insertLSN = row[1].flatMap(LSN.init)
        else { throw PostgresError(.unexpectedReply, "a probe gave no snapshot and position") }
        let fingerprint = row[2] ?? ""
        delegate.unloggedCatalogSeen(
            fingerprint, sessionDefaults: String(UnloggedCatalog.sessionDefaults(in: fingerprint)), under: snapshot)
        delegate.probeCompleted(Probe(startedAt: startedAt, snapshot: snapshot, insertLSN: insertLSN))
    }

    private func emitHeartbeat(_ now: Instant) throws(PostgresError) {
        pending.remove(.heartbeat)
        nextHeartbeat = now + configuration.heartbeatSpacing
        heartbeats &+= 1
        try Heartbeat.emit(heartbeats, on: connection, timeout: configuration.probeTimeout)
    }

    private func waitForDemand() throws(PostgresError) {
        let deadline = pending.contains(.heartbeat) ? min(nextTick, nextHeartbeat) : nextTick
        let ready = Polling.wait(
            [.reading(signals.wake.readEnd), .reading(signals.stop.wake.readEnd), .reading(connection.socket)],
            until: deadline)
        if ready & 1 != 0 { signals.wake.lower() }
        // The server speaks unasked when it ends: noticed here at once instead of at the next probe.
        if ready & 4 != 0, let handle = connection.handle, PQconsumeInput(handle) == 0 { throw connection.lost() }
    }
}
