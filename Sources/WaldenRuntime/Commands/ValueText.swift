import WaldenCore
import WaldenDependency

/// Writes the values of predicates as SQL literals.
enum ValueText {
    static func literal(_ value: Value, of family: ValueFamily) -> String {
        switch value {
        case .integer(let number): literal(number, of: family)
        case .bytes(let bytes): literal(bytes, of: family)
        }
    }

    private static func literal(_ number: Int64, of family: ValueFamily) -> String {
        switch family {
        case .boolean: number == 0 ? "false" : "true"
        case .date: quoted(date(days: number))
        case .timestamp: quoted(timestamp(microseconds: number))
        case .timestamptz: quoted(timestamp(microseconds: number) + (isInfinite(number) ? "" : "+00"))
        default: String(number)
        }
    }

    private static func literal(_ bytes: [UInt8], of family: ValueFamily) -> String {
        switch family {
        case .bytea: "'\\x" + hexadecimal(bytes[...]) + "'"
        case .uuid where bytes.count == 16:
            quoted([0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hexadecimal(bytes[$0]) }.joined(separator: "-"))
        case .numeric: numeric(bytes) ?? "'\\x" + hexadecimal(bytes[...]) + "'"
        default: quoted(String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" ? "''" : String($0) }.joined() + "'"
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Date and time

    private static func isInfinite(_ number: Int64) -> Bool { number == .max || number == .min }

    private static func timestamp(microseconds: Int64) -> String {
        if isInfinite(microseconds) { return microseconds == .max ? "infinity" : "-infinity" }
        let (days, rest) = divided(microseconds, by: 86_400_000_000)
        let seconds = rest / 1_000_000
        let fraction = rest % 1_000_000
        let time = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        return date(days: days) + " " + time + (fraction == 0 ? "" : "." + padded(fraction, 6))
    }

    /// Days since 2000-01-01 in the Gregorian calendar, by counting in years that begin in March (H. Hinnant,
    /// "chrono-compatible low-level date algorithms").
    private static func date(days: Int64) -> String {
        // The extremes of a date column are 32 bits wide, those of a timestamp's day are not reached.
        if days == Int64(Int32.max) || days == .max { return "infinity" }
        if days == Int64(Int32.min) || days == .min { return "-infinity" }
        let (era, dayOfEra) = divided(days &+ 730_425, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let text = "\(padded(year > 0 ? year : 1 - year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        return year > 0 ? text : text + " BC"
    }

    /// Quotient rounded down, and a remainder that is not negative.
    private static func divided(_ number: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: Numeric

    /// Reads the order-preserving form that predicates hold: a class byte, then the exponent and two digits a byte,
    /// complemented for negative values. Nil for what is not of that form.
    private static func numeric(_ bytes: [UInt8]) -> String? {
        switch bytes.first {
        case 0x00: return "'-Infinity'"
        case 0x20: return "0"
        case 0x40: return "'Infinity'"
        case 0x50: return "'NaN'"
        case 0x10 where bytes.count > 6: return "-" + magnitude(bytes.dropFirst().dropLast().map { ~$0 })
        case 0x30 where bytes.count > 5: return magnitude(Array(bytes.dropFirst()))
        default: return nil
        }
    }

    /// Four bytes of exponent, then digits of 0.d₁d₂… × 10^exponent.
    private static func magnitude(_ bytes: [UInt8]) -> String {
        let biased = bytes.prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let exponent = Int(biased - 0x8000_0000)
        var digits = bytes.dropFirst(4).flatMap { [$0 / 10, $0 % 10] }
        if digits.last == 0 { digits.removeLast() }
        let text = digits.map { String($0) }.joined()
        if exponent > 0, exponent <= 40 {
            let whole = text.prefix(exponent)
            let zeros = String(repeating: "0", count: max(0, exponent - text.count))
            return text.count > exponent ? "\(whole).\(text.dropFirst(exponent))" : whole + zeros
        }
        if exponent <= 0, exponent > -20 { return "0." + String(repeating: "0", count: -exponent) + text }
        return "0.\(text)e\(exponent)"
    }
}
