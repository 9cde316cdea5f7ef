public import WaldenCore

/// What comments in a statement's text ask of Walden: `/* walden: nocache */`, `/* walden: strict */`,
/// `/* walden: route=primary */` and so on.
public struct StatementHint: Hashable, Sendable {
    /// Neither answer from the cache nor keep the result.
    public var bypassesCache: Bool
    /// The level of consistency for this statement, whatever the session's is.
    public var level: ConsistencyLevel?
    /// Where it should run, whatever the session prefers.
    public var route: RoutePreference?

    public init(bypassesCache: Bool = false, level: ConsistencyLevel? = nil, route: RoutePreference? = nil) {
        self.bypassesCache = bypassesCache
        self.level = level
        self.route = route
    }

    /// The hint in the comments of `text`, which is UTF-8; the strictest of each kind when there are several. An unknown
    /// word counts as `strict`, an unknown route as the primary. Nil when there is none. Read once per text, with its
    /// analysis.
    public static func read(_ text: [UInt8]) -> StatementHint? {
        guard text.contains(UInt8(ascii: "*")) || text.contains(UInt8(ascii: "-")) else { return nil }
        var comments = CommentReader(text)
        var found: StatementHint?
        while let comment = comments.next() {
            for word in directives(in: comment) {
                var hint = found ?? StatementHint()
                hint.add(word)
                found = hint
            }
        }
        return found
    }

    private static let routeKey = "route="

    private static func directives(in comment: ArraySlice<UInt8>) -> [Substring] {
        let words = String(decoding: comment, as: UTF8.self).lowercased()
            .split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" || $0 == "," }
        guard let first = words.first, first.hasPrefix("walden:") else { return [] }
        return ([first.dropFirst("walden:".count)] + words.dropFirst()).filter { !$0.isEmpty }
    }

    private mutating func add(_ word: Substring) {
        if word == "nocache" {
            bypassesCache = true
        } else if word.hasPrefix(Self.routeKey) {
            let named = RoutePreference(name: String(word.dropFirst(Self.routeKey.count))) ?? .primary
            if route != .primary, named != .auto || route == nil { route = named }
        } else {
            level = max(level ?? .bounded, ConsistencyLevel(name: String(word)) ?? .strict)
        }
    }
}

/// Finds the comments of a text, outside of literals and quoted names. Lexical rules: PostgreSQL documentation, "Lexical
/// Structure". In a text that the parser refuses it may find too many or too few; such a text is never cached.
private struct CommentReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) {
        self.text = text
    }

    /// The content of the next comment.
    mutating func next() -> ArraySlice<UInt8>? {
        var previous: UInt8 = 0
        var beforePrevious: UInt8 = 0
        while position < text.count {
            let byte = text[position]
            if isPair("-", "-") { return lineComment() }
            if isPair("/", "*") { return blockComment() }
            switch byte {
            case UInt8(ascii: "'"):
                // E'…' knows escapes, and is one only if the E is a word of its own.
                let escapes = previous | 0x20 == UInt8(ascii: "e") && !Self.isWordByte(beforePrevious)
                skipQuoted(byte, escapes: escapes)
            case UInt8(ascii: "\""): skipQuoted(byte, escapes: false)
            case UInt8(ascii: "$") where !Self.isWordByte(previous): skipDollar()
            default: position += 1
            }
            beforePrevious = previous
            previous = byte
        }
        return nil
    }

    private func isPair(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
        position + 1 < text.count && text[position] == UInt8(ascii: first)
            && text[position + 1] == UInt8(ascii: second)
    }

    private mutating func lineComment() -> ArraySlice<UInt8> {
        position += 2
        let start = position
        while position < text.count, text[position] != 0x0A, text[position] != 0x0D { position += 1 }
        return text[start..<position]
    }

    /// Comments nest; the outermost one counts.
    private mutating func blockComment() -> ArraySlice<UInt8> {
        let start = position + 2
        var depth = 0
        while position < text.count {
            if isPair("/", "*") {
                depth += 1
                position += 2
            } else if isPair("*", "/") {
                depth -= 1
                position += 2
                if depth == 0 { return text[start..<(position - 2)] }
            } else {
                position += 1
            }
        }
        return text[min(start, text.count)...]
    }

    private mutating func skipQuoted(_ quote: UInt8, escapes: Bool) {
        position += 1
        while position < text.count {
            if escapes, text[position] == UInt8(ascii: "\\") {
                position += 2
            } else if text[position] == quote {
                position += 1
                // A doubled quote stands for one.
                guard position < text.count, text[position] == quote else { return }
                position += 1
            } else {
                position += 1
            }
        }
        position = text.count
    }

    /// A parameter, or a dollar-quoted literal.
    private mutating func skipDollar() {
        let start = position
        position += 1
        while position < text.count, Self.isWordByte(text[position]), text[position] != UInt8(ascii: "$") {
            position += 1
        }
        let isParameter = start + 1 < text.count && (0x30...0x39).contains(text[start + 1])
        guard !isParameter, position < text.count, text[position] == UInt8(ascii: "$") else { return }
        position += 1
        let delimiter = text[start..<position]
        while position + delimiter.count <= text.count {
            if text[position..<(position + delimiter.count)].elementsEqual(delimiter) {
                position += delimiter.count
                return
            }
            position += 1
        }
        position = text.count
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "$") || byte >= 0x80
    }
}
