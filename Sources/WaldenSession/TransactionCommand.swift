import WaldenCore

/// BEGIN, COMMIT or ROLLBACK in a spelling that is understood to the last word (PostgreSQL `parser/gram.y`,
/// `TransactionStmt`). Read off the bytes, for these commands may be answered without the server and without a parser.
enum TransactionCommand: Hashable, Sendable {
    case begin(BeginForm)
    /// COMMIT or END, not AND CHAIN.
    case commit
    /// ROLLBACK or ABORT of the whole transaction, not AND CHAIN.
    case rollback

    /// A longer text is not looked at. Bytes.
    static let textLimit = 512

    /// Nil for every other text.
    init?(_ text: Range<Int>, in bytes: borrowing RawSpan) {
        guard text.count <= Self.textLimit else { return nil }
        var words = CommandWords(text)
        guard let first = words.next(in: bytes) else { return nil }
        if words.isWord(first, "begin", in: bytes) {
            _ = words.skip("work", "transaction", in: bytes)
            guard let form = BeginForm(tag: .begin, &words, in: bytes) else { return nil }
            self = .begin(form)
        } else if words.isWord(first, "start", in: bytes) {
            guard words.skip("transaction", in: bytes), let form = BeginForm(tag: .startTransaction, &words, in: bytes)
            else { return nil }
            self = .begin(form)
        } else if words.isWord(first, "commit", in: bytes) || words.isWord(first, "end", in: bytes) {
            guard words.endsWithoutChain(in: bytes) else { return nil }
            self = .commit
        } else if words.isWord(first, "rollback", in: bytes) || words.isWord(first, "abort", in: bytes) {
            guard words.endsWithoutChain(in: bytes) else { return nil }
            self = .rollback
        } else {
            return nil
        }
    }

    /// The command tag that the server answers with.
    var completionTag: String {
        switch self {
        case .begin(let form): form.tag.rawValue
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"
        }
    }
}

/// What BEGIN or START TRANSACTION says of the transaction.
struct BeginForm: Hashable, Sendable {
    enum Tag: String, Sendable {
        case begin = "BEGIN"
        case startTransaction = "START TRANSACTION"
    }

    /// By the names that SQL has for them.
    enum Isolation: String, Sendable, CaseIterable {
        case readUncommitted = "READ UNCOMMITTED"
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"

        /// Each statement has a snapshot of its own; else one serves all. READ UNCOMMITTED differs from READ COMMITTED
        /// in what SHOW answers only.
        var isByStatement: Bool { self == .readCommitted || self == .readUncommitted }
    }

    let tag: Tag
    /// Nil: the session's default.
    private(set) var isolation: Isolation?
    /// READ ONLY or READ WRITE; nil: the session's default.
    private(set) var isReadOnly: Bool?
    /// DEFERRABLE or NOT DEFERRABLE; nil: the session's default.
    private(set) var isDeferrable: Bool?

    /// The level is SERIALIZABLE, which no replica offers.
    var isSerializable: Bool { isolation == .serializable }

    /// Whether a node other than the primary can run the transaction, whatever its statements are.
    var mayRunOnReplica: Bool { isReadOnly == true && isolation != nil && !isSerializable }

    /// The same command with the level spelled out that the client was promised.
    func spelledOut(_ level: Isolation) -> String {
        var modes = ["ISOLATION LEVEL \(level.rawValue)"]
        if let isReadOnly { modes.append(isReadOnly ? "READ ONLY" : "READ WRITE") }
        if let isDeferrable { modes.append(isDeferrable ? "DEFERRABLE" : "NOT DEFERRABLE") }
        return "\(tag.rawValue) \(modes.joined(separator: ", "))"
    }

    /// The same with the session's default spelled out, where it is READ ONLY.
    func declaredReadOnly(byDefault isDefault: Bool) -> BeginForm {
        guard isDefault, isReadOnly == nil else { return self }
        var form = self
        form.isReadOnly = true
        return form
    }

    /// Reads the transaction modes up to the end. Nil when a word is not known, or a mode is given twice.
    fileprivate init?(tag: Tag, _ words: inout CommandWords, in bytes: borrowing RawSpan) {
        self.tag = tag
        var isFirst = true
        while !words.isAtEnd(in: bytes) {
            // Between two modes a comma may stand.
            if !isFirst { _ = words.skipComma(in: bytes) }
            isFirst = false
            if words.skip("isolation", in: bytes) {
                guard isolation == nil, words.skip("level", in: bytes), let level = level(&words, in: bytes) else {
                    return nil
                }
                isolation = level
            } else if words.skip("read", in: bytes) {
                guard isReadOnly == nil else { return nil }
                let isOnly = words.skip("only", in: bytes)
                guard isOnly || words.skip("write", in: bytes) else { return nil }
                isReadOnly = isOnly
            } else {
                let isNegated = words.skip("not", in: bytes)
                guard isDeferrable == nil, words.skip("deferrable", in: bytes) else { return nil }
                isDeferrable = !isNegated
            }
        }
    }

    private func level(_ words: inout CommandWords, in bytes: borrowing RawSpan) -> Isolation? {
        if words.skip("read", in: bytes) {
            if words.skip("committed", in: bytes) { return .readCommitted }
            return words.skip("uncommitted", in: bytes) ? .readUncommitted : nil
        }
        if words.skip("repeatable", in: bytes) { return words.skip("read", in: bytes) ? .repeatableRead : nil }
        return words.skip("serializable", in: bytes) ? .serializable : nil
    }
}

