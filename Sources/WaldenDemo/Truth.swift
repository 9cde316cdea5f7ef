import WaldenTestKit

/// What the demo knows to be true, and how the reads fared against it.
struct Truth: Sendable {
    let ledger: VersionLedger
    /// Reads through Walden that were compared with what was committed.
    let reads = Counter()
    let writes = Counter()
    let stale = Counter()
    /// Results dropped although nothing they depend on had changed.
    let needless = Counter()

    /// Compares a read through Walden of one of the load's rows.
    func judge(_ version: Int?, of row: Int, sentAt: ContinuousClock.Instant) {
        reads.add()
        let problem = version.flatMap {
            ledger.problem(with: $0, of: row, sentAt: sentAt, allowed: Stage.maxStaleness)
        }
        guard version == nil || problem != nil else { return }
        stale.add()
        Show.line("STALE: \(problem ?? "row \(row) is missing")")
    }

    /// Compares a read with what it has to be.
    func judge(_ seen: [[String?]], equals expected: [[String?]], _ what: String) {
        judge(seen == expected, what)
    }

    func judge(_ isRight: Bool, _ what: String) {
        reads.add()
        if isRight { return }
        stale.add()
        Show.line("STALE: \(what)")
    }
}
