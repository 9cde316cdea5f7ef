import WaldenWire

/// A word of a statement.
enum ConsoleToken: Hashable {
    /// Letters, digits and `_ $ . *`: a keyword or a name.
    case word(String)
    /// Between double quotes.
    case quoted(String)
    /// Between single quotes.
    case string(String)
    case symbol(UInt8)

    /// In upper case, when it is an unquoted word.
    var keyword: String? {
        if case .word(let text) = self { text.uppercased() } else { nil }
    }

    /// What it names: an unquoted word in lower case, as PostgreSQL folds identifiers.
    var name: String? {
        switch self {
        case .word(let text): text.lowercased()
        case .quoted(let text), .string(let text): text
        case .symbol: nil
        }
    }
}

/// Cuts a text into statements at `;`, and these into tokens. Comments are left out as in SQL: `--` to the end of the line,
/// `/* … */` nested. Texts come from clients; nothing in them can do more than be refused.
struct ConsoleLexer {
    /// Statements in one text.
    static let statementLimit = 100

    private let bytes: [UInt8]
    private var position = 0

    private init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The tokens of each statement; none for an empty one, which is left out unless it is all there is.
    static func statements(in text: String) throws(ConsoleRefusal) -> [[ConsoleToken]] {
        var lexer = ConsoleLexer(text)
        var statements: [[ConsoleToken]] = []
        var current: [ConsoleToken] = []
        while let token = try lexer.next() {
            guard token == .symbol(UInt8(ascii: ";")) else {
                current.append(token)
                continue
            }
            if !current.isEmpty { statements.append(current) }
            current.removeAll()
            guard statements.count < statementLimit else {
                throw ConsoleRefusal(.programLimitExceeded, "more than \(statementLimit) statements in one text")
            }
        }
        if !current.isEmpty { statements.append(current) }
        return statements
    }

    private mutating func next() throws(ConsoleRefusal) -> ConsoleToken? {
        try skipBlanks()
        guard let byte = peek() else { return nil }
        switch byte {
        case UInt8(ascii: "\""): return .quoted(try quoted(by: byte))
        case UInt8(ascii: "'"): return .string(try quoted(by: byte))
        case _ where Self.isWord(byte):
            let start = position
            while let byte = peek(), Self.isWord(byte) { position += 1 }
            return .word(String(decoding: bytes[start..<position], as: UTF8.self))
        default:
            position += 1
            return .symbol(byte)
        }
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "."),
            UInt8(ascii: "*"), 0x80...:
            true
        default: false
        }
    }

    private mutating func skipBlanks() throws(ConsoleRefusal) {
        while let byte = peek() {
            switch (byte, peek(1)) {
            case (0x09...0x0D, _), (UInt8(ascii: " "), _): position += 1
            case (UInt8(ascii: "-"), UInt8(ascii: "-")):
                while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): try skipComment()
            default: return
            }
        }
    }

    private mutating func skipComment() throws(ConsoleRefusal) {
        var depth = 0
        repeat {
            switch (peek(), peek(1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                position += 2
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                position += 2
            case (nil, _): throw ConsoleRefusal(.syntaxError, "unterminated /* comment")
            default: position += 1
            }
        } while depth > 0
    }

    /// A quote inside is written twice.
    private mutating func quoted(by quote: UInt8) throws(ConsoleRefusal) -> String {
        var content: [UInt8] = []
        position += 1
        while let byte = peek() {
            position += 1
            if byte != quote {
                content.append(byte)
            } else if peek() == quote {
                content.append(quote)
                position += 1
            } else {
                return String(decoding: content, as: UTF8.self)
            }
        }
        throw ConsoleRefusal(.syntaxError, "unterminated quoted text")
    }
}