/// Walks over the words of a short text without copying any.
struct CommandWords {
    private var position: Int
    private let end: Int

    init(_ text: Range<Int>) {
        position = text.lowerBound
        end = text.upperBound
    }

    /// The next word of ASCII letters, which is consumed; nil when something else follows.
    mutating func next(in bytes: borrowing RawSpan) -> Range<Int>? {
        guard skipBlanks(in: bytes) else { return nil }
        let start = position
        var next = position
        while next < end, Self.isLetter(bytes.byte(at: next)) { next += 1 }
        // A word that goes on with a digit or the like is another one.
        guard next > start, next == end || !Self.continuesWord(bytes.byte(at: next)) else { return nil }
        position = next
        return start..<next
    }

    func isWord(_ range: Range<Int>, _ word: StaticString, in bytes: borrowing RawSpan) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<range.count
        where bytes.byte(at: range.lowerBound + index) | 0x20 != word.utf8Start[index] { return false }
        return true
    }

    /// Consumes the next word if it is the one given.
    mutating func skip(_ word: StaticString, in bytes: borrowing RawSpan) -> Bool {
        skip(word, word, in: bytes)
    }

    mutating func skip(_ first: StaticString, _ second: StaticString, in bytes: borrowing RawSpan) -> Bool {
        let start = position
        guard let word = next(in: bytes), isWord(word, first, in: bytes) || isWord(word, second, in: bytes) else {
            position = start
            return false
        }
        return true
    }

    /// The next identifier, as PostgreSQL reads it; nil when something else follows, or one of a spelling that is not
    /// understood (escapes, doubled quotes, letters beyond ASCII, more than 63 bytes).
    mutating func identifier(in bytes: borrowing RawSpan) -> [UInt8]? {
        guard skipBlanks(in: bytes), position < end else { return nil }
        let quote = UInt8(ascii: "\"")
        let isQuoted = bytes.byte(at: position) == quote
        var next = isQuoted ? position + 1 : position
        var name: [UInt8] = []
        while next < end {
            let byte = bytes.byte(at: next)
            if isQuoted ? byte == quote : !Self.isLetter(byte) && !Self.continuesWord(byte) { break }
            if byte >= 0x80 { return nil }
            name.append(!isQuoted && Self.isLetter(byte) ? byte | 0x20 : byte)
            next += 1
        }
        if isQuoted {
            guard next < end else { return nil }
            next += 1
            if next < end, bytes.byte(at: next) == quote { return nil }
        } else if let first = name.first, (0x30...0x39).contains(first) || first == UInt8(ascii: "$") {
            return nil
        } else if next < end, bytes.byte(at: next) == UInt8(ascii: "&") {
            return nil
        }
        guard !name.isEmpty, name.count < 64 else { return nil }
        position = next
        return name
    }

    mutating func skipComma(in bytes: borrowing RawSpan) -> Bool {
        guard skipBlanks(in: bytes), position < end, bytes.byte(at: position) == UInt8(ascii: ",") else { return false }
        position += 1
        return true
    }

    /// Whether nothing follows but blanks, comments and semicolons.
    mutating func isAtEnd(in bytes: borrowing RawSpan) -> Bool {
        let start = position
        while skipBlanks(in: bytes) {
            if position == end { return true }
            guard bytes.byte(at: position) == UInt8(ascii: ";") else { break }
            position += 1
        }
        position = start
        return false
    }

    /// `[WORK | TRANSACTION] [AND NO CHAIN]` and no more.
    mutating func endsWithoutChain(in bytes: borrowing RawSpan) -> Bool {
        _ = skip("work", "transaction", in: bytes)
        if skip("and", in: bytes) {
            guard skip("no", in: bytes), skip("chain", in: bytes) else { return false }
        }
        return isAtEnd(in: bytes)
    }

    /// Steps over space and comments; false when a comment does not end.
    private mutating func skipBlanks(in bytes: borrowing RawSpan) -> Bool {
        while position < end {
            let byte = bytes.byte(at: position)
            if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0C || byte == 0x0D {
                position += 1
            } else if isPair("-", "-", in: bytes) {
                while position < end, bytes.byte(at: position) != 0x0A, bytes.byte(at: position) != 0x0D {
                    position += 1
                }
            } else if isPair("/", "*", in: bytes) {
                guard skipComment(in: bytes) else { return false }
            } else {
                return true
            }
        }
        return true
    }

    /// Comments nest.
    private mutating func skipComment(in bytes: borrowing RawSpan) -> Bool {
        var depth = 0
        while position < end {
            if isPair("/", "*", in: bytes) {
                depth += 1
                position += 2
            } else if isPair("*", "/", in: bytes) {
                depth -= 1
                position += 2
                if depth == 0 { return true }
            } else {
                position += 1
            }
        }
        return false
    }

    private func isPair(_ first: Unicode.Scalar, _ second: Unicode.Scalar, in bytes: borrowing RawSpan) -> Bool {
        position + 1 < end && bytes.byte(at: position) == UInt8(ascii: first)
            && bytes.byte(at: position + 1) == UInt8(ascii: second)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20)
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
    }
}
