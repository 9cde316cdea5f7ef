import Testing
import WaldenCore

@testable import WaldenDependency

/// The order-preserving form of numeric.
struct DecimalTests {
    private func ordered(_ text: String) -> [UInt8]? {
        DecimalNumber(text: Array(text.utf8).span.bytes)?.orderedBytes
    }

    /// In ascending order; equal numbers share a line.
    private static let ascending: [[String]] = [
        ["-Infinity"], ["-1e400"], ["-123456789012345678901234567890.5"], ["-10001"], ["-10000", "-1e4"], ["-9999.99"],
        ["-100"], ["-99"], ["-12.34"], ["-12.3", "-12.300"], ["-12.25"], ["-12"], ["-1.01"], ["-1.001"],
        ["-1", "-1.0", "-1.00000"], ["-0.5"], ["-0.05"], ["-0.0001"], ["-1e-300"],
        ["0", "0.0", "-0", "0e5", "000", "-0.000"], ["1e-300"], ["0.00001"], ["0.0001"], ["0.05"], ["0.5", ".5"],
        ["1", "1.", "1.0", "01", "10e-1", "0.1e1"], ["1.001"], ["1.01"], ["9.99"], ["10", "1e1", "1E+1"], ["12"],
        ["12.25"], ["12.3"], ["12.34"], ["99"], ["100"], ["9999.99"], ["10000"], ["10001"], ["99990000"],
        ["9223372036854775807"], ["9223372036854775808"], ["123456789012345678901234567890.5"], ["1e400"],
        ["Infinity"], ["NaN"],
    ]

    @Test func orderIsNumericOrder() throws {
        var previous: [UInt8]?
        for line in Self.ascending {
            let first = try #require(ordered(line[0]))
            for same in line { #expect(ordered(same) == first, "\(same) is not \(line[0])") }
            if let previous { #expect(previous.lexicographicallyPrecedes(first), "\(line[0]) is out of order") }
            previous = first
        }
    }

    @Test(arguments: [
        "", "-", ".", "-.", "e5", "1e", "1e+", "1ee5", "1.2.3", "1x", " 1", "+1", "1e999999999", "nan", "inf", "1e-",
        "--1",
    ])
    func malformed(_ text: String) {
        #expect(ordered(text) == nil)
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0, 0, 0, 0, 2], "0"), ([0, 1, 0, 0, 0, 0, 0, 0, 0, 1], "1"),
            ([0, 1, 0, 0, 0x40, 0, 0, 0, 0, 1], "-1"),
            ([0, 2, 0, 0, 0, 0, 0, 2, 0, 12, 0x13, 0x88], "12.5"), ([0, 1, 0, 1, 0, 0, 0, 0, 0, 1], "10000"),
            ([0, 1, 0xFF, 0xFF, 0, 0, 0, 4, 0, 1], "0.0001"), ([0, 1, 0xFF, 0xFE, 0, 0, 0, 8, 0x03, 0xE8], "0.00001"),
            ([0, 0, 0, 0, 0xC0, 0, 0, 0], "NaN"), ([0, 0, 0, 0, 0xD0, 0, 0, 0], "Infinity"),
            ([0, 0, 0, 0, 0xF0, 0, 0, 0], "-Infinity"),
        ] as [([UInt8], String)])
    func binaryForm(_ bytes: [UInt8], _ text: String) {
        #expect(DecimalNumber(binary: bytes.span.bytes)?.orderedBytes == ordered(text))
    }

    @Test(
        arguments: [
            [], [0, 1], [0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], [0xFF, 0xFF, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0x12, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func malformedBinary(_ bytes: [UInt8]) {
        #expect(DecimalNumber(binary: bytes.span.bytes) == nil)
    }

    @Test func randomNumbersKeepTheirOrder() throws {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            let scale = Int64([1, 10, 1000, 1_000_000][Int(generator.next() % 4)])
            let left = Int64(truncatingIfNeeded: generator.next()) >> Int64(generator.next() % 50 + 8)
            let right = generator.next() % 5 == 0 ? left : Int64(truncatingIfNeeded: generator.next()) >> 40
            let (first, second) = (
                try #require(ordered(decimal(left, scale))), try #require(ordered(decimal(right, scale)))
            )
            #expect(first.lexicographicallyPrecedes(second) == (left < right))
            #expect((first == second) == (left == right))
        }
    }

    private func decimal(_ value: Int64, _ scale: Int64) -> String {
        let fraction = String(value.magnitude % UInt64(scale))
        let padding = String(repeating: "0", count: String(scale).count - 1 - (scale == 1 ? 0 : fraction.count))
        let sign = value < 0 ? "-" : ""
        return scale == 1 ? "\(value)" : "\(sign)\(value.magnitude / UInt64(scale)).\(padding)\(fraction)"
    }

    @Test func integersAreDecimals() {
        for value: Int64 in [0, 1, -1, 10, 99, 100, -12_345, .max, .min] {
            #expect(DecimalNumber(value).orderedBytes == ordered(String(value)))
            #expect(DecimalNumber(value).asInteger == .value(.integer(value)))
        }
    }

    @Test(
        arguments: [
            ("1.5", .gap(lower: .integer(1), upper: .integer(2))),
            ("-1.5", .gap(lower: .integer(-2), upper: .integer(-1))),
            ("0.5", .gap(lower: .integer(0), upper: .integer(1))),
            ("-0.001", .gap(lower: .integer(-1), upper: .integer(0))),
            ("9223372036854775807.5", .gap(lower: .integer(.max), upper: nil)),
            ("9223372036854775808", .gap(lower: .integer(.max), upper: nil)),
            ("-9223372036854775808.5", .gap(lower: nil, upper: .integer(.min))),
            ("-9223372036854775809", .gap(lower: nil, upper: .integer(.min))),
            ("1e30", .gap(lower: .integer(.max), upper: nil)),
            ("-1e30", .gap(lower: nil, upper: .integer(.min))), ("1e3", .value(.integer(1000))), ("NaN", nil),
            ("Infinity", nil),
        ] as [(String, Constant?)])
    func besideIntegers(_ text: String, _ expected: Constant?) {
        #expect(DecimalNumber(text: Array(text.utf8).span.bytes)?.asInteger == expected)
    }

    @Test(arguments: ["0", "1", "-1", "10.5", "-0.001", "123456.789", "100", "NaN", "-Infinity", "0.05"])
    func writtenAsRead(_ text: String) throws {
        #expect(DecimalNumber.format(orderedBytes: try #require(ordered(text))) == text)
    }
}
