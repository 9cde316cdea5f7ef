import Testing
import WaldenTestKit

/// Scenario: random queries live in the cache while random transactions change random tables (`walden-soundness`).
/// Risk: a result that a change altered stays in the cache.
@Suite(.serialized) struct SoundnessTests {
    private static let program =
        WaldenProcess.program.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/walden-soundness"

    private func run(_ arguments: [String]) throws -> ProcessOutput {
        try ProcessRunner.run([Self.program] + arguments, timeout: .seconds(300))
    }

    /// One seed that stays, and one that is new every time; the output names it.
    @Test(.againstHanging, arguments: [UInt64(15), UInt64.random(in: 0..<1 << 32)])
    func nothingStale(seed: UInt64) throws {
        let result = try run(["--cases", "20000", "--seed", "\(seed)"])
        #expect(result.status == .exited(0), "\(result.transcript.suffix(20_000))")
        let verdict = result.output.split(separator: "\n").last ?? ""
        #expect(verdict.hasPrefix("soundness: seed=\(seed) "), "\(verdict)")
        #expect(verdict.contains(" missed=0 "), "\(verdict)")
    }

    /// Does it find anything? Here each result is filed without the last table that it reads.
    @Test(.againstHanging) func forgottenTableIsFound() throws {
        let result = try run(["--cases", "3000", "--seed", "15", "--forget", "1"])
        #expect(result.status == .exited(1), "\(result.transcript.suffix(2000))")
        #expect(result.output.contains("=== MISS"))
        #expect(result.output.contains("again: make soundness SEED=15 WORLD="))
    }
}
