import Testing
import WaldenConformance

/// Scenario: every protocol script is held with PostgreSQL and through Walden in every mode: cached and not, each client on a
/// server session of its own or several sharing one. Risk: a client sees another conversation than PostgreSQL's.
///
/// `make conformance` also plays the scenarios, which need faults, many clients, or a configuration of their own.
@Suite(.serialized) struct ConformanceTests {
    @Test func everyScriptIsAnsweredAsByPostgreSQL() throws {
        var options = Options()
        options.isBrief = true
        options.skipsScenarios = true
        #expect(try Conformance(options).run().failed == 0)
    }
}
