/// One statement of a script, with the comment that stands before it.
public struct InstallationStep: Hashable, Sendable {
    /// Why, in one paragraph.
    public let explanation: String
    /// Without the final semicolon.
    public let sql: String

    public init(explanation: String, sql: String) {
        self.explanation = explanation
        self.sql = sql
    }

    /// What to name it by: the statement's first line, or the purpose of an anonymous block.
    public var title: String {
        let isAnonymous = sql.hasPrefix("DO ")
        let first = isAnonymous ? explanation.split(separator: ".").first : sql.split(separator: "\n").first
        return first.map(String.init) ?? sql
    }
}

/// Splits SQL text into its statements: at semicolons outside of quotes, dollar quotes and comments (PostgreSQL
/// documentation, "Lexical Structure"). Line comments before a statement become its explanation, up to a blank line.
enum SQLScript {
    static func steps(_ text: String) -> [InstallationStep] {
        var scanner = Scanner(Array(text.utf8))
        var steps: [InstallationStep] = []
        while let step = scanner.next() { steps.append(step) }
        return steps
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func next() -> InstallationStep? {
            let explanation = comments()
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: ";") { skipToken() }
            let end = position
            position = min(position + 1, bytes.count)
            let sql = ErrorText.trimmed(Self.text(bytes[start..<end])[...])
            return sql.isEmpty ? nil : InstallationStep(explanation: explanation, sql: sql)
        }

        /// Steps over blank space and line comments; gives the last block of comments.
        private mutating func comments() -> String {
            var block: [String] = []
            var newlines = 0
            while position < bytes.count {
                if bytes[position] == UInt8(ascii: "\n") {
                    newlines += 1
                    position += 1
                } else if isSpace(bytes[position]) {
                    position += 1
                } else if starts(with: "--") {
                    if newlines > 1 { block = [] }
                    newlines = 0
                    block.append(ErrorText.trimmed(line().dropFirst(2)))
                } else {
                    break
                }
            }
            return block.joined(separator: " ")
        }

        private mutating func line() -> Substring {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            return Self.text(bytes[start..<position])[...]
        }

        private mutating func skipToken() {
            switch bytes[position] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                skipQuoted(by: bytes[position])
            case UInt8(ascii: "$"):
                skipDollarQuote()
            case UInt8(ascii: "-") where starts(with: "--"):
                _ = line()
            case UInt8(ascii: "/") where starts(with: "/*"):
                position += 2
                skip(past: Array("*/".utf8))
            default:
                position += 1
            }
        }

        private mutating func skipQuoted(by quote: UInt8) {
            position += 1
            // A doubled quote ends one part and begins the next, which comes to the same.
            skip(past: [quote])
        }

        private mutating func skipDollarQuote() {
            var end = position + 1
            while end < bytes.count, isTagByte(bytes[end]) { end += 1 }
            guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
                position += 1
                return
            }
            let tag = Array(bytes[position...end])
            position = end + 1
            skip(past: tag)
        }

        private mutating func skip(past mark: [UInt8]) {
            while position < bytes.count {
                if bytes[position...].starts(with: mark) {
                    position += mark.count
                    return
                }
                position += 1
            }
        }

        private func starts(with text: StaticString) -> Bool {
            text.withUTF8Buffer { bytes[position...].starts(with: $0) }
        }

        private func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || (0x09...0x0D).contains(byte)
        }

        private func isTagByte(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "_") || byte >= 0x80
                || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
        }

        private static func text(_ bytes: ArraySlice<UInt8>) -> String {
            String(decoding: bytes, as: UTF8.self)
        }
    }
}
