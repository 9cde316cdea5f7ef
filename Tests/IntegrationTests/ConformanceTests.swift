import Testing
import WaldenConformance

/// Scenario: every protocol script is held with PostgreSQL and through Walden, cached and not, each client on a server
/// session of its own. Risk: a client sees another conversation than PostgreSQL's.
///
/// `make conformance` also plays the modes of pools and the scenarios; not all of them are answered alike yet
/// (docs/internals/conformance.md).
@Suite(.serialized) struct ConformanceTests {
    @Test func everyScriptIsAnsweredAsByPostgreSQL() throws {
        var options = Options()
        options.isBrief = true
        options.modes = ["relay", "uncached"]
        options.skipsScenarios = true
        #expect(try Conformance(options).run().failed == 0)
    }
}
