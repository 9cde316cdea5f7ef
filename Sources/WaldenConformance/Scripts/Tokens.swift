/// The words of one step of a script.
enum Token: Equatable, Sendable {
    case word(String)
    /// A quoted text, or bytes: `"a\n"`, `x"00ff"`.
    case literal([UInt8])
    /// One of `; ( ) * = , : > ->`, or `|>`.
    case sign(String)
}

/// Why a script cannot be read.
struct ScriptError: Error, CustomStringConvertible {
    let place: String
    let reason: String

    var description: String { "\(place): \(reason)" }
}

/// Splits a line into its tokens.
struct Tokenizer {
    private var rest: Substring
    private let place: String

    static func tokens(of line: some StringProtocol, at place: String) throws(ScriptError) -> [Token] {
        var tokenizer = Tokenizer(rest: Substring(line), place: place)
        var tokens: [Token] = []
        while let token = try tokenizer.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(ScriptError) -> Token? {
        rest = rest.drop { $0 == " " }
        guard let first = rest.first, first != "#" else { return nil }
        if rest.hasPrefix("x\"") {
            rest.removeFirst(2)
            return .literal(try hexadecimal())
        }
        if first == "\"" {
            rest.removeFirst()
            return .literal(try quoted())
        }
        for sign in ["->", "|>", ";", "(", ")", "*", "=", ",", ":", ">"] where rest.hasPrefix(sign) {
            rest.removeFirst(sign.count)
            return .sign(sign)
        }
        let text = rest.prefix { $0.isLetter || $0.isNumber || "_.$-+/~".contains($0) }
        let word = text.firstRange(of: "->").map { text[..<$0.lowerBound] } ?? text
        guard !word.isEmpty else { throw ScriptError(place: place, reason: "cannot read from here: \(rest)") }
        rest = rest[word.endIndex...]
        return .word(String(word))
    }

    private mutating func quoted() throws(ScriptError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let character = rest.popFirst() {
            switch character {
            case "\"": return bytes
            case "\\": bytes += try escaped()
            default: bytes += Array(String(character).utf8)
            }
        }
        throw ScriptError(place: place, reason: "a quoted text has no end")
    }

    private mutating func escaped() throws(ScriptError) -> [UInt8] {
        switch rest.popFirst() {
        case "n": return [0x0A]
        case "t": return [0x09]
        case "0": return [0]
        case "\\": return [0x5C]
        case "\"": return [0x22]
        case "x":
            guard let byte = UInt8(rest.prefix(2), radix: 16) else {
                throw ScriptError(place: place, reason: "\\x needs two hexadecimal digits")
            }
            rest.removeFirst(2)
            return [byte]
        default:
            throw ScriptError(place: place, reason: "known escapes are \\n \\t \\0 \\\\ \\\" \\xHH")
        }
    }

    private mutating func hexadecimal() throws(ScriptError) -> [UInt8] {
        guard let end = rest.firstIndex(of: "\"") else {
            throw ScriptError(place: place, reason: "hexadecimal bytes have no end")
        }
        let digits = rest[..<end].filter { $0 != " " }
        rest = rest[rest.index(after: end)...]
        var bytes: [UInt8] = []
        var left = digits[...]
        while !left.isEmpty {
            guard let byte = UInt8(left.prefix(2), radix: 16), left.count >= 2 else {
                throw ScriptError(place: place, reason: "\(digits) are no hexadecimal bytes")
            }
            bytes.append(byte)
            left = left.dropFirst(2)
        }
        return bytes
    }
}
