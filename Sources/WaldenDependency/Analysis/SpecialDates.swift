/// The words that date and time input reads as the moment of reading (documentation, "Date/Time Types", special
/// values). The others (`epoch`, `infinity`, `allballs`) are constants.
enum SpecialDates {
    /// Whether such a word stands anywhere in `text` as a whole run of letters, whatever its case: also within an
    /// array or range literal, or beside a time of day.
    static func occur(in text: some Collection<UInt8>) -> Bool {
        var length = 0
        var word: UInt64 = 0
        for byte in text {
            let lower = byte | 0x20
            if (0x61...0x7A).contains(lower), byte < 0x80 {
                length += 1
                // Nine letters do not fit into eight bytes, but none of the words is told from another by its first.
                word = word << 8 | UInt64(lower)
            } else {
                if isSpecial(word, length) { return true }
                length = 0
                word = 0
            }
        }
        return isSpecial(word, length)
    }

    private static let now = packed("now")
    private static let today = packed("today")
    private static let tomorrow = packed("tomorrow")
    private static let yesterday = packed("esterday")

    private static func isSpecial(_ word: UInt64, _ length: Int) -> Bool {
        switch length {
        case 3: word == now
        case 5: word == today
        case 8: word == tomorrow
        case 9: word == yesterday
        default: false
        }
    }

    private static func packed(_ word: StaticString) -> UInt64 {
        word.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }
}
