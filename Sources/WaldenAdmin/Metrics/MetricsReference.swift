/// The table of all metrics, in the order `/metrics` prints them.
public enum MetricsReference {
    static let metrics: [Metric] =
        process + caching + cache + fills + admission + stream + control + connections + pool + nodes + routing
        + failover

    /// The table as a Markdown table, for the documentation.
    public static var markdown: String {
        let rows = metrics.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            let help = metric.help.replacing("|", with: "\\|")
            return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(help) |\n"
        }
        return "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n" + rows.joined()
    }
}

extension MetricsReference {
    private static let process: [Metric] = [
        Metric(name: "walden_build_info", kind: .gauge, labels: ["version"], help: "Always 1; names the version.") {
            [Metric.Sample(labels: [$0.version], value: .whole(1))]
        },
        .gauge("walden_uptime_seconds", "Time since the process started.") { .number($0.uptimeSeconds) },
    ]

    private static let caching: [Metric] = [
        .gauge("walden_caching", "1 while results are kept and served, else 0.") { .flag($0.caching) },
        Metric(
            name: "walden_caching_obstacle", kind: .gauge, labels: ["source"],
            help: "1 for each part that keeps the cache off; /v1/status has the reason in words."
        ) { report in
            report.reasons.map { Metric.Sample(labels: [$0.source], value: .whole(1)) }
        },
        .gauge("walden_findings", "Faults found in the primary's set-up; /v1/status lists them.") {
            .count($0.findings.count)
        },
    ]

    private static let cache: [Metric] = [
        .counter("walden_cache_hits_total", "Statements answered from memory.") { $0.cache.hits },
        .counter("walden_cache_misses_total", "Statements looked up and not found.") { $0.cache.misses },
        .counter("walden_cache_stale_total", "Entries found that were older than the request allowed.") {
            $0.cache.stale
        },
        .counter("walden_cache_suspended_lookups_total", "Lookups made while nothing was served.") {
            $0.cache.suspendedLookups
        },
        .counter(
            "walden_cache_outage_hits_total",
            "Lookups that nobody vouched for, answered with a notice of their age while the primary was being replaced."
        ) { $0.cache.outageHits },
        .gauge(
            "walden_cache_frozen_seconds",
            "How old the results are that are kept of a lost stream while the primary is being replaced; 0 when none are."
        ) { .number($0.cache.frozenSeconds ?? 0) },
        .counter("walden_cache_coalesced_total", "Misses that waited for the same statement already on its way.") {
            $0.proxy.coalesced
        },
        .counter("walden_cache_waits_total", by: "outcome", "Requests that waited for a fresher cache.") {
            $0.proxy.waits
        },
        .counter("walden_cache_bypasses_total", by: "reason", "Statements that were not looked up.") {
            $0.cache.bypasses
        },
        .counter("walden_cache_invalidations_total", by: "cause", "Entries dropped.") { $0.cache.invalidations },
        .gauge("walden_cache_entries", "Results that can be served.") { .count($0.cache.entries) },
        .gauge("walden_cache_bytes", "Memory that keys, results and their index take.") { .count($0.cache.bytes) },
        .gauge("walden_cache_limit_bytes", "Memory they may take.") { .count($0.cache.maxBytes) },
        Metric(
            name: "walden_cache_max_staleness_seconds", kind: .gauge, labels: ["level"],
            help: "How old a served state may be, by consistency level."
        ) { report in
            [Metric.Sample(labels: [report.cache.level], value: .number(report.cache.maxStalenessSeconds))]
        },
        .gauge("walden_cache_recent_transactions", "Transactions remembered to judge fills begun before them.") {
            .count($0.cache.recentTransactions)
        },
        .gauge("walden_cache_recent_changes", "Row changes remembered to judge fills begun before them.") {
            .count($0.cache.recentChanges)
        },
    ]

    private static let fills: [Metric] = [
        .counter("walden_cache_fills_begun_total", "Misses whose result was captured to be kept.") {
            $0.cache.fillsBegun
        },
        .counter("walden_cache_fills_kept_total", "Captured results that became servable.") { $0.cache.fillsKept },
        .counter("walden_cache_fills_refused_total", by: "reason", "Misses whose result was not captured.") {
            $0.cache.fillsRefused
        },
        .counter("walden_cache_fills_tainted_total", by: "cause", "Captured results that a change made worthless.") {
            $0.cache.fillsTainted
        },
        .counter("walden_cache_fills_abandoned_total", by: "reason", "Captures given up.") { $0.cache.fillsAbandoned },
        .gauge("walden_cache_pending_fills", "Captures under way or waiting for the watermark.") {
            .count($0.cache.pendingFills)
        },
    ]
}
