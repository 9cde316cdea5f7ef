/// Dates and times in the ISO style: `2024-02-29`, `2024-02-29 13:05:00.25`, `2024-02-29 13:05:00.25+00`, years of four
/// or more digits, a trailing ` BC`, `infinity` and `-infinity` (PostgreSQL `utils/adt/datetime.c`, `EncodeDateTime`).
enum CalendarText {
    enum Zone {
        /// None may stand there.
        case absent
        /// `Z`, `+hh`, `+hh:mm` or `+hh:mm:ss`.
        case required
    }

    static let microsecondsPerDay: Int64 = 86_400_000_000
    /// The infinities of `date`, as the server stores them.
    static let dateInfinity = Int64(Int32.max)
    static let dateMinusInfinity = Int64(Int32.min)

    /// Days since 2000-01-01.
    static func date(_ text: borrowing RawSpan) -> Int64? {
        if text.equals("infinity") { return dateInfinity }
        if text.equals("-infinity") { return dateMinusInfinity }
        var offset = 0
        guard let day = readDate(text, &offset) else { return nil }
        return closing(text, offset, day: day)
    }

    /// Microseconds since 2000-01-01 00:00, in UTC when there is a zone.
    static func timestamp(_ text: borrowing RawSpan, zone: Zone) -> Int64? {
        if text.equals("infinity") { return .max }
        if text.equals("-infinity") { return .min }
        var offset = 0
        guard let date = readDate(text, &offset) else { return nil }
        guard text.isByte(UInt8(ascii: " "), at: offset) || text.isByte(UInt8(ascii: "T"), at: offset) else {
            return nil
        }
        offset += 1
        guard let time = readTime(text, &offset) else { return nil }
        var shift: Int64 = 0
        if zone == .required {
            guard let zone = readZone(text, &offset) else { return nil }
            shift = zone
        }
        guard let day = closing(text, offset, day: date) else { return nil }
        return instant(day: day, microseconds: time - shift)
    }

    /// A timestamp that none of the infinities stands for; nil beyond its range.
    static func instant(day: Int64, microseconds: Int64) -> Int64? {
        let (start, overflow) = day.multipliedReportingOverflow(by: microsecondsPerDay)
        let (sum, carry) = start.addingReportingOverflow(microseconds)
        return overflow || carry || sum == .max || sum == .min ? nil : sum
    }

    private struct CivilDate {
        let year: Int64
        let month: Int64
        let day: Int64
    }

    private static func readDate(_ text: borrowing RawSpan, _ offset: inout Int) -> CivilDate? {
        let start = offset
        guard let year = readNumber(text, &offset, digits: 7), offset - start >= 4 else { return nil }
        guard text.isByte(UInt8(ascii: "-"), at: offset) else { return nil }
        offset += 1
        guard let month = readPair(text, &offset), text.isByte(UInt8(ascii: "-"), at: offset) else { return nil }
        offset += 1
        guard let day = readPair(text, &offset), year >= 1, (1...12).contains(month), day >= 1 else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    /// The end of the text, perhaps after ` BC`: the day's number, when the month has that day.
    private static func closing(_ text: borrowing RawSpan, _ offset: Int, day date: CivilDate) -> Int64? {
        var year = date.year
        if offset != text.byteCount {
            guard text.extracting(offset..<text.byteCount).equals(" BC") else { return nil }
            year = 1 - year
        }
        guard date.day <= lastDay(of: date.month, year: year) else { return nil }
        return dayNumber(year: year, month: date.month, day: date.day)
    }

    private static func lastDay(of month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 2000-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC.
    static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years that begin in March put the leap day last.
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let dayOfEraOf2000 = Int64(730_425)
        return era * 146_097 + dayOfEra - dayOfEraOf2000
    }

    /// `hh:mm:ss` with up to six fractional digits, in microseconds.
    private static func readTime(_ text: borrowing RawSpan, _ offset: inout Int) -> Int64? {
        guard let hour = readPair(text, &offset), hour < 24, text.isByte(UInt8(ascii: ":"), at: offset) else {
            return nil
        }
        offset += 1
        guard let minute = readPair(text, &offset), minute < 60 else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if text.isByte(UInt8(ascii: ":"), at: offset) {
            offset += 1
            guard let value = readPair(text, &offset), value < 60 else { return nil }
            seconds = value
            if text.isByte(UInt8(ascii: "."), at: offset) {
                offset += 1
                var scale: Int64 = 100_000
                guard text.digit(at: offset) != nil else { return nil }
                while let digit = text.digit(at: offset) {
                    guard scale > 0 else { return nil }
                    fraction += Int64(digit) * scale
                    scale /= 10
                    offset += 1
                }
            }
        }
        return ((hour * 60 + minute) * 60 + seconds) * 1_000_000 + fraction
    }

    /// Microseconds east of UTC.
    private static func readZone(_ text: borrowing RawSpan, _ offset: inout Int) -> Int64? {
        if text.isByte(UInt8(ascii: "Z"), at: offset) {
            offset += 1
            return 0
        }
        let isWest = text.isByte(UInt8(ascii: "-"), at: offset)
        guard isWest || text.isByte(UInt8(ascii: "+"), at: offset) else { return nil }
        offset += 1
        guard var seconds = readPair(text, &offset), seconds < 16 else { return nil }
        seconds *= 3600
        for unit: Int64 in [60, 1] {
            guard text.isByte(UInt8(ascii: ":"), at: offset) else { break }
            offset += 1
            guard let part = readPair(text, &offset), part < 60 else { return nil }
            seconds += part * unit
        }
        return (isWest ? -seconds : seconds) * 1_000_000
    }

    private static func readPair(_ text: borrowing RawSpan, _ offset: inout Int) -> Int64? {
        let start = offset
        guard let number = readNumber(text, &offset, digits: 2), offset - start == 2 else { return nil }
        return number
    }

    private static func readNumber(_ text: borrowing RawSpan, _ offset: inout Int, digits: Int) -> Int64? {
        var value: Int64 = 0
        let start = offset
        while let digit = text.digit(at: offset), offset - start < digits {
            value = value * 10 + Int64(digit)
            offset += 1
        }
        return offset > start ? value : nil
    }
}
