import CLibPQ

/// One column's value: its bytes in the format that was asked for.
public struct SQLValue: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public var description: String { text }
}

/// A complete result, copied out of libpq.
public struct SQLResult: Hashable, Sendable {
    public let columns: [String]
    public let types: [UInt32]
    /// Nil is SQL's null.
    public let rows: [[SQLValue?]]
    /// E.g. `SELECT 3`.
    public let commandTag: String

    init(_ result: OpaquePointer) {
        let width = PQnfields(result)
        columns = (0..<width).map { String(cString: PQfname(result, $0)) }
        types = (0..<width).map { PQftype(result, $0) }
        commandTag = String(cString: PQcmdStatus(result))
        rows = (0..<PQntuples(result)).map { row in
            (0..<width).map { column in
                guard PQgetisnull(result, row, column) == 0 else { return nil }
                let bytes = UnsafeRawBufferPointer(
                    start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
                return SQLValue(bytes: Array(bytes))
            }
        }
    }

    /// The rows as text, null as `nil`.
    public var texts: [[String?]] { rows.map { $0.map { $0?.text } } }

    /// The first column of the first row as an integer.
    public var integer: Int? {
        guard let value = rows.first?.first, let value else { return nil }
        return Int(value.text)
    }
}

/// An ErrorResponse or NoticeResponse as libpq took it apart, or the loss of the connection.
public struct SQLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// E.g. `40001`; nil when the error is libpq's own: no connection, or a broken one.
    public let sqlState: String?
    public let severity: String
    public let message: String
    public let detail: String?
    public let hint: String?

    init(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        sqlState = field("C")
        severity = field("V") ?? ""
        message = field("M") ?? String(cString: PQresultErrorMessage(result))
        detail = field("D")
        hint = field("H")
    }

    init(connectionMessage: String) {
        sqlState = nil
        severity = "FATAL"
        message = connectionMessage
        detail = nil
        hint = nil
    }

    public var description: String {
        "\(severity) \(sqlState ?? "(libpq)"): \(message)"
    }
}
