import Testing
import WaldenWire

@testable import WaldenConsole

@Suite struct ValueTests {
    @Test(
        arguments: [
            (.null, nil), (.text("a€"), "a€"), (.bool(true), "t"), (.bool(false), "f"), (.int4(-1), "-1"),
            (.int8(.max), "9223372036854775807"), (.float8(2), "2"), (.float8(0.25), "0.25"), (.float8(.nan), "NaN"),
            (.float8(-.infinity), "-Infinity"), (.numeric(.max), "18446744073709551615"), (.text("a\0b"), "a"),
            (.timestamptz(WallTime(microseconds: 0)), "1970-01-01 00:00:00+00"),
            (.timestamptz(WallTime(microseconds: 1_795_686_433_000_120)), "2026-11-26 09:47:13.00012+00"),
            (.timestamptz(WallTime(microseconds: -1)), "1969-12-31 23:59:59.999999+00"),
            (.timestamptz(WallTime(microseconds: 951_782_400_000_000)), "2000-02-29 00:00:00+00"),
            (.timestamptz(WallTime(microseconds: 4_107_542_399_000_000)), "2100-02-28 23:59:59+00"),
        ] as [(ConsoleValue, String?)])
    func writesText(value: ConsoleValue, text: String?) {
        #expect(value.encoded(.text).map { String(decoding: $0, as: UTF8.self) } == text)
    }

    @Test(
        arguments: [
            (.null, nil), (.text("a"), [0x61]), (.bool(true), [1]), (.int4(-2), [0xFF, 0xFF, 0xFF, 0xFE]),
            (.int8(1), [0, 0, 0, 0, 0, 0, 0, 1]), (.float8(1), [0x3F, 0xF0, 0, 0, 0, 0, 0, 0]),
            (.numeric(0), [0, 0, 0, 0, 0, 0, 0, 0]),
            (.numeric(10_000), [0, 1, 0, 1, 0, 0, 0, 0, 0, 1]),
            (.numeric(120_003), [0, 2, 0, 1, 0, 0, 0, 0, 0, 12, 0, 3]),
            (.timestamptz(WallTime(microseconds: 946_684_800_000_001)), [0, 0, 0, 0, 0, 0, 0, 1]),
        ] as [(ConsoleValue, [UInt8]?)])
    func writesBinary(value: ConsoleValue, bytes: [UInt8]?) {
        #expect(value.encoded(.binary) == bytes)
    }

    @Test func extremeTimesAreWritten() {
        for microseconds in [Int64.min, .min + 1, .max] {
            let time = ConsoleValue.timestamptz(WallTime(microseconds: microseconds))
            #expect(time.encoded(.text) != nil)
            #expect(time.encoded(.binary)?.count == 8)
        }
    }
}
