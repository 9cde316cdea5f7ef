import WaldenPostgres

/// `walden doctor`: looks at a primary and its replicas and says what must be put right, each with its cure.
public enum DoctorCommand {
    public static func run(dsn text: String, replicas: [String], publication: String) -> CommandOutcome {
        CommandOutcome.attempt { () throws(CommandFailure) in
            let dsn = try ServerAccess.dsn(text)
            var replicaDSNs: [DSN] = []
            for replica in replicas { replicaDSNs.append(try ServerAccess.dsn(replica)) }
            var findings = Doctor.examine(dsn, publication: publication)
            let primary = replicaDSNs.isEmpty ? nil : identity(dsn)
            findings += replicaDSNs.map { Doctor.examineReplica($0, of: primary) }
            return outcome(findings)
        }
    }

    private static func identity(_ dsn: DSN) -> SystemIdentity? {
        guard let connection = try? Connection.open(dsn) else { return nil }
        defer { connection.close() }
        return try? NodeFacts.read(connection).system
    }

    static func outcome(_ findings: [Finding]) -> CommandOutcome {
        CommandOutcome(report(findings), status: status(findings))
    }

    private static func status(_ findings: [Finding]) -> CommandOutcome.Status {
        let mustFix = findings.filter { $0.severity == .mustFix }
        if mustFix.contains(where: { $0.id == .connection }) { return .unavailable }
        return mustFix.isEmpty ? .success : .failure
    }

    /// One line a finding; what is not well is followed by what it was seen by and its cure.
    private static func report(_ findings: [Finding]) -> String {
        let width = findings.map(\.id.rawValue.utf8.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let head = padded(word(finding.severity), to: 9) + padded(finding.id.rawValue, to: width + 2)
            if finding.severity == .ok {
                lines.append(head + finding.what + " (" + finding.evidence + ")")
                continue
            }
            lines.append(head + finding.what)
            lines.append("           seen: " + finding.evidence)
            if let cure = finding.cure { lines.append("           cure: " + cure) }
        }
        return (lines + ["", summary(findings)]).joined(separator: "\n") + "\n"
    }

    private static func summary(_ findings: [Finding]) -> String {
        func count(_ severity: Finding.Severity) -> Int { findings.count { $0.severity == severity } }
        return "\(count(.mustFix)) to be fixed, \(count(.warning)) to be considered, \(count(.ok)) fine"
    }

    private static func word(_ severity: Finding.Severity) -> String {
        switch severity {
        case .ok: "ok"
        case .warning: "warning"
        case .mustFix: "MUST FIX"
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }
}
