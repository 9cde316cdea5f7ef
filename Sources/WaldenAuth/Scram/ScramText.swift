/// The text of SCRAM messages: attributes of a letter, `=` and a value, separated by commas (RFC 5802, section 5.1).
enum ScramText {
    typealias Slice = ArraySlice<UInt8>

    static let comma = UInt8(ascii: ",")

    /// The value of the attribute that `part` must be.
    static func value(_ name: Character, of part: Slice) -> Slice? {
        guard let letter = name.asciiValue, part.count >= 2, part.first == letter,
            part[part.startIndex + 1] == UInt8(ascii: "=")
        else { return nil }
        return part.dropFirst(2)
    }

    /// The parts between the commas.
    static func parts(_ text: Slice) -> [Slice] {
        text.split(separator: comma, omittingEmptySubsequences: false)
    }

    /// `posit-number` within the limit of `KeyDerivation`.
    static func iterations(_ text: some Collection<UInt8>) -> Int? {
        guard (1...10).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }), text.first != 0x30 else {
            return nil
        }
        let number = text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return number <= KeyDerivation.iterationLimit ? number : nil
    }

    /// `printable`: 0x21 … 0x7E without the comma. A nonce must be of these.
    static func isPrintable(_ text: Slice) -> Bool {
        !text.isEmpty && text.allSatisfy { (0x21...0x7E).contains($0) && $0 != comma }
    }
}
