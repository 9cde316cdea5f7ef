import Glibc
import WaldenFailoverSimulation

/// `walden-simulate [--seed N] [--runs N] [--jobs N] [--story]`: runs the sentinel against simulated faults, seed by seed.
@main struct Program {
    static func main() async {
        var seed: UInt64 = 1
        var runs: UInt64 = 2_000
        var jobs = 2
        var tellsStory = false
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            switch argument {
            case "--seed": seed = number(arguments.popFirst())
            case "--runs": runs = number(arguments.popFirst())
            case "--jobs": jobs = Int(clamping: number(arguments.popFirst()))
            case "--story": tellsStory = true
            default: usage()
            }
        }
        let report = await SimulationReport.of(seeds: seed..<seed &+ runs, jobs: max(1, jobs), tellsStory: tellsStory)
        print(report.text)
        exit(report.violations == 0 ? 0 : 1)
    }

    private static func number(_ text: String?) -> UInt64 {
        guard let number = text.flatMap({ UInt64($0) }) else { usage() }
        return number
    }

    private static func usage() -> Never {
        print("usage: walden-simulate [--seed N] [--runs N] [--jobs N] [--story]")
        exit(2)
    }
}
