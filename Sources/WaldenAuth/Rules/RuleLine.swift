/// One line of a file in the manner of pg_hba.conf, in fields of values (PostgreSQL `hba.c`, `next_field_expand`).
///
/// Fields are separated by blanks, the values of a field by commas. A value in double quotes, in which a double quote is
/// written twice, is a name even if it reads like a keyword. A `#` begins a comment, a `\` at the end of a line joins the
/// next to it.
struct RuleLine: Hashable, Sendable {
    struct Value: Hashable, Sendable {
        let text: String
        let isQuoted: Bool

        /// The keyword that this is, rather than a name.
        func isKeyword(_ keyword: String) -> Bool { !isQuoted && text == keyword }
    }

    /// From 1; of the first line where several are joined.
    let number: Int
    let fields: [[Value]]

    /// Characters of a file, in all; the bound on what a mistaken path can make Walden hold.
    static let fileByteLimit = 16 << 20

    static func read(_ content: String, file: String) throws(FileProblem) -> [RuleLine] {
        guard content.utf8.count <= fileByteLimit else {
            throw FileProblem(file: file, line: 1, reason: "the file is larger than 16 MB")
        }
        var lines: [RuleLine] = []
        var pending = ""
        var first: Int?
        for (index, raw) in content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let number = first ?? index + 1
            if raw.hasSuffix("\\") {
                pending += raw.dropLast()
                first = number
                continue
            }
            let fields = try fields(pending + raw, file: file, line: number)
            if !fields.isEmpty { lines.append(RuleLine(number: number, fields: fields)) }
            pending = ""
            first = nil
        }
        if let first {
            let fields = try fields(pending, file: file, line: first)
            if !fields.isEmpty { lines.append(RuleLine(number: first, fields: fields)) }
        }
        return lines
    }

    private static func fields(_ text: String, file: String, line: Int) throws(FileProblem) -> [[Value]] {
        var fields: [[Value]] = []
        var field: [Value] = []
        var value = ""
        var isQuoted = false
        var isInside = false
        var endsWithComma = false
        func closeValue() {
            guard !value.isEmpty || isQuoted else { return }
            field.append(Value(text: value, isQuoted: isQuoted))
            value = ""
            isQuoted = false
        }
        func closeField() {
            closeValue()
            // After a comma blanks belong to the field.
            guard !endsWithComma, !field.isEmpty else { return }
            fields.append(field)
            field = []
        }
        for character in text {
            if character == "\"" {
                // Twice in a row is one that is meant.
                if !isInside, isQuoted, !endsWithComma { value.append(character) }
                isInside.toggle()
                isQuoted = true
                endsWithComma = false
            } else if isInside {
                value.append(character)
            } else if character == "#" {
                break
            } else if character == "," {
                closeValue()
                endsWithComma = true
            } else if character == " " || character == "\t" {
                closeField()
            } else {
                value.append(character)
                endsWithComma = false
            }
        }
        guard !isInside else { throw FileProblem(file: file, line: line, reason: "a double quote is not closed") }
        endsWithComma = false
        closeField()
        return fields
    }
}
