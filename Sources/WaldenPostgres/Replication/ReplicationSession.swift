internal import CLibPQ
internal import WaldenCore
internal import WaldenDecoding

/// One walsender connection from its opening to its loss: asks for a slot, starts the stream, then reads, decodes and
/// hands over until something ends it. Lives on the stream's thread.
///
/// Reading comes in batches: wait for the socket, take what has come into libpq's buffer, decode every whole message
/// where it stands, then look at the clock. Feedback is non-blocking, for a server that cannot send does not read.
final class ReplicationSession {
    private let configuration: ReplicationStream.Configuration
    private let signals: ReplicationSignals
    private let delegate: any StreamDelegate
    private let connection: Connection
    private var decoder: StreamDecoder
    private var feedback = FeedbackPosition(start: .zero)
    private var tally = StreamTally()
    private var nextFeedback = Instant.distantPast
    private var replyDue = false
    private var lastHeard: Instant
    private(set) var hasStarted = false

    /// Messages between two looks at the clock and the requests of other threads.
    private static let batchMessages = 256

    init(
        _ configuration: ReplicationStream.Configuration, _ signals: ReplicationSignals, _ delegate: any StreamDelegate
    ) throws(StreamFailure) {
        self.configuration = configuration
        self.signals = signals
        self.delegate = delegate
        var options = Connection.Options()
        options.isReplication = true
        options.settings = ReplicationCommands.settings
        do throws(PostgresError) {
            connection = try .open(configuration.dsn, options, interrupt: signals.stop)
        } catch {
            throw StreamFailure(.noConnection, error)
        }
        lastHeard = MonotonicClock.now()
        decoder = StreamDecoder(
            protocolVersion: ReplicationCommands(serverVersion: connection.serverVersion).protocolVersion,
            limits: configuration.limits, messagePrefix: ReplicationCommands.messagePrefix)
    }
}

// MARK: - Beginning

extension ReplicationSession {
    /// Creates the slot and starts the stream; returns once the delegate has taken note.
    func start(slot: String) throws(StreamFailure) {
        let commands = ReplicationCommands(serverVersion: connection.serverVersion)
        do throws(PostgresError) {
            let identity = try identify()
            try checkPrerequisites(commands)
            signals.update { $0.enter(.creatingSlot) }
            let created = try connection.executeSimple(
                commands.createSlot(slot), timeout: configuration.slotCreationTimeout)
            guard let row = created.rows.first, row.count >= 2, let position = row[1].flatMap(LSN.init) else {
                throw PostgresError(.unexpectedReply, "CREATE_REPLICATION_SLOT gave no position")
            }
            _ = try connection.executeSimple(commands.start(slot: slot, publication: configuration.publication))
            begin(at: position, identity)
        } catch {
            throw StreamFailure(error.kind == .server || error.kind == .unsupported ? .notReady : .ended, error)
        }
    }

    private func begin(at position: LSN, _ identity: SystemIdentity) {
        if let handle = connection.handle { PQsetnonblocking(handle, 1) }
        feedback = FeedbackPosition(start: position)
        lastHeard = MonotonicClock.now()
        signals.update {
            $0.enter(.streaming)
            $0.starts += 1
            $0.identity = identity
            $0.position = position
            $0.serverPosition = position
            $0.lastHeard = lastHeard
        }
        hasStarted = true
        delegate.streamStarted(at: position, identity: identity)
    }

    private func identify() throws(PostgresError) -> SystemIdentity {
        let row = try connection.executeSimple("IDENTIFY_SYSTEM").rows.first ?? []
        guard row.count >= 2, let system = row[0], let timeline = row[1].flatMap({ UInt32($0) }) else {
            throw PostgresError(.unexpectedReply, "IDENTIFY_SYSTEM gave no identity")
        }
        return SystemIdentity(
            systemIdentifier: system, timeline: TimelineID(timeline), serverVersion: connection.serverVersion)
    }

    /// pgoutput misses the publication only when the first change is decoded, so it is looked for before.
    private func checkPrerequisites(_ commands: ReplicationCommands) throws(PostgresError) {
        if connection.parameterStatus("gp_server_version") != nil {
            throw PostgresError(.unsupported, "Greenplum's log does not carry the changes of its segments")
        }
        guard commands.serverVersion >= ReplicationCommands.oldestVersion else {
            throw PostgresError(.unsupported, "the server is older than PostgreSQL 14", cure: "upgrade the server")
        }
        let sql = ReplicationCommands.prerequisites(publication: configuration.publication)
        let row = try connection.executeSimple(sql).rows.first ?? []
        if row.first == "t" {
            throw PostgresError(
                .unsupported, "the server is a standby", sqlState: "25006")
        }
        if row.last != "t" {
            throw PostgresError(
                .unsupported, "there is no publication \"\(configuration.publication)\" in the database",
                sqlState: "42704", cure: "run `walden init` with an administrator's DSN")
        }
    }
}

// MARK: - Streaming

extension ReplicationSession {
    /// Follows the stream until it is lost or the owner stops it; nil when stopped.
    func follow() -> StreamFailure? {
        do throws(StreamFailure) {
            while !signals.stop.isRaised {
                try drain()
                try attend()
                try waitForNews()
            }
            finish()
            return nil
        } catch {
            return error
        }
    }

    /// Takes all that has arrived.
    private func drain() throws(StreamFailure) {
        var count = 0
        while let message = try nextMessage() {
            defer { PQfreemem(message.baseAddress) }
            try take(UnsafeRawBufferPointer(message).bytes)
            count += 1
            if count.isMultiple(of: Self.batchMessages) {
                heard()
                try attend()
                if signals.stop.isRaised { return }
            }
        }
        if !count.isMultiple(of: Self.batchMessages) { heard() }
    }

