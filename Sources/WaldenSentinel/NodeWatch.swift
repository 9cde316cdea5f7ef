import WaldenCore
import WaldenFailover
import WaldenPostgres

/// Looks at one node: a thread with one session that lasts, and one question at a time.
final class NodeWatch: Sendable {
    let lookout: Lookout
    private let node: SentinelConfiguration.Node
    private let configuration: SentinelConfiguration
    private let pace: Pace
    private let events: EventQueue

    private static let question = "walden_report"

    init(
        _ node: SentinelConfiguration.Node, _ configuration: SentinelConfiguration, _ pace: Pace, _ events: EventQueue
    ) throws(PostgresError) {
        self.node = node
        self.configuration = configuration
        self.pace = pace
        self.events = events
        lookout = try Lookout()
    }

    func start() throws(PostgresError) -> OwnedThread {
        try OwnedThread(name: "walden-watch") { [self] in run() }
    }

    private func run() {
        var receiver: String?
        while !lookout.isStopped {
            let askedAt = MonotonicClock.now()
            var hasSession = false
            do throws(PostgresError) {
                let connection = try open()
                hasSession = true
                events.add(.sessionBegan(node.id, at: MonotonicClock.now()))
                try ask(on: connection, &receiver)
            } catch {
                guard !lookout.isStopped else { return }
                tellFailure(error, hadSession: hasSession)
                try? lookout.pause(since: askedAt, pace)
            }
        }
    }

    private func open() throws(PostgresError) -> Connection {
        var options = Connection.Options()
        options.applicationName = "walden sentinel"
        options.connectTimeout = configuration.connectTimeout
        options.settings = [("statement_timeout", "5000"), ("search_path", "pg_catalog"), ("jit", "off")]
        let connection = try Connection.open(node.dsn, options, interrupt: lookout.interrupt)
        try connection.prepare(Self.question, NodeReport.sql, timeout: configuration.questionTimeout)
        return connection
    }

    /// Until the session breaks, which throws.
    ///
    /// - Parameter receiver: The process that was last seen to receive the log here.
    private func ask(on connection: Connection, _ receiver: inout String?) throws(PostgresError) {
        var timeline: TimelineID?
        while !lookout.isStopped {
            let askedAt = MonotonicClock.now()
            let answer = try connection.executePrepared(Self.question, timeout: configuration.questionTimeout)
            if let found = answer.rows.first.flatMap(NodeReport.receiver), found != receiver {
                receiver = found
                events.add(.receiverBegan(node.id, at: MonotonicClock.now()))
            }
            // No position yet: a standby that has just started and has nothing to tell.
            if let report = NodeReport(row: answer.rows.first ?? [], knownTimeline: timeline, askedAt: askedAt) {
                timeline = report.timeline
                events.add(.learned(.reported(node.id, report), at: askedAt))
                // An answer proves that it lived when it was asked, or later.
                if !report.isInRecovery { events.add(.ofPrimary(node.id, .sessionAnswered, at: askedAt)) }
            }
            try lookout.pause(since: askedAt, pace, connection)
        }
    }

    private func tellFailure(_ error: PostgresError, hadSession: Bool) {
        let now = MonotonicClock.now()
        // A session that broke says nothing yet of whoever listens now; the attempt that follows at once does.
        if hadSession { return events.add(.ofPrimary(node.id, .sessionBroke, at: now)) }
        var contact = Contact(error)
        if contact == .full(replication: false) || Contact.isHangUp(error) {
            contact = .attempt(node.dsn, timeout: configuration.connectTimeout, interrupt: lookout.interrupt)
        }
        events.add(.learned(.contacted(node.id, contact), at: now))
    }
}

/// One new connection to the primary at each look, and never two at once: does anybody listen?
final class ContactWatch: Sendable {
    let lookout: Lookout
    private let node: SentinelConfiguration.Node
    private let timeout: Duration
    private let pace: Pace
    private let events: EventQueue

    init(
        _ node: SentinelConfiguration.Node, timeout: Duration, _ pace: Pace, _ events: EventQueue
    ) throws(PostgresError) {
        self.node = node
        self.timeout = timeout
        self.pace = pace
        self.events = events
        lookout = try Lookout()
    }

    func start() throws(PostgresError) -> OwnedThread {
        try OwnedThread(name: "walden-contact") { [self] in
            while !lookout.isStopped {
                let askedAt = MonotonicClock.now()
                let contact = Contact.attempt(node.dsn, timeout: timeout, interrupt: lookout.interrupt)
                guard !lookout.isStopped else { return }
                events.add(.ofPrimary(node.id, .contacted(node.id, contact), at: MonotonicClock.now()))
                try? lookout.pause(since: askedAt, pace)
            }
        }
    }
}

/// One kind of heartbeat on a thread and a session of its own: one that stalls keeps nothing else waiting.
final class HeartbeatBeater: Sendable {
    let lookout: Lookout
    private let node: SentinelConfiguration.Node
    private let kind: HeartbeatKind
    private let interval: Duration
    private let connectTimeout: Duration
    private let pace: Pace
    private let events: EventQueue

    /// Given up by nobody but the sentinel's end or another primary: a commit that waits for its quorum cannot be called
    /// back, and one more at each attempt would fill the server.
    private static let patience = Duration.seconds(86_400)

    init(
        _ node: SentinelConfiguration.Node, _ kind: HeartbeatKind, _ configuration: SentinelConfiguration,
        _ pace: Pace, _ events: EventQueue
    ) throws(PostgresError) {
        self.node = node
        self.kind = kind
        self.pace = pace
        interval = configuration.timings.heartbeat
        connectTimeout = configuration.connectTimeout
        self.events = events
        lookout = try Lookout()
    }

    func start() throws(PostgresError) -> OwnedThread {
        try OwnedThread(name: "walden-\(kind.rawValue)") { [self] in run() }
    }

    private func run() {
        while !lookout.isStopped {
            let begun = MonotonicClock.now()
            do throws(PostgresError) {
                try beat(try open())
            } catch {
                guard !lookout.isStopped else { return }
                events.add(.ofPrimary(node.id, .heartbeatFailed(kind), at: MonotonicClock.now()))
                // A candidate refuses until it is promoted, and its first quorum is awaited.
                let retry = min(interval, .milliseconds(50))
                try? lookout.pause(since: begun, Pace(.calm) { _ in retry })
            }
        }
    }

    private func open() throws(PostgresError) -> Connection {
        var options = Connection.Options()
        options.applicationName = "walden sentinel \(kind.rawValue)"
        options.connectTimeout = connectTimeout
        options.settings = Heartbeat.settings.filter { $0.name != "synchronous_commit" }
        options.settings.append(("synchronous_commit", kind == .local ? "local" : "on"))
        options.settings.append(("statement_timeout", "0"))
        return try Connection.open(node.dsn, options, interrupt: lookout.interrupt)
    }

    private func beat(_ connection: Connection) throws(PostgresError) {
        var number: UInt64 = 0
        while !lookout.isStopped {
            number &+= 1
            let begun = MonotonicClock.now()
            events.add(.ofPrimary(node.id, .heartbeatBegun(kind), at: begun))
            let end = try Heartbeat.emit(number, on: connection, timeout: Self.patience)
            events.add(.ofPrimary(node.id, .heartbeatAcknowledged(kind, end: end), at: MonotonicClock.now()))
            try lookout.pause(since: begun, pace, connection)
        }
    }
}
