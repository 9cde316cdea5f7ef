extension FailoverReport {
    var json: JSON {
        [
            "outlook": .string(outlook),
            "state": .string(state),
            "state_seconds": .number(stateSeconds),
            "term": .whole(term),
            "primary": .string(primary),
            "timeline": timeline.map { .whole(UInt64($0)) } ?? .null,
            "finding": .string(finding),
            "finding_seconds": .number(findingSeconds),
            "candidate": .string(orNull: candidate),
            "bytes_lost_if_now": bytesLostIfNow.map(JSON.whole) ?? .null,
            "proven": .bool(isProven),
            "missing_bytes": .whole(missingBytes),
            "unapplied_bytes": .whole(unappliedBytes),
            "estimated_seconds": .number(estimatedSeconds),
            "estimate_measured": .bool(isEstimateMeasured),
            "blocked_by": .string(orNull: blockedBy),
            "obstacle": .string(orNull: obstacle),
            "problems": .array(problems.map(JSON.string)),
            "request": .string(orNull: request),
            "incident": incident.map(JSON.whole) ?? .null,
            "failovers": .whole(failovers),
            "switchovers": .whole(switchovers),
            "aborted": .whole(aborted),
            "last_outage_seconds": lastOutageSeconds.map(JSON.number) ?? .null,
            "dropped_events": .whole(droppedEvents),
            "unwritten_lines": .whole(unwrittenLines),
            "hook_events": .counts(hookEvents),
            "silent_seconds": .number(silentSeconds),
        ]
    }
}

extension FailoverAnswer {
    var json: JSON {
        [
            "outcome": .string(outcome.rawValue),
            "message": .string(message),
            "cure": .string(orNull: cure),
            "incident": incident.map(JSON.whole) ?? .null,
            "node": .string(orNull: node),
            "outage_seconds": outageSeconds.map(JSON.number) ?? .null,
            "missing_bytes": missingBytes.map(JSON.whole) ?? .null,
            "estimated_seconds": estimatedSeconds.map(JSON.number) ?? .null,
        ]
    }

    /// For the command line.
    var text: String {
        var lines = [message]
        if let cure { lines.append("cure: \(cure)") }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension IncidentReport {
    /// - Parameter isWhole: With its events.
    func json(isWhole: Bool) -> JSON {
        var members: [JSON.Member] = [
            .init(name: "number", value: .whole(number)),
            .init(name: "began_at", value: .string(beganAt)),
            .init(name: "cause", value: .string(cause)),
            .init(name: "outcome", value: .string(outcome)),
            .init(name: "refusal", value: .string(orNull: refusal)),
            .init(name: "old_primary", value: .string(oldPrimary)),
            .init(name: "new_primary", value: .string(orNull: newPrimary)),
            .init(name: "outage_seconds", value: outageSeconds.map(JSON.number) ?? .null),
            .init(name: "lost_bytes", value: lostBytes.map(JSON.whole) ?? .null),
            .init(name: "proven", value: .bool(isProven)),
        ]
        if isWhole {
            members.append(.init(name: "evidence", value: .array(evidence.map(JSON.string))))
            members.append(.init(name: "events", value: .array(events.map(\.json))))
        }
        return .object(members)
    }

    /// One line of the list.
    var summary: String {
        let way = newPrimary.map { "\(oldPrimary) -> \($0)" } ?? oldPrimary
        let outage = outageSeconds.map { ", outage at most \(FailoverReport.spelled($0)) s" } ?? ""
        return "\(number)  \(beganAt)  \(outcome)  \(way)  \(cause)\(outage)\n"
    }

    /// The whole story.
    var text: String {
        var lines = ["incident \(number), \(beganAt)", "cause: \(cause)"]
        lines += evidence.map { "  \($0)" }
        lines.append("primary: \(oldPrimary)" + (newPrimary.map { ", then \($0)" } ?? ""))
        for event in events {
            lines.append("\(Self.signed(event.seconds)) s  \(event.text)")
            lines += event.evidence.map { "           \($0)" }
        }
        lines.append("outcome: \(outcome)" + (refusal.map { ": \($0)" } ?? ""))
        if let outageSeconds { lines.append("outage: at most \(Self.signed(outageSeconds)) s") }
        if let lostBytes {
            lines.append(
                isProven
                    ? "lost: nothing acknowledged, proven by the quorum"
                    : "lost: \(lostBytes) bytes of log or more; no quorum proves otherwise")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// To the millisecond.
    private static func signed(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "?" }
        let thousandths = Int((seconds * 1_000).rounded())
        let digits = String(thousandths.magnitude % 1_000)
        return (thousandths < 0 ? "-" : "") + "\(thousandths.magnitude / 1_000)."
            + String(repeating: "0", count: 3 - digits.count) + digits
    }
}

extension IncidentReport.Event {
    fileprivate var json: JSON {
        [
            "seconds": .number(seconds), "text": .string(text), "evidence": .array(evidence.map(JSON.string)),
        ]
    }
}
