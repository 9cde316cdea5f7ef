import CLibPQ
import Glibc

/// A plain libpq client for tests: one connection, blocking calls, every wait limited.
///
/// Not for more than one thread at a time.
public final class SQLClient {
    public enum Format: Int32, Sendable {
        case text = 0
        case binary = 1
    }

    /// The longest that one statement may take.
    public var timeout: Duration = .seconds(60)
    private let connection: OpaquePointer
    private let noticeBox = NoticeBox()

    /// - Parameter dsn: a libpq connection string; what it says of `connect_timeout` comes before our 20 s.
    public init(_ dsn: String) throws(SQLError) {
        guard let connection = PQconnectdb("connect_timeout=20 \(dsn)") else {
            throw SQLError(connectionMessage: "out of memory")
        }
        self.connection = connection
        guard PQstatus(connection) == CONNECTION_OK else {
            throw SQLError(connectionMessage: String(cString: PQerrorMessage(connection)))
        }
        PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeBox>.fromOpaque(context).takeUnretainedValue().notices.append(SQLError(result: result))
            }, Unmanaged.passUnretained(noticeBox).toOpaque())
    }

    deinit {
        PQfinish(connection)
    }

    // MARK: Statements

    /// Runs one or more statements by the simple protocol; the last one's result.
    @discardableResult
    public func query(_ sql: String) throws -> SQLResult {
        try send { PQsendQuery(connection, sql) }
        return try lastResult()
    }

    /// Runs one statement by the extended protocol with parameters in text form.
    @discardableResult
    public func query(
        _ sql: String, _ parameters: [String?], types: [UInt32] = [], format: Format = .text
    ) throws -> SQLResult {
        try withParameters(parameters) { values in
            try send {
                PQsendQueryParams(
                    connection, sql, Int32(values.count), types.isEmpty ? nil : types, values, nil, nil,
                    format.rawValue)
            }
        }
        return try lastResult()
    }

    /// The first column of the first row as text; nil when it is null or there is no row.
    public func scalar(_ sql: String) throws -> String? {
        try query(sql).rows.first?.first??.text
    }

    public func prepare(_ name: String, _ sql: String) throws {
        try send { PQsendPrepare(connection, name, sql, 0, nil) }
        _ = try lastResult()
    }

    @discardableResult
    public func execute(
        prepared name: String, _ parameters: [String?] = [], format: Format = .text
    ) throws -> SQLResult {
        try withParameters(parameters) { values in
            try send {
                PQsendQueryPrepared(connection, name, Int32(values.count), values, nil, nil, format.rawValue)
            }
        }
        return try lastResult()
    }

    /// Sends all statements before the first answer is read, with one Sync at the end.
    public func pipeline(_ statements: [(sql: String, parameters: [String?])]) throws -> [Result<SQLResult, SQLError>] {
        guard PQenterPipelineMode(connection) == 1 else { throw failure() }
        defer { PQexitPipelineMode(connection) }
        for statement in statements {
            try withParameters(statement.parameters) { values in
                try send {
                    PQsendQueryParams(
                        connection, statement.sql, Int32(values.count), nil, values, nil, nil, 0)
                }
            }
        }
        guard PQpipelineSync(connection) == 1 else { throw failure() }
        var results: [Result<SQLResult, SQLError>] = []
        while true {
            guard let result = try nextResult() else { continue }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                return results
            case PGRES_PIPELINE_ABORTED:
                results.append(.failure(SQLError(connectionMessage: "skipped after an error in the pipeline")))
            case PGRES_FATAL_ERROR:
                results.append(.failure(SQLError(result: result)))
            default:
                results.append(.success(SQLResult(result)))
            }
        }
    }

    // MARK: COPY

    /// Runs a `COPY … FROM STDIN` with the given data.
    @discardableResult
    public func copyIn(_ sql: String, _ data: [UInt8]) throws -> SQLResult {
        try send { PQsendQuery(connection, sql) }
        guard let result = try nextResult() else { throw failure() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COPY_IN else {
            while let next = try nextResult() { PQclear(next) }
            throw SQLError(result: result)
        }
        let sent = data.withUnsafeBytes {
            PQputCopyData(connection, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
        }
        guard sent == 1, PQputCopyEnd(connection, nil) == 1 else { throw failure() }
        return try lastResult()
    }

    /// Runs a `COPY … TO STDOUT` and gives its data.
    public func copyOut(_ sql: String) throws -> [UInt8] {
        try send { PQsendQuery(connection, sql) }
        guard let result = try nextResult() else { throw failure() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COPY_OUT else {
            while let next = try nextResult() { PQclear(next) }
            throw SQLError(result: result)
        }
        var data: [UInt8] = []
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(connection, &buffer, 0)
            guard count > 0, let buffer else { break }
            data += UnsafeRawBufferPointer(start: buffer, count: Int(count))
            PQfreemem(buffer)
        }
        _ = try lastResult()
        return data
    }

    // MARK: The session

    /// The version of TLS between here and the server, e.g. `TLSv1.3`; nil in the clear.
    public var encryption: String? {
        guard PQsslInUse(connection) == 1 else { return nil }
        return PQsslAttribute(connection, "protocol").map { String(cString: $0) }
    }

    public var backendPID: Int32 { PQbackendPID(connection) }

    /// What the server reported of a setting, nil when it reported nothing.
    public func parameterStatus(_ name: String) -> String? {
        PQparameterStatus(connection, name).map { String(cString: $0) }
    }

    /// Notices since the last call, in their order.
    public func takeNotices() -> [SQLError] {
        defer { noticeBox.notices = [] }
        return noticeBox.notices
    }

    /// Something with which another thread can cancel this session's statement.
    public func canceller() -> Canceller {
        Canceller(connection)
    }

    /// Sends a statement and does not wait for its result, which `finish()` gives.
    public func begin(_ sql: String) throws {
        try send { PQsendQuery(connection, sql) }
    }

    /// Whether the statement that `begin` sent is still running.
    public var isBusy: Bool {
        PQconsumeInput(connection)
        return PQisBusy(connection) == 1
    }

    @discardableResult
    public func finish() throws -> SQLResult {
        try lastResult()
    }

    // MARK: Waiting for results

    private func send(_ call: () -> Int32) throws {
        guard call() == 1 else { throw failure() }
    }

    private func lastResult() throws -> SQLResult {
        var last: Result<SQLResult, SQLError>?
        while let result = try nextResult() {
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            if status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE {
                last = .failure(SQLError(result: result))
            } else {
                last = .success(SQLResult(result))
            }
        }
        guard let last else { throw failure() }
        return try last.get()
    }

    private func nextResult() throws -> OpaquePointer? {
        let deadline = ContinuousClock.now + timeout
        while PQisBusy(connection) == 1 {
            let pending = PQflush(connection) == 1
            var wait = pollfd(
                fd: PQsocket(connection), events: Int16(POLLIN) | (pending ? Int16(POLLOUT) : 0), revents: 0)
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw TestKitError("no answer to a statement within \(timeout)") }
            poll(&wait, 1, left.pollMilliseconds)
            guard PQconsumeInput(connection) == 1 else { throw failure() }
        }
        return PQgetResult(connection)
    }

    private func failure() -> SQLError {
        SQLError(connectionMessage: String(cString: PQerrorMessage(connection)))
    }

    private func withParameters(
        _ parameters: [String?], _ body: ([UnsafePointer<CChar>?]) throws -> Void
    ) rethrows {
        let copies = parameters.map { $0.flatMap { strdup($0) } }
        defer { copies.forEach { free($0) } }
        try body(copies.map { UnsafePointer($0) })
    }
}

private final class NoticeBox {
    var notices: [SQLError] = []
}

/// Cancels a session's running statement (`PQcancel`), from any thread.
public final class Canceller: @unchecked Sendable {
    // PQcancel only reads the object, so threads may share it (libpq, "Canceling Queries in Progress").
    private let request: OpaquePointer?

    init(_ connection: OpaquePointer) {
        request = PQgetCancel(connection)
    }

    deinit {
        PQfreeCancel(request)
    }

    public func cancel() throws {
        var message = [CChar](repeating: 0, count: 256)
        guard PQcancel(request, &message, Int32(message.count)) == 1 else {
            throw SQLError(connectionMessage: message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
        }
    }
}
