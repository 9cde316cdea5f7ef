/// What the server answered to a query, in a form that tells two answers apart: rows in their order, or sorted when
/// the statement fixes none.
final class Answer: Sendable, Hashable {
    /// Each row as one string of bytes: fields with their lengths.
    let rows: [[UInt8]]
    /// The SQLSTATE of an error; such an answer is never kept.
    let failure: String?

    init(rows: [[UInt8]], isOrdered: Bool) {
        self.rows = isOrdered ? rows : rows.sorted { $0.lexicographicallyPrecedes($1) }
        failure = nil
    }

    init(failure: String) {
        rows = []
        self.failure = failure
    }

    static func == (left: Answer, right: Answer) -> Bool {
        left.rows == right.rows && left.failure == right.failure
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(rows)
        hasher.combine(failure)
    }

    var byteCount: Int { rows.reduce(64) { $0 + $1.count + 16 } }

    /// A row of these fields; nil is null.
    static func row(_ fields: [[UInt8]?]) -> [UInt8] {
        var row: [UInt8] = []
        for field in fields {
            guard let field else {
                append(nil, to: &row)
                continue
            }
            field.withUnsafeBytes { append($0, to: &row) }
        }
        return row
    }

    /// Four bytes of length, then the field; null has the length -1, as in DataRow.
    static func append(_ field: UnsafeRawBufferPointer?, to row: inout [UInt8]) {
        let length = Int32(clamping: field?.count ?? -1)
        withUnsafeBytes(of: length.bigEndian) { row += $0 }
        if let field { row += field }
    }

    /// For people: rows as tuples, long fields cut.
    var lines: [String] {
        if let failure { return ["ERROR \(failure)"] }
        return rows.map { row in
            let texts = Self.fields(of: row).map { field -> String in
                guard let field else { return "NULL" }
                let text = String(decoding: row[field], as: UTF8.self)
                return text.count > 60 ? text.prefix(57) + "…" : text
            }
            return "(" + texts.joined(separator: ", ") + ")"
        }
    }

    /// Where the fields of a row stand; nil is null.
    static func fields(of row: [UInt8]) -> [Range<Int>?] {
        var fields: [Range<Int>?] = []
        var position = 0
        while position + 4 <= row.count {
            let length = row[position..<(position + 4)].reduce(0) { $0 << 8 | UInt32($1) }
            position += 4
            if length == .max {
                fields.append(nil)
                continue
            }
            let end = min(position + Int(length), row.count)
            fields.append(position..<end)
            position = end
        }
        return fields
    }
}
