import Glibc

/// All that was found in a run.
struct Report {
    private(set) var findings: [Finding] = []
    let scripts: Int
    let modes: Int

    init(scripts: Int, modes: Int) {
        self.scripts = scripts
        self.modes = modes
    }

    mutating func add(_ finding: Finding) {
        findings.append(finding)
        if case .failed(let reason) = finding.verdict {
            Self.line("FAILED \(finding.name) [\(finding.mode)]: \(reason)")
        }
    }

    /// How a case stands, and by what.
    func standing(of number: Int) -> (word: String, reason: String) {
        let evidence = findings.filter { $0.cases.contains(number) }
        let failures = evidence.filter { $0.verdict != .passed && !$0.isSkipped }
        if !failures.isEmpty {
            return ("FAIL", failures.map { "\($0.name) [\($0.mode)]" }.joined(separator: "; "))
        }
        let passed = evidence.filter { $0.verdict == .passed }
        guard !passed.isEmpty else {
            let reasons = evidence.compactMap(\.skipReason)
            return reasons.isEmpty ? ("OPEN", "nothing shows it") : ("skip", reasons.joined(separator: "; "))
        }
        let modes = Set(passed.map(\.mode)).sorted().joined(separator: ",")
        return ("pass", "\(Set(passed.map(\.name)).count) shown in \(modes)")
    }

    var failed: Int { findings.count { $0.verdict != .passed && !$0.isSkipped } }

    /// Prints one line for each case, then the line of figures.
    func show() {
        var standings: [String: Int] = [:]
        for conformanceCase in Case.all {
            let (word, reason) = standing(of: conformanceCase.number)
            standings[word, default: 0] += 1
            let number = (conformanceCase.number < 10 ? " " : "") + String(conformanceCase.number)
            Self.line("case \(number) \(word)  \(conformanceCase.name): \(reason)")
        }
        Self.line(
            "conformance: cases=\(standings["pass"] ?? 0) open=\(standings["OPEN"] ?? 0) "
                + "skipped=\(standings["skip"] ?? 0) scripts=\(scripts) modes=\(modes) plays=\(findings.count) "
                + "failed=\(failed)")
    }

    /// Whether every case was shown.
    var isComplete: Bool {
        failed == 0 && Case.all.allSatisfy { ["pass", "skip"].contains(standing(of: $0.number).word) }
    }

    static func line(_ text: String) {
        print(text)
        fflush(nil)
    }
}

extension Finding {
    var skipReason: String? {
        if case .skipped(let reason) = verdict { reason } else { nil }
    }

    var isSkipped: Bool { skipReason != nil }
}
