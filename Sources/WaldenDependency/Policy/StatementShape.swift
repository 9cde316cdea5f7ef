public import WaldenCore

/// A statement with its constants taken out; shared by all statements that differ only in them.
public final class StatementShape: Sendable {
    public let id: ShapeID
    /// For people, and for rules to match: constants are `$n`, comments are gone, whitespace is single blanks. Holds
    /// names of tables, columns and functions, never a value. Cut at `maxBytes`; empty when the text is not known.
    public let text: String

    /// Bytes of a text that are kept.
    public static let maxBytes = 4_096

    /// - Parameter normalized: The statement as libpg_query's normalisation leaves it.
    public init(id: ShapeID, normalized: [UInt8]) {
        self.id = id
        text = String(decoding: ShapeText.cleaned(normalized, limit: Self.maxBytes), as: UTF8.self)
    }
}

/// Makes a normalised statement fit to be shown.
///
/// libpg_query takes constants out but leaves comments as they are, and those may say anything. String constants that
/// it should have overlooked go as well: nothing here relies on it alone.
enum ShapeText {
    static func cleaned(_ text: [UInt8], limit: Int) -> [UInt8] {
        var scanner = Scanner(text: text)
        while scanner.output.count < limit, scanner.step() {}
        var result = scanner.output
        if result.last == UInt8(ascii: " ") { result.removeLast() }
        guard result.count > limit - 4 else { return result }
        result.removeLast(result.count - (limit - 4))
        // Not within a character.
        while let last = result.last, last & 0xC0 == 0x80 { result.removeLast() }
        if let last = result.last, last >= 0xC0 { result.removeLast() }
        return result + Array("…".utf8)
    }

    private struct Scanner {
        let text: [UInt8]
        var position = 0
        var output: [UInt8] = []

        private func byte(at offset: Int) -> UInt8 { offset < text.count ? text[offset] : 0 }

        /// Takes one byte, comment or quoted part; false at the end.
        mutating func step() -> Bool {
            guard position < text.count else { return false }
            let current = text[position]
            let next = byte(at: position + 1)
            switch current {
            case UInt8(ascii: " "), 0x09...0x0D:
                position += 1
                blank()
            case UInt8(ascii: "-") where next == current:
                while position < text.count, text[position] != 0x0A { position += 1 }
                blank()
            case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
                skipComment()
                blank()
            case UInt8(ascii: "'"):
                skipString()
                output += Array("'…'".utf8)
            case UInt8(ascii: "\""): copyName()
            default:
                output.append(current)
                position += 1
            }
            return true
        }

        private mutating func blank() {
            if let last = output.last, last != UInt8(ascii: " ") { output.append(UInt8(ascii: " ")) }
        }

        /// They nest.
        private mutating func skipComment() {
            var depth = 0
            while position < text.count {
                switch (text[position], byte(at: position + 1)) {
                case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                    depth += 1
                    position += 2
                case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                    depth -= 1
                    position += 2
                    if depth == 0 { return }
                default: position += 1
                }
            }
        }

        private mutating func skipString() {
            position += 1
            while position < text.count {
                if text[position] == UInt8(ascii: "\\") {
                    position += 2
                } else if text[position] == UInt8(ascii: "'") {
                    position += 1
                    if byte(at: position) != UInt8(ascii: "'") { return }
                    position += 1
                } else {
                    position += 1
                }
            }
        }

        private mutating func copyName() {
            repeat {
                output.append(text[position])
                position += 1
            } while position < text.count && text[position] != UInt8(ascii: "\"")
            if position < text.count {
                output.append(text[position])
                position += 1
            }
        }
    }
}
