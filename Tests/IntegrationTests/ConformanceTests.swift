import Testing
import WaldenConformance

/// Scenario: every protocol script is held with PostgreSQL and, in every mode, through Walden. Risk: a client sees
/// another conversation than PostgreSQL's.
@Suite(.serialized) struct ConformanceTests {
    @Test func everyScriptIsAnsweredAsByPostgreSQL() throws {
        var options = Options()
        options.isBrief = true
        #expect(try Conformance(options).run().failed == 0)
    }
}
