internal import CLibPQ
internal import WaldenCore

/// One libpq connection, used by one thread at a time. Every call that waits has a deadline; a call that meets it, or
/// whose wait is interrupted, closes the connection, for the answer may still be under way.
public final class Connection {
    public struct Options: Sendable {
        /// Shown in `pg_stat_activity` and `pg_stat_replication`.
        public var applicationName = "walden"
        /// A walsender of the DSN's database instead of an ordinary session.
        public var isReplication = false
        /// Settings made at startup, after those that the DSN itself makes.
        public var settings: [(name: String, value: String)] = []

        /// For each server, instead of the connection string's.
        public var connectTimeout: Duration?

        public init() {}
    }

    private(set) var handle: OpaquePointer?
    private let interrupt: Interrupt?
    private let notices = NoticeCollector()

    private init(_ handle: OpaquePointer, _ interrupt: Interrupt?) {
        self.handle = handle
        self.interrupt = interrupt
    }

    deinit {
        close()
    }

    public func close() {
        PQfinish(handle)
        handle = nil
    }

    /// As a number, e.g. 150018 for 15.18; zero when closed.
    public var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }

    /// A value that the server reported, e.g. `gp_server_version`, `in_hot_standby` (since version 14).
    public func parameterStatus(_ name: String) -> String? {
        guard let handle, let value = PQparameterStatus(handle, name) else { return nil }
        return String(cString: value)
    }

    /// The notices and warnings since the last call, oldest first, at most 100.
    public func takeNotices() -> [String] { notices.take() }

    /// Takes what the server sent unasked, which it does when it ends; throws when it has ended.
    package func listen() throws(PostgresError) {
        guard let handle, PQconsumeInput(handle) == 1 else { throw lost() }
    }

    /// Whether the last call left the connection usable.
    public var isOpen: Bool { handle.map { PQstatus($0) == CONNECTION_OK } ?? false }

    /// `socket` for a caller that waits for more than one thing; -1 when closed.
    package var socket: CInt { handle.map { PQsocket($0) } ?? -1 }
}

// MARK: - Opening

extension Connection {
    /// Connects to the first server of `dsn` that answers, each within the DSN's `connect_timeout`.
    ///
    /// Resolving a host name is libpq's and the C library's business and is bounded by the resolver's own timeout.
    public static func open(
        _ dsn: DSN, _ options: Options = Options(), interrupt: Interrupt? = nil
    ) throws(PostgresError) -> Connection {
        var failure = PostgresError(.unreachable, "no server named")
        for candidate in dsn.candidates {
            do throws(PostgresError) {
                return try openOne(candidate, options, interrupt)
            } catch {
                if error.kind == .interrupted { throw error }
                failure = error
            }
        }
        throw failure
    }

    private static func openOne(
        _ dsn: DSN, _ options: Options, _ interrupt: Interrupt?
    ) throws(PostgresError) -> Connection {
        let parameters = dsn.parameters(for: options)
        let keywords = CStringArray(parameters.map(\.key))
        let values = CStringArray(parameters.map(\.value))
        guard let handle = PQconnectStartParams(keywords.pointers, values.pointers, 0) else {
            throw PostgresError(.resources, "out of memory")
        }
        let connection = Connection(handle, interrupt)
        connection.notices.attach(to: handle)
        // Only the verbose form of a refusal to connect carries its SQLSTATE.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        let deadline = MonotonicClock.now() + (options.connectTimeout ?? dsn.connectTimeout)
        try connection.finishOpening(deadline: deadline, endpoint: dsn.endpoint)
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        return connection
    }

    private func finishOpening(deadline: Instant, endpoint: Endpoint) throws(PostgresError) {
        guard let handle, PQstatus(handle) != CONNECTION_BAD else { throw connectFailure() }
        var waitsToWrite = true
        while true {
            do throws(PostgresError) {
                try wait(forWriting: waitsToWrite, until: deadline)
            } catch {
                guard error.kind == .timedOut else { throw error }
                throw PostgresError(.timedOut, "no answer from \(endpoint) in time", cure: "is it reachable from here?")
            }
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_WRITING: waitsToWrite = true
            case PGRES_POLLING_READING: waitsToWrite = false
            default: throw connectFailure()
            }
        }
    }

    private func connectFailure() -> PostgresError {
        guard let handle else { return PostgresError(.connectionLost, "the connection is closed") }
        let parsed = ErrorText.parse(String(cString: PQerrorMessage(handle)))
        return PostgresError(
            parsed.sqlState == nil ? .unreachable : .server, parsed.message, sqlState: parsed.sqlState)
    }
}

