import Testing

@testable import WaldenRuntime

@Suite struct ControlCommandTests {
    private static func at(_ directory: String) -> ControlCommand.Place {
        ControlCommand.Place(directory: directory, configurationFile: nil)
    }

    /// What else the file says, and whether `walden run` would take it, is not its business.
    @Test func theDirectoryIsThatOfTheConfiguration() throws {
        try withFile("failover: {mode: automatic, directory: /nowhere/else}\n") { path in
            let place = ControlCommand.Place(directory: nil, configurationFile: path)
            let problem = try #require(ControlCommand.run(.pause, at: place).problem)
            #expect(problem.hasPrefix("/nowhere/else/control: "))
        }
    }

    @Test func aConfigurationThatCannotBeReadIsTold() {
        let place = ControlCommand.Place(directory: nil, configurationFile: "/nowhere.yaml")
        let outcome = ControlCommand.run(.pause, at: place)
        #expect(outcome.status == .configuration)
        #expect(outcome.problem?.hasPrefix("/nowhere.yaml: ") == true)
    }

    @Test func withoutASentinelItIsToldWhereOneWasLookedFor() {
        let outcome = ControlCommand.run(.pause, at: Self.at("/nowhere"))
        #expect(outcome.status == .unavailable)
        #expect(outcome.problem?.hasPrefix("/nowhere/control: no sentinel answers") == true)
    }

    @Test func aPathThatIsTooLongIsToldBeforeAnythingElse() {
        let outcome = ControlCommand.run(.incidents, at: Self.at("/" + String(repeating: "x", count: 200)))
        #expect(outcome.status == .usage)
    }

    @Test func nothingIsForcedWhereNobodyAnswers() {
        var told: [String] = []
        let outcome = ControlCommand.fail(at: Self.at("/nowhere"), isForced: true) { told.append($0) }
        #expect(outcome.status == .unavailable)
        #expect(told.isEmpty)
    }
}
