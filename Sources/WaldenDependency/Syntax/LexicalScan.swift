/// Reads of a text that cannot be parsed, or is too long for it, as much as its effect on the session needs: the first
/// word of each statement and the names that may be functions and operators.
///
/// For SQL newer than the parser's grammar and for bulk INSERTs. Such a text is never cacheable; this only keeps its
/// session from being given up. Lexical rules: PostgreSQL documentation, "Lexical Structure".
public enum LexicalScan {
    /// Nil when some statement is not one of the plain data statements, or the text ends within a literal.
    public static func statements(in text: borrowing RawSpan, refusal: Refusal) -> [ParsedStatement]? {
        var lexer = Lexer()
        var collector = Collector()
        while true {
            guard let token = lexer.next(in: text) else { return nil }
            if token == .end { break }
            collector.add(token)
            if collector.isUnknown { return nil }
        }
        return collector.finished(refusal)
    }
}

/// Gathers what one token after another says.
private struct Collector {
    private struct Gathered {
        var effect: SessionEffect
        var functions: Set<QualifiedName> = []
        var operators: Set<QualifiedName> = []
        /// Every word, for any may name a view.
        var words: Set<QualifiedName> = []
    }

    private var statements: [Gathered] = []
    private var isOpen = false
    /// The last tokens, when they are a name: `a`, or `a.b`.
    private var name: [String] = []
    private var afterDot = false
    private(set) var isUnknown = false

    mutating func add(_ token: Lexer.Token) {
        switch token {
        case .semicolon:
            isOpen = false
            name = []
        case .word(let text, let isQuoted):
            if !isOpen, !begin(with: isQuoted ? "" : text) { return isUnknown = true }
            if !isQuoted { noteKeyword(text) }
            statements[statements.count - 1].words.insert(QualifiedName(schema: nil, name: text))
            name = afterDot ? name + [text] : [text]
            afterDot = false
        case .dot: afterDot = true
        case .open:
            if !isOpen, !begin(with: "select") { return isUnknown = true }
            noteFunction()
            name = []
        case .operator(let text):
            guard isOpen else { return isUnknown = true }
            statements[statements.count - 1].operators.insert(QualifiedName(schema: nil, name: text))
            name = []
        case .other:
            if !isOpen { isUnknown = true }
            name = []
            afterDot = false
        case .end: break
        }
    }

    private mutating func begin(with word: String) -> Bool {
        isOpen = true
        switch word {
        case "select", "values", "with", "table": statements.append(Gathered(effect: .readOnly))
        case "insert", "update", "delete", "merge", "copy": statements.append(Gathered(effect: .writes))
        default: return false
        }
        return true
    }

    private mutating func noteKeyword(_ word: String) {
        switch word {
        case "insert", "update", "delete", "merge", "for":
            statements[statements.count - 1].effect = .writes
        // SELECT INTO, perhaps of a temporary table.
        case "into" where statements[statements.count - 1].effect == .readOnly: isUnknown = true
        default: break
        }
    }

    private mutating func noteFunction() {
        guard let last = name.last, !Self.wordsBeforeParentheses.contains(last) || name.count > 1 else { return }
        let schema = name.count > 1 ? name[name.count - 2] : nil
        statements[statements.count - 1].functions.insert(QualifiedName(schema: schema, name: last))
    }

    func finished(_ refusal: Refusal) -> [ParsedStatement] {
        statements.map { statement in
            ParsedStatement(
                effect: statement.effect, functions: statement.functions, operators: statement.operators,
                relations: statement.words, form: .refused(refusal))
        }
    }

    /// Keywords and type names after which a parenthesis is no call of a function of that name.
    private static let wordsBeforeParentheses: Set<String> = [
        "all", "and", "any", "array", "as", "between", "bit", "by", "case", "cast", "char", "character", "coalesce",
        "conflict", "cross", "cube", "dec", "decimal", "distinct", "do", "else", "end", "except", "exists", "extract",
        "filter", "first", "float", "from", "greatest", "group", "grouping", "having", "ilike", "in", "intersect",
        "interval", "into", "is", "join", "json", "json_array", "json_arrayagg", "json_exists", "json_object",
        "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value", "lateral",
        "least", "like", "limit", "materialized", "merge_action", "natural", "next", "normalize", "not", "null",
        "nullif", "numeric", "offset", "on", "or", "order", "over", "overlay", "partition", "position", "precision",
        "recursive", "returning", "rollup", "row", "rows", "select", "set", "sets", "similar", "some", "substring",
        "table", "then", "time", "timestamp", "to", "trim", "union", "unique", "using", "values", "varchar",
        "varying", "when", "where", "with", "within", "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlparse",
        "xmlpi", "xmlroot", "xmlserialize", "xmltable",
    ]
}

/// Splits a text into tokens, one call each.
private struct Lexer {
    enum Token: Equatable {
        /// In lower case unless quoted.
        case word(String, isQuoted: Bool)
        case `operator`(String)
        case dot, open, semicolon
        /// A literal, a number, a parameter, any other punctuation.
        case other
        case end
    }

    private var position = 0

