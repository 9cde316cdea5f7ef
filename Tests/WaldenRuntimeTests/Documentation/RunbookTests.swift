import Testing
import WaldenCache
import WaldenDependency
import WaldenPostgres

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

    private func expectNamed(_ names: [String]) throws {
        let guide = try OperatingGuide.text()
        for name in names { #expect(guide.contains("`\(name)`"), "\(name)") }
    }
}
