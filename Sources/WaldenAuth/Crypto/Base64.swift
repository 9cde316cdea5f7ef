import CCrypto

/// Base64 of RFC 4648, section 4, as RFC 5802 demands it: with padding, without line breaks. libcrypto does the work.
enum Base64 {
    static func encode(_ data: [UInt8]) -> [UInt8] {
        // libcrypto ends what it writes with a zero.
        var text = [UInt8](repeating: 0, count: (data.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, data, Int32(clamping: data.count))
        return Array(text.prefix(max(0, Int(count))))
    }

    /// Nil unless all of `text` is base64. libcrypto alone would pass over blanks and misplaced padding.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let text = Array(text)
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard text.count.isMultiple(of: 4), padding <= 2, text.dropLast(padding).allSatisfy(isDigit) else { return nil }
        var data = [UInt8](repeating: 0, count: text.count / 4 * 3)
        let count = EVP_DecodeBlock(&data, text, Int32(clamping: text.count))
        guard count == data.count else { return nil }
        return Array(data.dropLast(padding))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
