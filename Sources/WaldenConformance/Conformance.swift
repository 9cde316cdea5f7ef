import Glibc
import WaldenTestKit

/// Holds every script with PostgreSQL and, in every mode, through Walden; what its clients see has to be the same, byte
/// by byte, but for cancel keys and process numbers. Then the scenarios are played.
public final class Conformance {
    private let options: Options
    private let scripts: [Script]
    private let modes: [Mode]
    private let stage: Stage
    private var report: Report

    /// How a run ended.
    public struct Outcome: Sendable {
        public let failed: Int
        /// Whether, besides, every case was shown.
        public let isComplete: Bool
    }

    public init(_ options: Options) throws {
        self.options = options
        scripts = try Self.scripts(in: options.folder + "/scripts").filter { options.wants($0.name, $0.cases) }
        modes = Mode.all.filter { options.modes.isEmpty || options.modes.contains($0.name) }
        report = Report(scripts: scripts.count, modes: modes.count)
        stage = try Stage(schema: TextFile.read(options.folder + "/schema.sql"))
    }

    /// Prints what differs as it is found, then how each case stands.
    public func run() throws -> Outcome {
        defer { stage.end() }
        try play()
        for scenario in Scenario.all where !options.skipsScenarios && options.wants(scenario.name, scenario.cases) {
            report.add(
                Finding(name: scenario.name, cases: scenario.cases, mode: "scenario", verdict: verdict(of: scenario)))
        }
        report.show()
        return Outcome(failed: report.failed, isComplete: report.isComplete)
    }

    private func play() throws {
        let comparison = Comparison(stage: stage, isBrief: options.isBrief)
        var references: [(script: Script, trace: Trace?)] = []
        for script in scripts {
            do {
                let trace = try comparison.reference(script)
                references.append((script, trace))
                if options.shows, let trace { Report.line("=== \(script.name)\n\(trace.transcript)") }
            } catch {
                add(script, "direct", .failed("\(script.place): \(error)"))
            }
        }
        for mode in modes {
            do {
                let dirtier = mode.isDirtied ? Dirtier(port: try stage.walden(mode).port) : nil
                _ = try stage.walden(mode)
                for (script, trace) in references where mode.admits(script) {
                    add(script, mode.name, verdict(of: script, trace, comparison, mode, dirtier))
                }
                if let dirtier { try require(dirtier.answered > 0, "nobody else used the pool's server sessions") }
            } catch {
                report.add(Finding(name: "the mode", cases: [], mode: mode.name, verdict: .failed("\(error)")))
            }
        }
    }

    private func add(_ script: Script, _ mode: String, _ verdict: Verdict) {
        report.add(Finding(name: script.name, cases: script.cases, mode: mode, verdict: verdict))
    }

    private func verdict(
        of script: Script, _ reference: Trace?, _ comparison: Comparison, _ mode: Mode, _ dirtier: Dirtier?
    ) -> Verdict {
        do {
            let difference = try comparison.difference(script, from: reference, in: mode, dirtier)
            return difference.map { .failed("\(script.place): \($0)") } ?? .passed
        } catch {
            return .failed("\(script.place): \(error)")
        }
    }

    private func verdict(of scenario: Scenario) -> Verdict {
        do {
            try scenario.run(stage)
            return .passed
        } catch {
            return .failed("\(error)")
        }
    }

    /// All scripts of the folder's `.script` files, in the order of the files' names.
    static func scripts(in folder: String) throws -> [Script] {
        let scripts = try TextFile.names(in: folder).filter { $0.hasSuffix(".script") }.flatMap { name in
            try ScriptReader.scripts(in: TextFile.read("\(folder)/\(name)"), file: name)
        }
        var known: Set<String> = []
        for script in scripts where !known.insert(script.name).inserted {
            throw TestKitError("\(script.place): a second script is named \(script.name)")
        }
        return scripts
    }
}
