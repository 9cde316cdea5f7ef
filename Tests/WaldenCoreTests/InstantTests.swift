import Testing

@testable import WaldenCore

@Suite struct InstantTests {
    @Test func arithmeticSaturates() {
        let now = Instant(nanoseconds: 1_000)
        #expect(now + .nanoseconds(5) == Instant(nanoseconds: 1_005))
        #expect(now - .nanoseconds(5) == Instant(nanoseconds: 995))
        #expect(now - .seconds(1) == .distantPast)
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(now + .seconds(Int64.max) > now)
        #expect(Instant.distantPast - .seconds(Int64.max) == .distantPast)
    }

    @Test func elapsedIsNeverNegative() {
        let now = Instant(nanoseconds: 3_000_000_000)
        #expect(now.elapsed(since: Instant(nanoseconds: 1_000_000_000)) == .seconds(2))
        #expect(Instant.distantPast.elapsed(since: now) == .zero)
        #expect(Instant.distantFuture.elapsed(since: .distantPast) == .nanoseconds(Int64.max))
    }

    @Test(
        arguments: [
            (.zero, 0), (.milliseconds(-3), -3_000_000), (.seconds(Int64.max), Int64.max),
            (.seconds(Int64.min), Int64.min),
            (.nanoseconds(7), 7),
        ] as [(Duration, Int64)])
    func durationsBecomeNanoseconds(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }

    @Test func secondsForPeople() {
        #expect(Duration.milliseconds(1_250).fractionalSeconds == 1.25)
    }

    @Test(
        arguments: [
            (.tcp(host: "db", port: 5432), "db:5432"), (.tcp(host: "::1", port: 1), "[::1]:1"),
            (.unix(path: "/run/.s.PGSQL.5432"), "/run/.s.PGSQL.5432"),
        ] as [(Endpoint, String)])
    func endpointsPrint(endpoint: Endpoint, text: String) {
        #expect(endpoint.description == text)
    }
}
