import CLibPQ
import WaldenTestKit

/// The session in which the queries are run again and again: each a prepared statement, all of one round in a pipeline,
/// each followed by a Sync so that the error of one leaves the others alone.
final class Reader {
    private let connection: OpaquePointer
    private var prepared = 0

    /// Longer answers are no use: they make a round slow.
    static let rowLimit = 3000
    /// In place of the answer of a query that took too long or gave too much.
    static let tooMuch = "too much"

    init(_ dsn: String) throws {
        guard let connection = PQconnectdb(dsn), PQstatus(connection) == CONNECTION_OK else {
            throw TestKitError("the reader cannot connect to \(dsn)")
        }
        self.connection = connection
        // A generic plan may refuse what a custom one can do (FULL JOIN), which is no change of the data.
        _ = try execute("SET statement_timeout = '5s'; SET TimeZone = 'UTC'; SET plan_cache_mode = force_custom_plan")
    }

    deinit {
        PQfinish(connection)
    }

    /// Forgets what was prepared.
    func reset() throws {
        _ = try execute("DEALLOCATE ALL")
    }

    @discardableResult
    private func execute(_ sql: String) throws -> Bool {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw lost() }
        return true
    }

    /// Prepares the query under a new name; nil with the SQLSTATE when the server refuses it.
    func prepare(_ query: GeneratedQuery) throws -> (name: String?, failure: String?) {
        prepared += 1
        let name = "q\(prepared)"
        let types = query.parameters.map(\.type)
        let result = PQprepare(connection, name, query.sql, CInt(types.count), types)
        defer { PQclear(result) }
        if PQresultStatus(result) == PGRES_COMMAND_OK { return (name, nil) }
        guard let state = Self.state(result) else { throw lost() }
        return (nil, state)
    }

    /// Runs prepared queries; their answers in the same order.
    func run(_ queries: [(name: String, query: GeneratedQuery)]) throws -> [Answer] {
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        for (name, query) in queries {
            guard send(name, query), PQpipelineSync(connection) == 1 else { throw lost() }
        }
        let answers = try queries.map { try receive(isOrdered: $0.query.isOrdered) }
        guard PQexitPipelineMode(connection) == 1 else { throw lost() }
        return answers
    }

    private func send(_ name: String, _ query: GeneratedQuery) -> Bool {
        let parameters = query.parameters
        let lengths = parameters.map { CInt($0.bytes?.count ?? 0) }
        let formats = parameters.map { CInt($0.isBinary ? 1 : 0) }
        // Text values end with a zero byte.
        let storage = parameters.map { ($0.bytes ?? []) + [0] }.joined().map(\.self)
        return storage.withUnsafeBytes { bytes in
            var offset = 0
            let values = parameters.map { parameter -> UnsafePointer<CChar>? in
                defer { offset += (parameter.bytes?.count ?? 0) + 1 }
                guard parameter.bytes != nil else { return nil }
                return bytes.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
            }
            return PQsendQueryPrepared(
                connection, name, CInt(parameters.count), values, lengths, formats, query.isBinary ? 1 : 0) == 1
        }
    }

    private func receive(isOrdered: Bool) throws -> Answer {
        var answer: Answer?
        while true {
            guard let result = PQgetResult(connection) else {
                // Between the results of one query and what follows.
                guard PQstatus(connection) == CONNECTION_OK else { throw lost() }
                continue
            }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                guard let answer else { throw lost() }
                return answer
            case PGRES_TUPLES_OK: answer = Self.answer(result, isOrdered: isOrdered)
            case PGRES_FATAL_ERROR:
                guard let state = Self.state(result) else { throw lost() }
                answer = Answer(failure: state == "57014" ? Self.tooMuch : state)
            default: throw lost()
            }
        }
    }

    private static func answer(_ result: OpaquePointer, isOrdered: Bool) -> Answer {
        let width = PQnfields(result)
        let count = PQntuples(result)
        guard count <= rowLimit else { return Answer(failure: tooMuch) }
        let rows = (0..<count).map { number in
            var row: [UInt8] = []
            for column in 0..<width {
                guard PQgetisnull(result, number, column) == 0, let value = PQgetvalue(result, number, column) else {
                    Answer.append(nil, to: &row)
                    continue
                }
                let length = Int(PQgetlength(result, number, column))
                Answer.append(UnsafeRawBufferPointer(start: value, count: length), to: &row)
            }
            return row
        }
        return Answer(rows: rows, isOrdered: isOrdered)
    }

    private static func state(_ result: OpaquePointer?) -> String? {
        // 'C' is the SQLSTATE.
        PQresultErrorField(result, 67).map { String(cString: $0) }
    }

    private func lost() -> TestKitError {
        TestKitError("the reader's session failed: \(String(cString: PQerrorMessage(connection)))")
    }
}
