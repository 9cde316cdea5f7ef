import Synchronization
import WaldenCore
import WaldenFailover
import WaldenPostgres

/// Carries out what is ordered at one node, in the order in which it was ordered.
///
/// A statement whose answer did not come may still run later, after a newer order. So before a new session does anything,
/// every older one of the sentinel's there is ended, and has ended.
final class NodeHand: Sendable {
    private struct Work: Sendable {
        var orders: [Order] = []
        var isStopped = false
    }

    private let node: SentinelConfiguration.Node
    private let upstreams: [NodeID: SentinelConfiguration.Node]
    private let timeout: Duration
    private let connectTimeout: Duration
    private let events: EventQueue
    private let work = Mutex(Work())
    private let wake: Wake
    private let interrupt: Interrupt

    private static let name = "walden sentinel orders"
    /// A checkpoint writes all that is dirty.
    private static let checkpointTimeout = Duration.seconds(300)

    init(
        _ node: SentinelConfiguration.Node, _ configuration: SentinelConfiguration, _ events: EventQueue
    ) throws(PostgresError) {
        self.node = node
        upstreams = Dictionary(configuration.nodes.map { ($0.id, $0) }) { first, _ in first }
        timeout = configuration.orderTimeout
        connectTimeout = configuration.connectTimeout
        self.events = events
        wake = try Wake()
        interrupt = try Interrupt()
    }

    func start() throws(PostgresError) -> OwnedThread {
        try OwnedThread(name: "walden-hand") { [self] in run() }
    }

    func stop() {
        work.withLock { $0.isStopped = true }
        interrupt.raise()
        wake.raise()
    }

    /// A newer order for the same step replaces one that has not begun.
    func take(_ order: Order) {
        work.withLock { work in
            work.orders.removeAll { $0.step == order.step }
            work.orders.append(order)
        }
        wake.raise()
    }

    private func run() {
        var connection: Connection?
        while true {
            wake.lower()
            let (order, isStopped) = work.withLock { work in
                (work.orders.isEmpty ? nil : work.orders.removeFirst(), work.isStopped)
            }
            if isStopped { return }
            guard let order else {
                _ = Polling.wait([.reading(wake.readEnd)], until: .distantFuture)
                continue
            }
            events.add(.answered(id: order.id, carryOut(order, &connection)))
        }
    }

    private func carryOut(_ order: Order, _ connection: inout Connection?) -> StepOutcome {
        do throws(PostgresError) {
            // An idle session may have died unnoticed; nothing was sent on it, so another is as good.
            if let idle = connection, !isAlive(idle) { connection = nil }
            if connection == nil { connection = try open() }
            if let connection { try perform(order, on: connection) }
            return .done
        } catch {
            if error.kind != .server { connection = nil }
            // Insufficient privilege: asking again changes nothing.
            return error.sqlState == "42501" ? .refused("\(error)") : .failed("\(error)")
        }
    }

    private func isAlive(_ connection: Connection) -> Bool {
        guard connection.isOpen else { return false }
        let ready = Polling.wait([.reading(connection.socket)], until: MonotonicClock.now())
        guard ready != 0 else { return true }
        do throws(PostgresError) {
            try connection.listen()
            return true
        } catch {
            return false
        }
    }

    private func open() throws(PostgresError) -> Connection {
        var options = Connection.Options()
        options.applicationName = Self.name
        options.connectTimeout = connectTimeout
        options.settings = [
            ("statement_timeout", "\(timeout.wholeNanoseconds / 1_000_000)"), ("search_path", "pg_catalog"),
            ("default_transaction_read_only", "off"),
        ]
        let connection = try Connection.open(node.dsn, options, interrupt: interrupt)
        let ended = try connection.execute(
            """
            SELECT pg_catalog.bool_and(pg_catalog.pg_terminate_backend(pid, 1000)) FROM pg_catalog.pg_stat_activity \
            WHERE application_name = $1 AND usename = session_user AND pid <> pg_catalog.pg_backend_pid()
            """, [Self.name], timeout: timeout)
        guard ended.firstValue != "f" else {
            throw PostgresError(.timedOut, "an older session of the sentinel's at \(node.name) does not end")
        }
        return connection
    }

