import Glibc
import WaldenTestKit

/// `walden-demo`: a private primary, two streaming standbys and Walden before them, and a few scenes that show what it
/// is for. Every read is checked; ends with exit code 1 when one of them was stale.
@main
enum Demo {
    static func main() {
        let command = CommandLine.arguments.dropFirst().first ?? "run"
        do {
            switch command {
            case "run": exit(try run())
            case "up": try Residence.up()
            case "down": try Residence.down()
            default:
                Show.out("usage: walden-demo [run|up|down]")
                exit(64)
            }
        } catch {
            Show.out("\(error)")
            exit(1)
        }
    }

    private static func run() throws -> Int32 {
        let started = ContinuousClock.now
        Show.title("Walden: a primary, two standbys, and a cache that reads the write-ahead log")
        let stage = try Stage.raise()
        defer { stage.strike() }
        let ledger = VersionLedger(rows: Stage.loadRows)
        let truth = Truth(ledger: ledger)

        try MissAndHit(stage: stage).play()
        try Bypass(stage: stage, truth: truth).play()
        try OtherRow(stage: stage, truth: truth).play()
        try Throughput(stage: stage, truth: truth).play()
        try Quiescence(stage: stage, truth: truth).play()
        let figures = try stage.walden.figures()
        stage.strike()
        try Succession(truth: truth).play()

        Show.blank()
        Show.line("all scenes in \(Show.number((ContinuousClock.now - started).inSeconds, places: 1)) s")
        Show.out(
            "hits=\(figures.hits) misses=\(figures.misses) invalidations=\(figures.invalidations)"
                + " needless=\(truth.needless.value) stale=\(truth.stale.value)"
                + " reads=\(truth.reads.value) writes=\(truth.writes.value)"
                + " max_staleness=\(Stage.maxStalenessMilliseconds)ms")
        return truth.stale.value == 0 ? 0 : 1
    }
}
