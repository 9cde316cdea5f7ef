import Testing

/// Scenario: a primary with asynchronous commits and with ones that wait long for confirmation; three standbys, one of them cascaded, whose replay lags, pauses, is
/// delayed, freezes, and goes back with a crash; looks that overlap and answer in any order. Risk: a routed read that is
/// older than promised, by a rule that holds only as long as nothing happens.
@Suite struct RoutingSimulationTests {
    private static let ticks = 30_000

    @Test(arguments: 1...6) func noReadIsOlderThanPromised(seed: Int) {
        var simulation = RoutingSimulation(seed: seed)
        simulation.run(ticks: Self.ticks)
        #expect(simulation.violations == [])
        #expect(simulation.onReplicas > simulation.onPrimary, "\(simulation.onReplicas), \(simulation.onPrimary)")
        #expect(simulation.settling > 0)
    }

    /// The judge sees each of these, so it would see them in the router.
    @Test(arguments: RoutingSimulation.Mutant.allCases) func theJudgeNoticesWhenARuleIsLeftOut(
        mutant: RoutingSimulation.Mutant
    ) {
        let isNoticed = (1...12).contains { seed in
            var simulation = RoutingSimulation(seed: seed, mutant: mutant)
            simulation.run(ticks: Self.ticks)
            return !simulation.violations.isEmpty
        }
        #expect(isNoticed)
    }
}
