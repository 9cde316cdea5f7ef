import Testing

@testable import WaldenRuntime

@Suite struct ControlCommandTests {
    @Test func withoutASentinelItIsToldWhereOneWasLookedFor() {
        let outcome = ControlCommand.run(.pause, directory: "/nowhere")
        #expect(outcome.status == .unavailable)
        #expect(outcome.problem?.hasPrefix("/nowhere/control: no sentinel answers") == true)
    }

    @Test func aPathThatIsTooLongIsToldBeforeAnythingElse() {
        let outcome = ControlCommand.run(.incidents, directory: "/" + String(repeating: "x", count: 200))
        #expect(outcome.status == .usage)
    }

    @Test func nothingIsForcedWhereNobodyAnswers() {
        var told: [String] = []
        let outcome = ControlCommand.fail(directory: "/nowhere", isForced: true) { told.append($0) }
        #expect(outcome.status == .unavailable)
        #expect(told.isEmpty)
    }
}
