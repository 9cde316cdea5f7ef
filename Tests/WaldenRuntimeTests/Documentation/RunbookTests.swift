import Testing
import WaldenCache
import WaldenDependency
import WaldenFailover
import WaldenPostgres
import WaldenSentinel

@testable import WaldenRuntime

/// Whoever meets a reason in the status, the metrics or the doctor's findings finds it in docs/operating.md.
@Suite struct RunbookTests {
    @Test func namesEveryFindingOfTheDoctor() throws {
        try expectNamed(Finding.ID.allCases.map(\.rawValue))
    }

    @Test func namesEveryReasonForABypass() throws {
        try expectNamed(Refusal.Rule.allCases.map(\.rawValue))
    }

    @Test func namesEveryFateOfAFill() throws {
        try expectNamed(FillRefusal.allCases.map(\.label))
        try expectNamed(Taint.allCases.map(\.label))
        try expectNamed(FillAbandonment.allCases.map(\.label))
    }

    @Test func namesEveryCauseOfAnInvalidation() throws {
        try expectNamed(InvalidationCause.allCases.map(\.label))
    }

    @Test func namesEveryBlockAndStateAndFindingOfAFailover() throws {
        try expectNamed(Readiness.Block.allCases.map(\.rawValue))
        try expectNamed(FailoverState.allCases.map(\.rawValue))
        try expectNamed(IncidentRecord.Outcome.allCases.map(\.rawValue))
    }

    private func expectNamed(_ names: [String]) throws {
        let guide = try OperatingGuide.text()
        for name in names { #expect(guide.contains("`\(name)`"), "\(name)") }
    }
}
