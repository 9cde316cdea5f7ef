extension MetricsReference {
    /// No samples where there is no sentinel.
    static let failover: [Metric] = [
        .sentinel("walden_failover_state", by: "state", "1 for the state the sentinel is in.") {
            [$0.state: .whole(1)]
        },
        .sentinel("walden_failover_finding", by: "finding", "1 for what is found of the primary.") {
            [$0.finding: .whole(1)]
        },
        .sentinel("walden_failover_term", "The number of the newest incident.") { .whole($0.term) },
        .sentinel("walden_failover_ready", "1 while a failover would go by itself, else 0.") {
            .flag($0.blockedBy == nil)
        },
        .sentinel("walden_failover_blocked", by: "reason", "1 for what keeps a failover from going by itself.") {
            $0.blockedBy.map { [$0: .whole(1)] } ?? [:]
        },
        .sentinel("walden_failover_candidate", by: "node", "1 for the node that would be promoted.") {
            $0.candidate.map { [$0: .whole(1)] } ?? [:]
        },
        .sentinel(
            "walden_failover_bytes_lost_if_now",
            "Log that would be lost, as far as is known; 0 when the quorum proves that nothing acknowledged would be."
        ) { $0.bytesLostIfNow.map(Metric.Value.whole) },
        .sentinel("walden_failover_estimated_seconds", "From the primary's death to writes at the new one, about.") {
            .number($0.estimatedSeconds)
        },
        .sentinel(
            "walden_failover_failovers_total", kind: .counter,
            "Failovers that came to their end, ordered ones among them."
        ) { .whole($0.failovers) },
        .sentinel("walden_failover_switchovers_total", kind: .counter, "Switchovers that came to their end.") {
            .whole($0.switchovers)
        },
        .sentinel("walden_failover_aborted_total", kind: .counter, "Incidents that were given up.") {
            .whole($0.aborted)
        },
        .sentinel(
            "walden_failover_last_outage_seconds",
            "How long clients may have waited for a primary in the newest incident that is over."
        ) { $0.lastOutageSeconds.map(Metric.Value.number) },
        .sentinel(
            "walden_failover_dropped_events_total", kind: .counter,
            "What the sentinel's threads told and had no room for."
        ) { .whole($0.droppedEvents) },
        .sentinel(
            "walden_failover_unwritten_lines_total", kind: .counter,
            "Lines of the incidents' history that could not be written."
        ) { .whole($0.unwrittenLines) },
        .sentinel(
            "walden_failover_hook_events_total", kind: .counter, by: "outcome",
            "Events that hooks were to be told, each once for each hook, by what became of them."
        ) { $0.hookEvents.mapValues(Metric.Value.whole) },
        .sentinel(
            "walden_failover_silent_seconds", "Since the sentinel last looked. It waits for its disk when this grows."
        ) { .number($0.silentSeconds) },
    ]
}

extension Metric {
    fileprivate static func sentinel(
        _ name: String, kind: Kind = .gauge, _ help: String,
        _ value: @escaping @Sendable (FailoverReport) -> Value?
    ) -> Metric {
        Metric(name: name, kind: kind, labels: [], help: help) { report in
            report.failover.flatMap(value).map { [Sample(labels: [], value: $0)] } ?? []
        }
    }

    fileprivate static func sentinel(
        _ name: String, kind: Kind = .gauge, by label: String, _ help: String,
        _ values: @escaping @Sendable (FailoverReport) -> [String: Value]
    ) -> Metric {
        Metric(name: name, kind: kind, labels: [label], help: help) { report in
            (report.failover.map(values) ?? [:]).sorted { $0.key < $1.key }
                .map { Sample(labels: [$0.key], value: $0.value) }
        }
    }
}
