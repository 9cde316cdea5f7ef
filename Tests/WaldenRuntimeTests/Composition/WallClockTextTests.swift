import Testing
import WaldenPostgres

@testable import WaldenRuntime

@Suite struct WallClockTextTests {
    @Test(arguments: [
        (Int64(0), "2000-01-01T00:00:00.000Z"), (1_234_567, "2000-01-01T00:00:01.234Z"),
        (849_009_600_000_000, "2026-11-26T12:00:00.000Z"), (-1, "1999-12-31T23:59:59.999Z"),
        (-1_000_000, "1999-12-31T23:59:59.000Z"),
    ])
    func momentsAreUTC(microseconds: Int64, text: String) {
        #expect(WallClock.text(microseconds) == text)
    }
}
