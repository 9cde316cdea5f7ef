extension MetricsReference {
    static let admission: [Metric] = [
        .gauge("walden_cache_shapes", "Statement shapes of which an account of cost and benefit is kept.") {
            .count($0.cache.shapes)
        },
        .gauge("walden_cache_declined_shapes", "Shapes whose results are not kept because that does not pay.") {
            .count($0.cache.declinedShapes)
        },
        .counter("walden_cache_forgotten_shapes_total", "Accounts given up because there were too many.") {
            $0.cache.forgottenShapes
        },
        .gauge("walden_cache_quarantined_shapes", "Shapes not served because an audit found a kept result wrong.") {
            .count($0.cache.quarantinedShapes)
        },
        .counter("walden_cache_audits_total", "Hits read anew at the server and compared.") { $0.cache.audits },
        .counter("walden_cache_audit_mismatches_total", "Audits that found a kept result wrong. It must stay 0.") {
            $0.cache.auditMismatches
        },
        .counter("walden_cache_audits_given_up_total", "Audits given up because too many waited to be compared.") {
            $0.cache.auditsGivenUp
        },
        .counter(
            "walden_cache_audits_postponed_total",
            "Hits served because audits had had their share of the server's time."
        ) { $0.cache.auditsPostponed },
        Metric(
            name: "walden_cache_saved_seconds_total", kind: .counter, labels: [],
            help: "Time at the server that hits have saved, by the mean of their shape."
        ) {
            [Metric.Sample(labels: [], value: .number($0.cache.savedSeconds))]
        },
    ]
}
