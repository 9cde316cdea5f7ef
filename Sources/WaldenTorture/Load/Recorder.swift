/// What one worker has done and seen.
struct Recorder: Sendable {
    private let start: ContinuousClock.Instant
    var writes: [Write] = []
    var reads: [Read] = []
    /// Answers that are not of the form that their query has, and what differed when all was quiet.
    var violations: [Violation] = []
    /// Statements that failed in a way that says nothing about the data.
    var errors: [String: Int] = [:]

    init(start: ContinuousClock.Instant) {
        self.start = start
    }

    var now: Moment { Moment(nanosecondsOf: ContinuousClock.now - start) }
}

extension Moment {
    init(nanosecondsOf duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