    private func perform(_ order: Order, on connection: Connection) throws(PostgresError) {
        switch order.step {
        case .sever: try set("primary_conninfo", "", on: connection)
        case .follow:
            guard let upstream = upstreams[order.primary] else { return }
            let conninfo = "\(upstream.upstream) application_name=\(Self.conninfoQuoted(node.name))"
            try set("primary_conninfo", conninfo, on: connection)
        case .setSynchronousNames:
            try set("synchronous_standby_names", names(order.rule), on: connection)
        case .promote:
            try tellSwitchPoint(order, connection)
            let answer = try connection.execute(
                "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_promote(wait => false) END",
                timeout: timeout)
            guard answer.firstValue != "f" else { throw PostgresError(.server, "pg_promote() returned false") }
        case .checkpoint:
            _ = try connection.executeSimple("SET statement_timeout = 0", timeout: timeout)
            _ = try connection.executeSimple("CHECKPOINT", timeout: Self.checkpointTimeout)
            _ = try connection.executeSimple("RESET statement_timeout", timeout: timeout)
        // The proxies', the stream's and the agent's (`SentinelDelegate`).
        case .hold, .drain, .raiseTerm, .closeConnections, .fenceHook, .createSlot, .beginEpoch, .release, .rejoin:
            return
        }
    }

    /// Nothing that the server answers to this keeps it from being promoted.
    private func tellSwitchPoint(_ order: Order, _ connection: Connection) throws(PostgresError) {
        do throws(PostgresError) {
            guard let next = try nextTransaction(on: connection) else { return }
            events.add(.promoting(node.id, order.term, nextTransaction: next))
        } catch {
            guard error.kind == .server else { throw error }
        }
    }

    /// The identifier that a standby would give to its first transaction, or a lower one: what it has not replayed yet may
    /// hold higher ones. Nil when it takes writes already, for then its first transactions may have begun.
    ///
    /// No function tells it as it is: what follows the highest finished transaction, which a snapshot shows, may be in
    /// progress. The age of an identifier is its distance from the next one (PostgreSQL `xid_age`).
    private func nextTransaction(on connection: Connection) throws(PostgresError) -> TransactionID? {
        let answer = try connection.execute(
            """
            SELECT pg_catalog.pg_snapshot_xmax(s), \
            pg_catalog.age(pg_catalog.pg_snapshot_xmax(s)::pg_catalog.xid) FROM pg_catalog.pg_current_snapshot() s
            """, timeout: timeout)
        guard let row = answer.rows.first, row.count == 2, let finished = row[0].flatMap({ UInt64($0) }),
            let distance = row[1].flatMap({ UInt64($0) })
        else { return nil }
        guard try connection.execute("SELECT pg_catalog.pg_is_in_recovery()", timeout: timeout).firstValue == "t" else {
            return nil
        }
        // Of the identifiers that mean no transaction, which a snapshot may end at once in 2³², the age is no distance.
        return TransactionID(distance < 1 << 30 ? finished &+ distance : finished)
    }

    /// Durable, then in force: the server reads it when its postmaster takes the signal.
    private func set(_ name: String, _ value: String, on connection: Connection) throws(PostgresError) {
        let literal = "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        _ = try connection.execute("ALTER SYSTEM SET \(name) = \(literal)", timeout: timeout)
        _ = try connection.execute("SELECT pg_catalog.pg_reload_conf()", timeout: timeout)
        let deadline = MonotonicClock.now() + timeout
        while try connection.execute(
            "SELECT pg_catalog.current_setting($1) = $2", [name, value], timeout: timeout
        ).firstValue != "t" {
            guard MonotonicClock.now() < deadline else {
                throw PostgresError(
                    .timedOut, "\(name) was changed at \(node.name) and is not in force",
                    cure: "is it set on the server's command line, or by ALTER ROLE or ALTER DATABASE?")
            }
            Polling.sleep(until: MonotonicClock.now() + .milliseconds(2), unless: interrupt)
        }
    }

    private func names(_ rule: SynchronousRule?) -> String {
        guard let rule else { return "" }
        let members = rule.members.sorted().compactMap { upstreams[$0]?.name }.map { name in
            "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
        return "ANY \(rule.required) (\(members.joined(separator: ", ")))"
    }

    private static func conninfoQuoted(_ value: String) -> String {
        "'" + value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }
}
