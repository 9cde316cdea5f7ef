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
        Metric(
            name: "walden_cache_saved_seconds_total", kind: .counter, labels: [],
            help: "Time at the server that hits have saved, by the mean of their shape."
        ) {
            [Metric.Sample(labels: [], value: .number($0.cache.savedSeconds))]
        },
    ]
}
