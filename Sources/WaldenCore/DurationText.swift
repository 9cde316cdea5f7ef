/// Durations as people write them: `250ms`, `2s`, `5min`, `1h`. A unit is required: a bare number has been read as every
/// unit there is.
extension Duration {
    /// - Parameter unit: us, ms, s, min or h; nil for any other.
    /// - Parameter number: Up to 2^50.
    public init?(_ number: Int, unit: String) {
        guard (0...(1 << 50)).contains(number) else { return nil }
        switch unit {
        case "us": self = .microseconds(number)
        case "ms": self = .milliseconds(number)
        case "s": self = .seconds(number)
        case "min": self = .seconds(number * 60)
        case "h": self = .seconds(number * 3_600)
        default: return nil
        }
    }

    /// A number and its unit, perhaps with spaces between; nil for anything else.
    public init?(spelled text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        self.init(number, unit: String(text.dropFirst(digits.count).drop { $0 == " " }))
    }
}
