enum IntegerText {
    /// Reads an optional minus and decimal digits, all of `text`; nil for anything else or beyond 64 bits.
    static func parse(_ text: borrowing RawSpan) -> Int64? {
        let count = text.byteCount
        let isNegative = text.isByte(UInt8(ascii: "-"), at: 0)
        var offset = isNegative ? 1 : 0
        guard offset < count else { return nil }
        var value: Int64 = 0
        if count - offset <= 18 {
            while offset < count {
                guard let digit = text.digit(at: offset) else { return nil }
                value = value &* 10 &- Int64(digit)
                offset += 1
            }
        } else {
            // Accumulated as a negative number, because there is one more of these.
            while offset < count {
                guard let digit = text.digit(at: offset) else { return nil }
                let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = scaled.subtractingReportingOverflow(Int64(digit))
                if overflow || carry { return nil }
                value = sum
                offset += 1
            }
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }
}
