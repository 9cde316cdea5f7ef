/// A moment by the wall clock, in microseconds since 1970-01-01 00:00:00 UTC. For people: nothing is decided by it.
public struct WallTime: Hashable, Comparable, Sendable {
    public let microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public static func < (lhs: WallTime, rhs: WallTime) -> Bool { lhs.microseconds < rhs.microseconds }

    /// What PostgreSQL sends for a timestamptz; saturates.
    var microsecondsSince2000: Int64 {
        let (difference, overflow) = microseconds.subtractingReportingOverflow(946_684_800_000_000)
        return overflow ? .min : difference
    }

    /// `2026-11-26 09:47:13 UTC`, as PgBouncer writes times into columns of type text.
    var withSeconds: String { date + " " + clock + " UTC" }

    /// `2026-11-26 09:47:13.000123+00`, as PostgreSQL writes a timestamptz under `DateStyle = ISO`, `TimeZone = UTC`.
    var withMicroseconds: String {
        let remainder = microseconds % 1_000_000
        let fraction = remainder < 0 ? remainder + 1_000_000 : remainder
        if fraction == 0 { return date + " " + clock + "+00" }
        var digits = Self.padded(fraction, 6)
        while digits.last == "0" { digits.removeLast() }
        return date + " " + clock + "." + digits + "+00"
    }

    private var seconds: Int64 { microseconds.flooredQuotient(1_000_000) }
    private var days: Int64 { seconds.flooredQuotient(86_400) }

    private var clock: String {
        let second = seconds - days * 86_400
        return [second / 3_600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined(separator: ":")
    }

    /// The Gregorian calendar: days are counted from 1 March of year 0, so that the leap day ends a year, in eras of 400
    /// years (Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    private var date: String {
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int64 {
    /// Rounded towards minus infinity.
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