    private func nextMessage() throws(StreamFailure) -> UnsafeMutableRawBufferPointer? {
        guard let handle = connection.handle else {
            throw StreamFailure(.ended, PostgresError(.connectionLost, "the connection is closed"))
        }
        var buffer: UnsafeMutablePointer<CChar>?
        let length = PQgetCopyData(handle, &buffer, 1)
        if length > 0 { return UnsafeMutableRawBufferPointer(start: buffer, count: Int(length)) }
        if length == 0 { return nil }
        throw StreamFailure(.ended, endOfStream(handle, isOrderly: length == -1))
    }

    private func take(_ bytes: borrowing RawSpan) throws(StreamFailure) {
        tally.messages &+= 1
        tally.bytes &+= UInt64(bytes.byteCount)
        let event: StreamEvent?
        do throws(DecodingError) {
            event = try decoder.decode(bytes)
        } catch {
            throw StreamFailure(.undecodable, PostgresError(.unexpectedReply, "undecodable stream: \(error)"))
        }
        guard let event else { return }
        switch event {
        case .transaction(let transaction):
            feedback.transactionReceived(end: transaction.endLSN)
            delegate.streamDelivered(transaction)
            feedback.transactionApplied(end: transaction.endLSN)
            tally.transactions &+= 1
            tally.rowChanges &+= UInt64(clamping: transaction.changeCount)
        case .keepalive(let end, let replyRequested):
            progressed(to: end)
            // A server that shuts down waits for this answer: not even the rest of the batch comes before it.
            if replyRequested {
                replyDue = true
                try attend()
            }
        case .progress(let position):
            progressed(to: position)
        }
    }

    private func progressed(to position: LSN) {
        feedback.progressed(to: position)
        delegate.streamAdvanced(to: position)
    }

    private func heard() {
        lastHeard = MonotonicClock.now()
        delegate.streamHeard()
        let (position, server, heard, part) = (feedback.flushed, feedback.received, lastHeard, tally)
        signals.update { $0.add(part, position: position, serverPosition: server, heardAt: heard) }
        tally = StreamTally()
    }

    private func waitForNews() throws(StreamFailure) {
        guard let handle = connection.handle else { return }
        let hasUnsent = PQflush(handle) == 1
        // Bytes that TLS has taken from the socket and libpq has not taken from TLS do not wake a poll.
        let isEncrypted = PQsslInUse(handle) == 1
        let deadline = isEncrypted ? min(nextFeedback, MonotonicClock.now() + .milliseconds(50)) : nextFeedback
        let ready = Polling.wait(
            [
                Polling.Interest(descriptor: PQsocket(handle), forReading: true, forWriting: hasUnsent),
                .reading(signals.wake.readEnd), .reading(signals.stop.wake.readEnd),
            ], until: deadline)
        if ready & 2 != 0 { signals.wake.lower() }
        // Judged only when nothing waits to be read, so that a pause of this process is not taken for the server's.
        if ready & 1 == 0 { try checkSilence() }
        guard ready & 1 != 0 || isEncrypted else { return }
        guard PQconsumeInput(handle) == 1 else { throw StreamFailure(.ended, connection.lost()) }
    }

    private func checkSilence() throws(StreamFailure) {
        let silence = MonotonicClock.now().elapsed(since: lastHeard)
        guard silence > configuration.maxSilence else { return }
        connection.close()
        throw StreamFailure(
            .silent, PostgresError(.timedOut, "the walsender has said nothing for \(silence.components.seconds) s"))
    }
}

// MARK: - Feedback

extension ReplicationSession {
    /// Does what is due by now: feedback, an answer, a question to the server.
    private func attend() throws(StreamFailure) {
        let now = MonotonicClock.now()
        let asked = signals.takeKeepaliveRequest()
        guard asked || replyDue || now >= nextFeedback else { return }
        // An idle server speaks only when asked, and silence must mean something.
        let isQuiet = now.elapsed(since: lastHeard) >= configuration.feedbackInterval
        replyDue = false
        nextFeedback = now + configuration.feedbackInterval
        try send(feedback.status(clock: WallClock.microseconds(), replyRequested: asked || isQuiet))
    }

    private func send(_ status: StandbyStatus) throws(StreamFailure) {
        guard let handle = connection.handle else { return }
        let sent = status.encode().withUnsafeBytes { bytes in
            PQputCopyData(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count))
        }
        guard sent >= 0, PQflush(handle) >= 0 else { throw StreamFailure(.ended, connection.lost()) }
    }

    /// Leaves nothing behind: reports what was applied; the slot goes with the connection.
    private func finish() {
        do throws(StreamFailure) {
            try send(feedback.status(clock: WallClock.microseconds(), replyRequested: false))
        } catch {
            // The connection is gone already, which is what comes next anyhow.
        }
        connection.close()
    }

    private func endOfStream(_ handle: OpaquePointer, isOrderly: Bool) -> PostgresError {
        guard isOrderly else { return connection.lost() }
        // After the end of the copy the result says why, and is there already.
        guard PQisBusy(handle) == 0, let result = PQgetResult(handle) else {
            return PostgresError(.connectionLost, "the server ended the stream")
        }
        defer { PQclear(result) }
        if PQresultStatus(result) == PGRES_FATAL_ERROR { return connection.serverFailure(result) }
        return PostgresError(.connectionLost, "the server ended the stream")
    }
}
