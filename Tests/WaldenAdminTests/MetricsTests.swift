import Testing

@testable import WaldenAdmin

@Suite("/metrics")
struct MetricsTests {
    /// The samples without the comments.
    private static func samples(_ report: StatusReport) -> [String] {
        report.metrics.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    @Test("a report with every figure, sample by sample in order")
    func everything() {
        #expect(Self.samples(.sample) == expectedSamples)
    }

    @Test("a family is a help line, a type line and its samples, byte for byte")
    func family() throws {
        let metric = try #require(MetricsReference.metrics.first { $0.name == "walden_cache_bypasses_total" })
        #expect(
            metric.exposition(of: .sample) == #"""
                # HELP walden_cache_bypasses_total Statements that were not looked up.
                # TYPE walden_cache_bypasses_total counter
                walden_cache_bypasses_total{reason="a\\b\"c\nd"} 1
                walden_cache_bypasses_total{reason="write"} 9

                """#)
    }

    @Test("families without samples still say what they are")
    func empty() {
        #expect(StatusReport().metrics.contains("# TYPE walden_cache_bypasses_total counter\n# HELP "))
    }

    @Test("help is escaped, but not its quotation marks")
    func help() {
        let metric = Metric(name: "m", kind: .gauge, labels: [], help: "a\\b \"c\"\nd") { _ in [] }
        #expect(metric.exposition(of: StatusReport()) == "# HELP m a\\\\b \"c\"\\nd\n# TYPE m gauge\n")
    }

    @Test("of samples with the same labels one is printed")
    func duplicates() {
        var report = StatusReport()
        report.nodes = [.primary, .unseen, .primary]
        report.reasons = [CachingObstacle(source: "s", reason: "1"), CachingObstacle(source: "s", reason: "2")]
        let samples = Self.samples(report)
        #expect(samples.count == Set(samples).count)
        #expect(samples.filter { $0.contains("pg1") }.count == 11)
        #expect(samples.filter { $0.contains("caching_obstacle") } == [#"walden_caching_obstacle{source="s"} 1"#])
    }

    @Test(
        "values",
        arguments: [
            (Metric.Value.whole(.max), "18446744073709551615"), (.count(-5), "0"), (.flag(true), "1"),
            (.flag(false), "0"), (.number(0.25), "0.25"), (.number(1e-9), "1e-09"), (.number(.nan), "NaN"),
            (.number(.infinity), "+Inf"), (.number(-.infinity), "-Inf"),
        ])
    func values(value: Metric.Value, expected: String) {
        #expect(value.exposition == expected)
    }

    @Test("a position that is none has no value", arguments: [nil, "", "x", "1/2/3", "123456789/0"])
    func badPositions(text: String?) {
        #expect(Metric.Value.position(text) == nil)
    }
}

@Suite("Reference of the metrics")
struct MetricsReferenceTests {
    @Test("names are unique and keep the conventions")
    func names() {
        let metrics = MetricsReference.metrics
        #expect(Set(metrics.map(\.name)).count == metrics.count)
        for metric in metrics {
            #expect(metric.name.hasPrefix("walden_"), "\(metric.name)")
            #expect(metric.name.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "_") }, "\(metric.name)")
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            #expect(metric.help.hasSuffix("."), "\(metric.name)")
        }
    }

    @Test("every sample has a value for every label")
    func labels() {
        for metric in MetricsReference.metrics {
            #expect(metric.samples(.sample).allSatisfy { $0.labels.count == metric.labels.count }, "\(metric.name)")
        }
    }

    @Test("the reference lists every metric once, in order")
    func markdown() {
        let lines = MetricsReference.markdown.split(separator: "\n")
        #expect(lines.count == MetricsReference.metrics.count + 2)
        #expect(lines[0] == "| Metric | Type | Labels | Meaning |")
        #expect(lines[2] == "| `walden_build_info` | gauge | `version` | Always 1; names the version. |")
        for (line, metric) in zip(lines.dropFirst(2), MetricsReference.metrics) {
            #expect(line.hasPrefix("| `\(metric.name)` | \(metric.kind.rawValue) | "))
        }
    }
}

private let expectedSamples = [
    #"walden_build_info{version="0.1.0"} 1"#,
    "walden_uptime_seconds 12.5",
    "walden_caching 0",
    #"walden_caching_obstacle{source="catalog"} 1"#,
    #"walden_caching_obstacle{source="stream"} 1"#,
    "walden_findings 1",
    "walden_cache_hits_total 100",
    "walden_cache_misses_total 20",
    "walden_cache_stale_total 4",
    "walden_cache_suspended_lookups_total 5",
    "walden_cache_outage_hits_total 6",
    "walden_cache_frozen_seconds 7.5",
    "walden_cache_coalesced_total 7",
    #"walden_cache_waits_total{outcome="served"} 5"#,
    #"walden_cache_bypasses_total{reason="a\\b\"c\nd"} 1"#,
    #"walden_cache_bypasses_total{reason="write"} 9"#,
    #"walden_cache_invalidations_total{cause="ddl"} 12"#,
    #"walden_cache_invalidations_total{cause="row"} 11"#,
    "walden_cache_entries 16",
    "walden_cache_bytes 4096",
    "walden_cache_limit_bytes 65536",
    #"walden_cache_max_staleness_seconds{level="bounded"} 1.0"#,
    "walden_cache_recent_transactions 21",
    "walden_cache_recent_changes 22",
    "walden_cache_fills_begun_total 19",
    "walden_cache_fills_kept_total 17",
    #"walden_cache_fills_refused_total{reason="too many"} 13"#,
    #"walden_cache_fills_tainted_total{cause="truncate"} 14"#,
    #"walden_cache_fills_abandoned_total{reason="error"} 15"#,
    "walden_cache_pending_fills 18",
    "walden_cache_shapes 23",
    "walden_cache_declined_shapes 24",
    "walden_cache_forgotten_shapes_total 25",
    "walden_cache_quarantined_shapes 27",
    "walden_cache_audits_total 28",
    "walden_cache_audit_mismatches_total 29",
    "walden_cache_audits_given_up_total 30",
    "walden_cache_audits_postponed_total 31",
    "walden_cache_saved_seconds_total 26.5",
    #"walden_stream_state{state="connecting"} 1"#,
    "walden_stream_position_bytes 97500059720",
    "walden_stream_watermark_bytes 16",
    "walden_stream_lag_bytes 31",
    "walden_stream_lag_seconds 0.25",
    "walden_stream_transactions_total 32",
    "walden_stream_row_changes_total 33",
    "walden_stream_messages_total 34",
    "walden_stream_received_bytes_total 35",
    "walden_stream_starts_total 36",
    "walden_stream_losses_total 37",
    "walden_stream_timeline 2",
    "walden_control_probes_total 71",
    "walden_control_heartbeats_total 72",
    "walden_control_up 0",
    "walden_clients 3",
    "walden_clients_accepted_total 41",
    #"walden_clients_closed_total{cause="lost"} 8"#,
    #"walden_clients_closed_total{cause="terminated"} 30"#,
    #"walden_authentications_total{result="admitted"} 6"#,
    #"walden_authentications_total{result="refused"} 4"#,
    "walden_authenticating 10",
    "walden_transactions_answered_total 9",
    #"walden_commits_in_doubt_total{outcome="committed"} 2"#,
    #"walden_commits_in_doubt_total{outcome="unknown"} 1"#,
    "walden_cancel_requests_total 2",
    "walden_cancel_requests_forwarded_total 1",
    "walden_cancels_withheld_total 3",
    "walden_clients_received_bytes_total 1001",
    "walden_servers_received_bytes_total 2002",
    #"walden_tls_certificate_expiry_seconds{shown_to="client"} 1800000000"#,
    "walden_primary_up 0",
    #"walden_pool_links{state="idle"} 11"#,
    #"walden_pool_links{state="serving"} 12"#,
    "walden_pool_clients_waiting 13",
    "walden_pool_longest_wait_seconds 1.5",
    "walden_pool_links_opened_total 14",
    "walden_pool_links_closed_total 15",
    "walden_pool_login_failures_total 16",
    #"walden_node_info{node="pg1",role="primary"} 1"#,
    #"walden_node_info{node="pg2",role="unknown"} 1"#,
    #"walden_node_up{node="pg1"} 1"#,
    #"walden_node_up{node="pg2"} 0"#,
    #"walden_node_received_bytes{node="pg1"} 32"#,
    #"walden_node_flushed_bytes{node="pg1"} 24"#,
    #"walden_node_replayed_bytes{node="pg1"} 16"#,
    #"walden_node_lag_bytes{node="pg1"} 16"#,
    #"walden_node_lag_seconds{node="pg1"} 0.5"#,
    #"walden_node_covered_seconds{node="pg1"} 0.75"#,
    #"walden_node_obstacle{node="pg2",obstacle="unreachable"} 1"#,
    #"walden_node_timeline{node="pg1"} 2"#,
    #"walden_node_timeline{node="pg2"} 0"#,
    #"walden_node_reads_total{node="pg1"} 92"#,
    #"walden_node_reads_total{node="pg2"} 0"#,
    #"walden_node_outstanding_reads{node="pg1"} 93"#,
    #"walden_node_outstanding_reads{node="pg2"} 0"#,
    #"walden_slot_retained_bytes{slot="replica_1"} 81"#,
    #"walden_slot_active{slot="replica_1"} 1"#,
    #"walden_slot_active{slot="w"} 0"#,
    #"walden_reads_total{route="primary",reason="function"} 85"#,
    #"walden_reads_total{route="primary",reason="not_covered"} 84"#,
    #"walden_reads_total{route="refused",reason="unusable"} 86"#,
    #"walden_reads_total{route="replica",reason="balanced"} 82"#,
    #"walden_reads_total{route="replica",reason="sticky"} 83"#,
    "walden_read_waits_total 87",
    "walden_read_settles_total 1087",
    "walden_reads_unsettled_total 1088",
    "walden_reads_waiting 88",
    #"walden_failover_state{state="steady"} 1"#,
    #"walden_failover_finding{finding="healthy"} 1"#,
    "walden_failover_term 96",
    "walden_failover_ready 0",
    #"walden_failover_blocked{reason="cooldown"} 1"#,
    #"walden_failover_candidate{node="pg2"} 1"#,
    "walden_failover_bytes_lost_if_now 99",
    "walden_failover_estimated_seconds 1.25",
    "walden_failover_failovers_total 103",
    "walden_failover_switchovers_total 104",
    "walden_failover_aborted_total 105",
    "walden_failover_last_outage_seconds 106.5",
    "walden_failover_dropped_events_total 107",
    "walden_failover_unwritten_lines_total 108",
    #"walden_failover_hook_events_total{outcome="told"} 109"#,
    "walden_failover_silent_seconds 0.125",
]