    /// Nil when the text ends within a token.
    mutating func next(in text: borrowing RawSpan) -> Token? {
        guard skipBlanks(text) else { return nil }
        guard position < text.byteCount else { return .end }
        let byte = text.byte(at: position)
        switch byte {
        case UInt8(ascii: "'"): return skipString(text, escapes: false) ? .other : nil
        case UInt8(ascii: "\""): return quotedName(text)
        case UInt8(ascii: "$"): return dollar(text)
        case UInt8(ascii: "("): return single(.open)
        case UInt8(ascii: ";"): return single(.semicolon)
        case UInt8(ascii: "."): return single(.dot)
        case _ where Self.isLetter(byte): return word(text)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            while position < text.byteCount, Self.isWordByte(text.byte(at: position)) { position += 1 }
            return .other
        case _ where Self.isOperatorByte(byte): return operatorToken(text)
        default: return single(.other)
        }
    }

    private mutating func single(_ token: Token) -> Token {
        position += 1
        return token
    }

    /// Steps over space and comments; false when a comment does not end.
    private mutating func skipBlanks(_ text: borrowing RawSpan) -> Bool {
        while position < text.byteCount {
            let byte = text.byte(at: position)
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                position += 1
            } else if byte == UInt8(ascii: "-"), text.isByte(UInt8(ascii: "-"), at: position + 1) {
                while position < text.byteCount, text.byte(at: position) != 0x0A, text.byte(at: position) != 0x0D {
                    position += 1
                }
            } else if byte == UInt8(ascii: "/"), text.isByte(UInt8(ascii: "*"), at: position + 1) {
                guard skipComment(text) else { return false }
            } else {
                return true
            }
        }
        return true
    }

    private mutating func skipComment(_ text: borrowing RawSpan) -> Bool {
        var depth = 0
        while position < text.byteCount {
            if text.isByte(UInt8(ascii: "/"), at: position), text.isByte(UInt8(ascii: "*"), at: position + 1) {
                depth += 1
                position += 2
            } else if text.isByte(UInt8(ascii: "*"), at: position), text.isByte(UInt8(ascii: "/"), at: position + 1) {
                depth -= 1
                position += 2
                if depth == 0 { return true }
            } else {
                position += 1
            }
        }
        return false
    }

    /// Steps over a literal; a doubled quote stands for one.
    private mutating func skipString(_ text: borrowing RawSpan, escapes: Bool) -> Bool {
        position += 1
        while position < text.byteCount {
            let byte = text.byte(at: position)
            position += byte == UInt8(ascii: "\\") && escapes ? 2 : 1
            guard byte == UInt8(ascii: "'") else { continue }
            guard text.isByte(UInt8(ascii: "'"), at: position) else { return true }
            position += 1
        }
        return false
    }

    private mutating func quotedName(_ text: borrowing RawSpan) -> Token? {
        var name: [UInt8] = []
        position += 1
        while position < text.byteCount {
            let byte = text.byte(at: position)
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard text.isByte(byte, at: position) else {
                    return .word(String(decoding: name, as: UTF8.self), isQuoted: true)
                }
                position += 1
            }
            name.append(byte)
        }
        return nil
    }

    /// A parameter, or a dollar-quoted literal.
    private mutating func dollar(_ text: borrowing RawSpan) -> Token? {
        let start = position
        position += 1
        while position < text.byteCount, Self.isWordByte(text.byte(at: position)),
            text.byte(at: position) != UInt8(ascii: "$")
        {
            position += 1
        }
        guard text.isByte(UInt8(ascii: "$"), at: position), text.digit(at: start + 1) == nil else { return .other }
        position += 1
        let length = position - start
        while position + length <= text.byteCount {
            if (0..<length).allSatisfy({ text.byte(at: start + $0) == text.byte(at: position + $0) }) {
                position += length
                return .other
            }
            position += 1
        }
        return nil
    }

    private mutating func word(_ text: borrowing RawSpan) -> Token? {
        var name: [UInt8] = []
        while position < text.byteCount, Self.isWordByte(text.byte(at: position)) {
            let byte = text.byte(at: position)
            name.append((0x41...0x5A).contains(byte) ? byte + 0x20 : byte)
            position += 1
        }
        // E'…' and its kin; U&'…' has no backslash escapes that could hide a quote.
        if text.isByte(UInt8(ascii: "'"), at: position), name.count == 1 {
            return skipString(text, escapes: name[0] == UInt8(ascii: "e")) ? .other : nil
        }
        return .word(String(decoding: name, as: UTF8.self), isQuoted: false)
    }

    private mutating func operatorToken(_ text: borrowing RawSpan) -> Token {
        var name: [UInt8] = []
        while position < text.byteCount, Self.isOperatorByte(text.byte(at: position)) {
            let startsComment =
                text.isByte(UInt8(ascii: "-"), at: position) && text.isByte(UInt8(ascii: "-"), at: position + 1)
                || text.isByte(UInt8(ascii: "/"), at: position) && text.isByte(UInt8(ascii: "*"), at: position + 1)
            if startsComment { break }
            name.append(text.byte(at: position))
            position += 1
        }
        return .operator(String(decoding: name, as: UTF8.self))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$")
    }

    private static func isOperatorByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "@"),
            UInt8(ascii: "#"), UInt8(ascii: "%"), UInt8(ascii: "^"), UInt8(ascii: "&"), UInt8(ascii: "|"),
            UInt8(ascii: "`"), UInt8(ascii: "?"):
            true
        default: false
        }
    }
}
