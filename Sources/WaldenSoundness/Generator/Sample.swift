/// A value of a column type in all forms in which a statement can hold it.
struct Sample: Hashable, Sendable {
    /// As SQL, without a type where the type is clear from the context.
    let sql: String
    /// The text form of a parameter.
    let text: String
    /// The binary form of a parameter; nil where it is not made.
    let binary: [UInt8]?

    init(sql: String? = nil, _ text: String, _ binary: [UInt8]? = nil) {
        self.sql = sql ?? "'\(text.replacing("'", with: "''"))'"
        self.text = text
        self.binary = binary
    }
}

/// Few values for each type, so that predicates often meet them and their borders.
enum Samples {
    static func of(_ type: ColumnType) -> [Sample] { all[type] ?? [] }

    private static let all: [ColumnType: [Sample]] = Dictionary(
        uniqueKeysWithValues: ColumnType.allCases.map { ($0, make($0)) })

    private static func make(_ type: ColumnType) -> [Sample] {
        switch type {
        case .smallint: (-1...8).map { Sample(sql: String($0), String($0), bytes(Int16($0))) }
        case .integer, .count: (-1...9).map { Sample(sql: String($0), String($0), bytes(Int32($0))) }
        case .bigint:
            [-1, 0, 1, 2, 3, 4, 5, 3_000_000_000, 9_007_199_254_740_993].map { (value: Int64) in
                Sample(sql: String(value), String(value), bytes(value))
            }
        case .numeric:
            ["0", "1", "1.0", "1.00", "1.5", "-2.25", "3", "10", "0.1"].map { Sample(sql: $0, $0) }
                + [Sample("NaN"), Sample("Infinity")]
        case .scaled: ["0.00", "1.00", "1.50", "2.00", "-0.01", "10.25"].map { Sample(sql: $0, $0) }
        case .float:
            [0, 0.5, 1, 1.5, -2.25, 4].map { (value: Double) in
                Sample(sql: "\(value)", "\(value)", bytes(value.bitPattern))
            } + [Sample("NaN"), Sample("Infinity")]
        case .text, .icu, .word:
            ["", "a", "A", "ab", "abc", "b", "ä", "a b", "a%", "zz", "it's"].map { Sample($0, Array($0.utf8)) }
        case .varchar: ["", "a", "ab", "abc", "B", "a ", "aé"].map { Sample($0, Array($0.utf8)) }
        case .char: ["", "a", "ab", "abc", "A", "zz"].map { Sample($0, Array($0.utf8)) }
        case .folded: ["a", "A", "b", "B", "ab", "AB", "ä"].map { Sample($0, Array($0.utf8)) }
        case .big:
            ["a", "b", "c"].map { letter in
                let text = String(repeating: letter, count: 3000)
                return Sample(sql: "repeat('\(letter)', 3000)", text, Array(text.utf8))
            } + ["a", "b"].map { Sample($0, Array($0.utf8)) }
        case .bool: [Sample(sql: "true", "true", [1]), Sample(sql: "false", "false", [0])]
        case .date:
            [8766, 8767, 8796, 8825, 0, -1].map { Sample(Calendar.date($0), bytes(Int32($0))) }
                + [Sample("infinity", bytes(Int32.max))]
        case .timestamp: instants.map { Sample(Calendar.timestamp($0), bytes($0)) } + [Sample("-infinity")]
        case .timestamptz: instants.map { Sample(Calendar.timestamp($0) + "+00", bytes($0)) }
        case .uuid:
            (1...5).map { number in
                let digit = String(number)
                let text = "00000000-0000-4000-8000-00000000000\(digit)"
                return Sample(text, [0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, UInt8(number)])
            }
        case .bytea: [[], [0], [1], [1, 2], [0xff]].map { Sample("\\x" + hex($0), $0) }
        case .mood: ["low", "mid", "high", "top"].map { Sample($0, Array($0.utf8)) }
        case .intArray: ["{}", "{1}", "{1,2}", "{NULL,1}", "{2}"].map { Sample($0) }
        }
    }

    /// Microseconds since 2000-01-01.
    private static let instants: [Int64] = [
        8766 * 86_400_000_000, 8766 * 86_400_000_000 + 1, 8766 * 86_400_000_000 + 43_200_000_000,
        8767 * 86_400_000_000, 8796 * 86_400_000_000 - 1, 8796 * 86_400_000_000, 0,
    ]

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Dates as PostgreSQL writes them, from its day count.
enum Calendar {
    /// `days` since 2000-01-01, in the years 1 to 9999.
    static func date(_ days: Int) -> String {
        // Days since 0000-03-01; eras of 400 years (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
        let shifted = days + 730_425
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// Microseconds since 2000-01-01, not before it.
    static func timestamp(_ microseconds: Int64) -> String {
        let days = Int(microseconds / 86_400_000_000)
        let rest = Int(microseconds % 86_400_000_000)
        let seconds = rest / 1_000_000
        let fraction = rest % 1_000_000
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(date(days)) \(time)" + (fraction == 0 ? "" : ".\(padded(fraction, 6))")
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
