import Testing

@testable import WaldenConformance

@Suite struct ReportTests {
    private func report(_ verdicts: (Verdict, String)...) -> Report {
        var report = Report(scripts: 1, modes: 2)
        for (verdict, mode) in verdicts {
            report.add(Finding(name: "a", cases: [7], mode: mode, verdict: verdict))
        }
        return report
    }

    @Test func aCaseStandsByAllOfItsEvidence() {
        #expect(report((.passed, "relay")).standing(of: 7).word == "pass")
        #expect(report((.passed, "relay")).standing(of: 8).word == "OPEN")
        #expect(report((.passed, "relay"), (.failed("why"), "pooled")).standing(of: 7).word == "FAIL")
        #expect(report((.skipped("PostgreSQL 15 cannot"), "relay")).standing(of: 7) == ("skip", "PostgreSQL 15 cannot"))
        #expect(report((.skipped("not there"), "relay"), (.passed, "pooled")).standing(of: 7).word == "pass")
    }

    @Test func onlyAllCasesAreComplete() {
        var report = Report(scripts: 0, modes: 0)
        for number in 1...69 {
            report.add(Finding(name: "a", cases: [number], mode: "relay", verdict: .passed))
        }
        #expect(!report.isComplete)
        report.add(Finding(name: "b", cases: [70], mode: "relay", verdict: .passed))
        #expect(report.isComplete)
        report.add(Finding(name: "c", cases: [], mode: "relay", verdict: .failed("why")))
        #expect(!report.isComplete && report.failed == 1)
    }

    @Test func thereAreSeventyCases() {
        #expect(Case.all.map(\.number) == Array(1...70))
    }

    /// Each script of the repository can be read, and names cases that exist.
    @Test func ownScriptsAreReadable() throws {
        let scripts = try Conformance.scripts(in: Options().folder + "/scripts")
        #expect(scripts.count >= 150)
        #expect(scripts.allSatisfy { $0.cases.allSatisfy((1...70).contains) })
    }
}
