import Testing
import WaldenCore

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("250ms", .milliseconds(250)), ("2s", .seconds(2)), ("5min", .seconds(300)), ("1h", .seconds(3_600)),
            ("7 us", .microseconds(7)), ("0s", .zero), ("1125899906842624us", .microseconds(1 << 50)),
            ("1125899906842625h", nil), ("99999999999999999999s", nil), ("5", nil), ("", nil), ("s", nil), ("-1s", nil),
            ("1.5s", nil), ("1d", nil), ("1s ", nil), ("1 S", nil), ("٣s", nil),
        ] as [(String, Duration?)])
    func spelled(text: String, expected: Duration?) {
        #expect(Duration(spelled: text) == expected)
    }
}
