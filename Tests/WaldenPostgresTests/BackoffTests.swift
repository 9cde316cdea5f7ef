import Testing
import WaldenCore
import WaldenPostgres

@Suite struct BackoffTests {
    @Test func doublesUpToTheMaximum() {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1), seed: 1)
        let ceilings: [Duration] = [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)]
        for ceiling in ceilings + [Duration](repeating: .seconds(1), count: 100) {
            let delay = backoff.failed()
            #expect(delay <= ceiling)
            #expect(delay >= ceiling * 0.75)
        }
    }

    @Test func beginsAgainAfterSuccess() {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5), seed: 2)
        for _ in 0..<10 { _ = backoff.failed() }
        backoff.succeeded()
        #expect(backoff.failed() <= .milliseconds(100))
    }

    @Test func oneSeedGivesOneSequence() {
        var first = Backoff(seed: 7)
        var second = Backoff(seed: 7)
        var other = Backoff(seed: 8)
        let delays = (0..<5).map { _ in first.failed() }
        #expect(delays == (0..<5).map { _ in second.failed() })
        #expect(delays != (0..<5).map { _ in other.failed() })
    }

    @Test func aMaximumBelowTheInitialIsRaised() {
        var backoff = Backoff(initial: .seconds(2), maximum: .seconds(1), seed: 3)
        #expect(backoff.maximum == .seconds(2))
        #expect(backoff.failed() >= .seconds(1.5))
    }

    @Test func theGeneratorIsTheOneOfThePaper() {
        // The reference implementation's first outputs for seed 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
    }
}
