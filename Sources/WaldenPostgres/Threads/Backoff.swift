internal import WaldenCore

/// How long to wait before the next attempt: doubling from `initial` to `maximum`, each time shortened at random by
/// up to a quarter, so that many clients of a restarted server do not come back at one moment.
public struct Backoff: Sendable {
    public let initial: Duration
    public let maximum: Duration
    private var failures = 0
    private var generator: SplitMix64

    /// `initial` 0.1 s and `maximum` 5 s suit a server that may be restarting.
    public init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(5), seed: UInt64) {
        self.initial = initial
        self.maximum = max(initial, maximum)
        generator = SplitMix64(seed: seed)
    }

    /// The wait after one more failure.
    public mutating func failed() -> Duration {
        var delay = initial
        for _ in 0..<failures where delay < maximum { delay *= 2 }
        failures = min(failures + 1, 64)
        delay = min(delay, maximum)
        let shortening = Double.random(in: 0..<0.25, using: &generator)
        return delay * (1 - shortening)
    }

    /// An attempt has held: the next failure begins at `initial` again.
    public mutating func succeeded() {
        failures = 0
    }
}
