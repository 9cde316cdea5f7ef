extension Predicate: CustomStringConvertible {
    /// In the manner of SQL: `(a = 1 AND b > 2) OR c IS NULL`; `every row`, `no row`.
    public var description: String {
        if alternatives.isEmpty { return "no row" }
        if alternatives.contains(where: \.terms.isEmpty) { return "every row" }
        return alternatives.map { conjunction in
            let text = conjunction.terms.map(\.description).joined(separator: " AND ")
            return alternatives.count > 1 && conjunction.terms.count > 1 ? "(\(text))" : text
        }.joined(separator: " OR ")
    }
}

extension Term: CustomStringConvertible {
    public var description: String {
        func show(_ value: Value) -> String { value.description(in: column.family) }
        let name = column.name
        switch test {
        case .isIn(let values) where values.count == 1: return "\(name) = \(show(values[0]))"
        case .isIn(let values): return "\(name) IN (\(Self.abridged(values.map(show))))"
        case .isWithin(.inclusive(.bytes(let prefix)), let upper)
        where column.family == .text && upper == LikePattern.end(ofPrefix: prefix):
            return "\(name) LIKE \(show(.bytes(LikePattern.escaped(prefix))))"
        case .isWithin(let lower, let upper):
            return [lower.description(">", name, show), upper.description("<", name, show)].compactMap { $0 }
                .joined(separator: " AND ")
        case .isNot(let value): return "\(name) <> \(show(value))"
        case .isNull: return "\(name) IS NULL"
        case .isNotNull: return "\(name) IS NOT NULL"
        case .never: return "false"
        }
    }

    static func abridged(_ items: [String]) -> String {
        items.count <= 8 ? items.joined(separator: ", ") : items.prefix(7).joined(separator: ", ") + ", …"
    }
}

extension Bound {
    fileprivate func description(_ sign: String, _ name: String, _ show: (Value) -> String) -> String? {
        switch self {
        case .unbounded: nil
        case .inclusive(let value): "\(name) \(sign)= \(show(value))"
        case .exclusive(let value): "\(name) \(sign) \(show(value))"
        }
    }
}

extension Value {
    /// As SQL would write it, where that is short.
    func description(in family: ValueFamily) -> String {
        switch (self, family) {
        case (.integer(let value), .boolean): value == 0 ? "false" : "true"
        case (.integer(let value), .date): "'\(CalendarText.format(day: value))'"
        case (.integer(let value), .timestamp): "'\(CalendarText.format(instant: value))'"
        case (.integer(let value), .timestamptz): "'\(CalendarText.format(instant: value))+00'"
        case (.integer(let value), .float): String(FloatOrder.number(value))
        case (.integer(let value), _): String(value)
        case (.bytes(let bytes), .numeric): DecimalNumber.format(orderedBytes: bytes)
        case (.bytes(let bytes), .text), (.bytes(let bytes), .enumeration), (.bytes(let bytes), .bpchar):
            "'\(String(decoding: bytes, as: UTF8.self))'"
        case (.bytes(let bytes), .uuid), (.bytes(let bytes), .bytea), (.bytes(let bytes), _):
            "'\\x\(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())'"
        }
    }
}

extension CalendarText {
    /// The inverse of `date`.
    static func format(day: Int64) -> String {
        if day == dateInfinity { return "infinity" }
        if day == dateMinusInfinity { return "-infinity" }
        // Days since 0000-03-01, in years that begin in March.
        let shifted = day + 730_425
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let text =
            "\(padded(year > 0 ? year : 1 - year, 4))-\(padded(month, 2))"
            + "-\(padded(dayOfYear - (153 * monthIndex + 2) / 5 + 1, 2))"
        return year > 0 ? text : text + " BC"
    }

    /// The inverse of `timestamp`.
    static func format(instant: Int64) -> String {
        if instant == .max { return "infinity" }
        if instant == .min { return "-infinity" }
        let quotient = instant / microsecondsPerDay
        let day = instant % microsecondsPerDay < 0 ? quotient - 1 : quotient
        let time = instant - day * microsecondsPerDay
        let seconds = time / 1_000_000
        var text =
            "\(format(day: day)) \(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2))"
            + ":\(padded(seconds % 60, 2))"
        if time % 1_000_000 != 0 { text += ".\(padded(time % 1_000_000, 6))" }
        return text
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension DecimalNumber {
    /// The number that `orderedBytes` stands for.
    static func format(orderedBytes bytes: [UInt8]) -> String {
        guard let kind = bytes.first else { return "" }
        switch kind {
        case 0x00: return "-Infinity"
        case 0x20: return "0"
        case 0x40: return "Infinity"
        case 0x50: return "NaN"
        default: break
        }
        let isNegative = kind == 0x10
        let body = isNegative ? bytes.dropFirst().dropLast().map { ~$0 } : Array(bytes.dropFirst())
        guard body.count > 4 else { return "" }
        let biased = body.prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        var digits = body.dropFirst(4).flatMap { [($0 - 1) / 10, ($0 - 1) % 10] }
        if digits.last == 0 { digits.removeLast() }
        return (isNegative ? "-" : "") + plain(digits, exponent: Int(biased - 0x8000_0000))
    }

    private static func plain(_ digits: [UInt8], exponent: Int) -> String {
        let text = digits.map(String.init).joined()
        if abs(exponent) > 40 { return "0.\(text)e\(exponent)" }
        if exponent <= 0 { return "0." + String(repeating: "0", count: -exponent) + text }
        if exponent >= digits.count { return text + String(repeating: "0", count: exponent - digits.count) }
        return text.prefix(exponent) + "." + text.dropFirst(exponent)
    }
}
