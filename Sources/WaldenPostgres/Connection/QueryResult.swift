internal import CLibPQ

/// The rows of one statement, in text form.
public struct QueryResult: Sendable {
    public let columns: [String]
    /// One value per column; nil is null.
    public let rows: [[String?]]
    /// The command tag, e.g. `SELECT 3`.
    public let tag: String

    /// The only value of the first row; nil when there is no row or it is null.
    public var firstValue: String? { rows.first?.first ?? nil }
}

extension QueryResult {
    init(copying result: OpaquePointer) {
        let columnCount = PQnfields(result)
        columns = (0..<columnCount).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        rows = (0..<PQntuples(result)).map { row in
            (0..<columnCount).map { Self.value(result, row, $0) }
        }
        tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    private static func value(_ result: OpaquePointer, _ row: CInt, _ column: CInt) -> String? {
        guard PQgetisnull(result, row, column) == 0, let text = PQgetvalue(result, row, column) else { return nil }
        let length = Int(PQgetlength(result, row, column))
        return text.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
    }
}
