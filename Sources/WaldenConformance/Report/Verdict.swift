/// How a script or a scenario ended.
enum Verdict: Equatable, Sendable {
    case passed
    case failed(String)
    /// What the server's version cannot do. It does not count as shown.
    case skipped(String)
}

/// A piece of evidence: one script or scenario in one mode.
struct Finding: Sendable {
    var name: String
    var cases: [Int]
    var mode: String
    var verdict: Verdict
}
