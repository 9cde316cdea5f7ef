import Testing
import WaldenCore

@testable import WaldenDependency

/// Column values in text and in binary form.
struct ValueTests {
    private func field(_ bytes: [UInt8], _ kind: Field.Kind, _ type: TypeID, _ family: ValueFamily) -> FieldValue {
        // Not at the start of the buffer, and not at its end.
        let buffer = [0x31] + bytes + [0x32]
        let field = Field(kind: kind, offset: 1, length: UInt32(bytes.count))
        return FieldDecoding.value(of: field, bytes: buffer, type: type, family: family)
    }

    private func text(_ text: String, _ family: ValueFamily) -> FieldValue {
        field(Array(text.utf8), .text, .unspecified, family)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("007", 7), ("999999999999999999", 999_999_999_999_999_999),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("1000000000000000000", 1_000_000_000_000_000_000),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999", nil), ("", nil),
            ("-", nil),
            ("+1", nil), (" 1", nil), ("1 ", nil), ("1.0", nil), ("0x1", nil), ("1a", nil),
        ] as [(String, Int64?)])
    func integers(_ source: String, _ expected: Int64?) {
        #expect(text(source, .integer) == (expected.map { .known(.integer($0)) } ?? .unknown))
    }

    @Test func integersInBinary() {
        #expect(field([0xFF, 0xFE], .binary, .int2, .integer) == .known(.integer(-2)))
        #expect(field([0, 0, 1, 0], .binary, .int4, .integer) == .known(.integer(256)))
        #expect(field([0x80, 0, 0, 0, 0, 0, 0, 0], .binary, .int8, .integer) == .known(.integer(.min)))
        #expect(field([0, 0, 1], .binary, .int4, .integer) == .unknown)
        #expect(field([0, 0, 1, 0], .binary, .int8, .integer) == .unknown)
        #expect(field([0, 0, 1, 0], .binary, .text, .integer) == .unknown)
        #expect(field([0xFF, 0xFF, 0xFF, 0xFF], .binary, .oid, .oid) == .known(.integer(4_294_967_295)))
        #expect(text("4294967295", .oid) == .known(.integer(4_294_967_295)))
        #expect(text("4294967296", .oid) == .unknown)
        #expect(text("-1", .oid) == .unknown)
    }

    @Test func fieldsWithoutAValue() {
        for kind in [Field.Kind.unchangedToast, .notSent] {
            #expect(field([0x31], kind, .int4, .integer) == .unknown)
        }
        #expect(field([], .null, .int4, .integer) == .null)
        let beyond = Field(kind: .text, offset: 5, length: 10)
        #expect(FieldDecoding.value(of: beyond, bytes: [1, 2], type: .int4, family: .integer) == .unknown)
        let huge = Field(kind: .text, offset: .max, length: .max)
        #expect(FieldDecoding.value(of: huge, bytes: [1, 2], type: .int4, family: .integer) == .unknown)
    }

    @Test func booleans() {
        #expect(text("t", .boolean) == .known(.integer(1)))
        #expect(text("f", .boolean) == .known(.integer(0)))
        #expect(text("true", .boolean) == .unknown)
        #expect(field([1], .binary, .bool, .boolean) == .known(.integer(1)))
        #expect(field([2], .binary, .bool, .boolean) == .unknown)
    }

    @Test(
        arguments: [
            ("2000-01-01", 0), ("2000-01-02", 1), ("1999-12-31", -1), ("2024-02-29", 8825), ("1970-01-01", -10_957),
            ("0001-01-01", -730_119), ("0001-12-31 BC", -730_120), ("4714-11-24 BC", -2_451_545),
            ("10000-01-01", 2_921_940),
            ("5874897-12-31", 2_145_031_948), ("infinity", Int64(Int32.max)), ("-infinity", Int64(Int32.min)),
            ("2023-02-29", nil), ("1900-02-29", nil), ("2024-13-01", nil), ("2024-00-01", nil), ("2024-01-00", nil),
            ("2024-04-31", nil), ("0000-01-01", nil), ("24-01-01", nil), ("2024-1-1", nil), ("2024-01-01 AD", nil),
            ("2024-01-01x", nil), ("01/02/2024", nil), ("", nil), ("99999999-01-01", nil),
        ] as [(String, Int64?)])
    func dates(_ source: String, _ expected: Int64?) {
        #expect(text(source, .date) == (expected.map { .known(.integer($0)) } ?? .unknown))
        if let expected { #expect(CalendarText.format(day: expected) == source) }
    }

    @Test func everyDayIsWrittenAsItIsRead() {
        for day in stride(from: Int64(-2_400_000), through: 3_000_000, by: 97) {
            let written = CalendarText.format(day: day)
            #expect(CalendarText.date(Array(written.utf8).span.bytes) == day)
        }
    }

    @Test(
        arguments: [
            ("2000-01-01 00:00:00", 0), ("2000-01-01 00:00:00.000001", 1), ("1999-12-31 23:59:59.5", -500_000),
            ("2000-01-02 01:02:03.25", 90_123_250_000), ("0001-01-01 00:00:00 BC", -63_113_904_000_000_000),
            ("infinity", .max), ("-infinity", .min), ("2000-01-01 24:00:00", nil), ("2000-01-01 00:60:00", nil),
            ("2000-01-01 00:00:60", nil), ("2000-01-01 00:00:00.1234567", nil), ("2000-01-01 00:00:00.", nil),
            ("2000-01-01 00:00:00+00", nil), ("2000-01-01", nil), ("2000-01-01 0:00:00", nil),
            ("9999999-01-01 00:00:00", nil),
        ] as [(String, Int64?)])
    func timestamps(_ source: String, _ expected: Int64?) {
        #expect(text(source, .timestamp) == (expected.map { .known(.integer($0)) } ?? .unknown))
    }

    @Test(
        arguments: [
            ("2000-01-01 00:00:00+00", 0), ("2000-01-01 00:00:00Z", 0), ("2000-01-01 02:00:00+02", 0),
            ("1999-12-31 18:30:00-05:30", 0), ("2000-01-01 00:00:01+00:00:01", 0), ("2000-01-01 00:00:00", nil),
            ("2000-01-01 00:00:00+", nil), ("2000-01-01 00:00:00+16", nil), ("2000-01-01 00:00:00 UTC", nil),
            ("infinity", .max),
        ] as [(String, Int64?)])
    func timestampsWithTimeZone(_ source: String, _ expected: Int64?) {
        #expect(text(source, .timestamptz) == (expected.map { .known(.integer($0)) } ?? .unknown))
    }

    @Test func calendarsInBinary() {
        #expect(field([0xFF, 0xFF, 0xFF, 0xFF], .binary, .date, .date) == .known(.integer(-1)))
        #expect(field([0, 0, 0, 0, 0, 0, 0, 1], .binary, .timestamp, .timestamp) == .known(.integer(1)))
        #expect(field([0, 0, 0, 1], .binary, .timestamptz, .timestamptz) == .unknown)
    }

    @Test func bytes() {
        #expect(text("\\x00ffAb", .bytea) == .known(.bytes([0, 255, 0xAB])))
        #expect(text("\\x", .bytea) == .known(.bytes([])))
        for malformed in ["\\x0", "\\x0g", "x00", "", "ab", "\\000"] { #expect(text(malformed, .bytea) == .unknown) }
        let uuid = "00112233-4455-6677-8899-aabbccddeeff"
        let expected = FieldValue.known(.bytes((0..<16).map { UInt8($0 * 17) }))
        #expect(text(uuid, .uuid) == expected)
        #expect(field((0..<16).map { UInt8($0 * 17) }, .binary, .uuid, .uuid) == expected)
        for malformed in ["", "00112233445566778899aabbccddeeff", uuid + "0", "0011223-34455-6677-8899-aabbccddeeff"] {
            #expect(text(malformed, .uuid) == .unknown)
        }
        #expect(text("é", .text) == .known(.bytes([0xC3, 0xA9])))
        #expect(field([0xFF], .binary, .text, .text) == .known(.bytes([0xFF])))
    }

    @Test func malformedBytesNeverTrap() {
        var generator = SplitMix64(seed: 7)
        let families: [ValueFamily] = [
            .integer, .oid, .boolean, .date, .timestamp, .timestamptz, .numeric, .text, .bytea, .uuid, .enumeration,
        ]
        let alphabet = Array("0123456789-+: .eE\\xnfITZNaBC".utf8)
        for _ in 0..<20_000 {
            let count = Int(generator.next() % 40)
            let bytes = (0..<count).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
            for family in families {
                _ = field(bytes, .text, .int8, family)
                _ = field(bytes, .binary, .int8, family)
            }
            _ = ArrayReading.items(bytes.span.bytes)
        }
    }
}