// MARK: - Statements

extension Connection {
    /// Runs one statement with text parameters.
    public func execute(
        _ sql: String, _ parameters: [String?] = [], timeout: Duration = .seconds(30)
    ) throws(PostgresError) -> QueryResult {
        let values = CStringArray(parameters)
        return try run(timeout) { handle in
            PQsendQueryParams(handle, sql, CInt(parameters.count), nil, values.pointers, nil, nil, 0)
        }
    }

    /// Runs `sql` by the simple protocol: several statements in one transaction, or a replication command. Gives the
    /// last statement's rows.
    public func executeSimple(_ sql: String, timeout: Duration = .seconds(30)) throws(PostgresError) -> QueryResult {
        try run(timeout) { PQsendQuery($0, sql) }
    }

    public func prepare(
        _ name: String, _ sql: String, timeout: Duration = .seconds(30)
    ) throws(PostgresError) {
        _ = try run(timeout) { PQsendPrepare($0, name, sql, 0, nil) }
    }

    /// Runs a prepared statement with text parameters.
    public func executePrepared(
        _ name: String, _ parameters: [String?] = [], timeout: Duration = .seconds(30)
    ) throws(PostgresError) -> QueryResult {
        let values = CStringArray(parameters)
        return try run(timeout) {
            PQsendQueryPrepared($0, name, CInt(parameters.count), values.pointers, nil, nil, 0)
        }
    }

    /// Sends, then takes results until the connection is idle or copying.
    private func run(
        _ timeout: Duration, _ send: (OpaquePointer) -> CInt
    ) throws(PostgresError) -> QueryResult {
        guard let handle else { throw PostgresError(.connectionLost, "the connection is closed") }
        guard send(handle) == 1 else { throw lost() }
        let deadline = MonotonicClock.now() + timeout
        var last: QueryResult?
        var failure: PostgresError?
        while let result = try nextResult(until: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = QueryResult(copying: result)
            case PGRES_COPY_BOTH:
                return QueryResult(copying: result)
            case PGRES_FATAL_ERROR:
                failure = failure ?? serverFailure(result)
            default:
                close()
                throw PostgresError(.unexpectedReply, "a reply that does not belong to the statement")
            }
        }
        if let failure { throw failure }
        guard let last else { throw lost() }
        return last
    }

    /// The next result, or nil when the statement is done.
    private func nextResult(until deadline: Instant) throws(PostgresError) -> OpaquePointer? {
        guard let handle else { throw PostgresError(.connectionLost, "the connection is closed") }
        while PQisBusy(handle) == 1 {
            let unsent = PQflush(handle)
            do throws(PostgresError) {
                try wait(forWriting: unsent == 1, until: deadline)
            } catch {
                close()
                throw error
            }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    private func wait(forWriting: Bool, until deadline: Instant) throws(PostgresError) {
        var interests = [Polling.Interest(descriptor: socket, forReading: !forWriting, forWriting: forWriting)]
        if let interrupt { interests.append(.reading(interrupt.wake.readEnd)) }
        let ready = Polling.wait(interests, until: deadline)
        if ready & 2 != 0 { throw PostgresError(.interrupted, "asked to stop") }
        if ready == 0, MonotonicClock.now() >= deadline {
            throw PostgresError(.timedOut, "no answer from the server in time")
        }
    }
}

// MARK: - Failures

extension Connection {
    /// The connection broke; closes it.
    func lost() -> PostgresError {
        guard let handle else { return PostgresError(.connectionLost, "the connection is closed") }
        let parsed = ErrorText.parse(String(cString: PQerrorMessage(handle)))
        close()
        return PostgresError(.connectionLost, parsed.message, sqlState: parsed.sqlState)
    }

    /// The error in a result. Its detail is left out: it may quote rows.
    func serverFailure(_ result: OpaquePointer) -> PostgresError {
        let state = Self.field(result, "C")
        let text = Self.field(result, "M") ?? ErrorText.parse(String(cString: PQresultErrorMessage(result))).message
        let isDead = handle.map { PQstatus($0) != CONNECTION_OK } ?? true
        return PostgresError(isDead ? .connectionLost : .server, text, sqlState: state)
    }

    private static func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, CInt(code.value)).map { String(cString: $0) }
    }
}
