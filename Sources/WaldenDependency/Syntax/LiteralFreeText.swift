/// A statement's text without the values in it, so that texts which differ by values alone are analysed once.
///
/// What a statement does to its session, where it may run and what it may leave behind follow from names: relations,
/// functions and operators, of which every overload is looked at. Values tell more only of settings, and of what the cache
/// may keep; for those the whole text counts. Lexical rules: PostgreSQL documentation, "Lexical Structure".
public enum LiteralFreeText {
    /// Integers of up to nine digits as `0`, and plain string literals as `''`; nil for a text in which a value could be
    /// taken for what it is not: with comments (they may hold hints), backslashes, or dollar quotes.
    public static func read(_ text: borrowing RawSpan) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.byteCount)
        var index = 0
        while index < text.byteCount {
            let byte = text.byte(index)
            switch byte {
            case UInt8(ascii: "\\"): return nil
            case UInt8(ascii: "-") where text.byte(index + 1) == byte: return nil
            case UInt8(ascii: "/") where text.byte(index + 1) == UInt8(ascii: "*"): return nil
            case UInt8(ascii: "$") where !isDigit(text.byte(index + 1)): return nil
            case UInt8(ascii: "'"):
                guard let end = text.end(ofQuotes: byte, from: index) else { return nil }
                result += [byte, byte]
                index = end
            case UInt8(ascii: "\""):
                guard let end = text.end(ofQuotes: byte, from: index) else { return nil }
                result.append(text, index..<end)
                index = end
            case _ where isWord(byte) || byte == UInt8(ascii: "$"):
                let end = text.endOfWord(from: index)
                // E'…', U&'…' and the like have rules of their own.
                if [UInt8(ascii: "'"), UInt8(ascii: "&")].contains(text.byte(end)), !isDigit(byte) { return nil }
                if isPlainInteger(text, index..<end) {
                    result.append(UInt8(ascii: "0"))
                } else {
                    result.append(text, index..<end)
                }
                index = end
            default:
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    /// An `int4` whatever its digits, and no part of a number with a point.
    private static func isPlainInteger(_ text: borrowing RawSpan, _ range: Range<Int>) -> Bool {
        guard range.count <= 9, text.byte(range.upperBound) != UInt8(ascii: "."),
            range.lowerBound == 0 || text.byte(range.lowerBound - 1) != UInt8(ascii: ".")
        else { return false }
        return range.allSatisfy { isDigit(text.byte($0)) }
    }

    fileprivate static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Of an identifier, a keyword or a number.
    fileprivate static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
            || byte >= 0x80
    }
}

extension RawSpan {
    /// Zero behind the end: no text holds one.
    fileprivate func byte(_ index: Int) -> UInt8 {
        index < byteCount ? unsafeLoad(fromByteOffset: index, as: UInt8.self) : 0
    }

    fileprivate func endOfWord(from start: Int) -> Int {
        var index = start + 1
        while index < byteCount, LiteralFreeText.isWord(byte(index)) || byte(index) == UInt8(ascii: "$") { index += 1 }
        return index
    }

    /// Behind the closing quote, doubled ones being part of what is quoted; nil: there is none, or a backslash comes first.
    fileprivate func end(ofQuotes quote: UInt8, from start: Int) -> Int? {
        var index = start + 1
        while index < byteCount {
            if byte(index) == UInt8(ascii: "\\") { return nil }
            if byte(index) == quote {
                if byte(index + 1) != quote { return index + 1 }
                index += 1
            }
            index += 1
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ text: borrowing RawSpan, _ range: Range<Int>) {
        for index in range { append(text.byte(index)) }
    }
}
