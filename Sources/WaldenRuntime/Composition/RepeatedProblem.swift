import WaldenCore

/// Decides whether a problem that comes again and again is worth another line in the log: when it is a different one,
/// and once a minute.
struct RepeatedProblem: Sendable {
    private static let interval = Duration.seconds(60)

    private var last: String?
    private var saidAt = Instant.distantPast

    mutating func isNews(_ problem: String, now: Instant) -> Bool {
        guard problem != last || now.elapsed(since: saidAt) >= Self.interval else { return false }
        last = problem
        saidAt = now
        return true
    }

    /// It is over: the next one is news whatever it is.
    mutating func ended() {
        last = nil
    }
}
