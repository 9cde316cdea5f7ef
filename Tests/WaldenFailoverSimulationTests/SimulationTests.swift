import Testing
import WaldenFailoverSimulation

/// Risk: a decision of the sentinel loses an acknowledged commit, or leaves a cluster without a primary.
@Suite struct SimulationTests {
    /// `make simulate` runs many more, compiled for release.
    @Test func invariantsHold() async {
        let report = await SimulationReport.of(seeds: 1..<51, jobs: 1)
        #expect(report.violations == 0, "\(report.text)")
    }

    @Test func aSeedRepeatsItsRun() {
        var one = Simulation(seed: 77, tellsStory: true)
        var other = Simulation(seed: 77, tellsStory: true)
        #expect(one.run().story == other.run().story)
    }
}
