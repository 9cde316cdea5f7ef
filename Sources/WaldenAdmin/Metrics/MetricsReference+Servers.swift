extension MetricsReference {
    static let stream: [Metric] = [
        Metric(name: "walden_stream_state", kind: .gauge, labels: ["state"], help: "1 for the state the stream is in.")
        {
            [Metric.Sample(labels: [$0.stream.state], value: .whole(1))]
        },
        .gauge("walden_stream_position_bytes", "How far the stream has been received and applied.") {
            .position($0.stream.position) ?? .whole(0)
        },
        .gauge("walden_stream_watermark_bytes", "All that committed before this position has been applied.") {
            .position($0.stream.watermark) ?? .whole(0)
        },
        .gauge("walden_stream_lag_bytes", "Log the primary has written beyond the stream's position.") {
            .whole($0.stream.lagBytes)
        },
        .gauge("walden_stream_lag_seconds", "Age of the state that is served.") { .number($0.stream.lagSeconds) },
        .counter("walden_stream_transactions_total", "Committed transactions applied.") { $0.stream.transactions },
        .counter("walden_stream_row_changes_total", "Row changes in them.") { $0.stream.rowChanges },
        .counter("walden_stream_messages_total", "Messages received on the stream.") { $0.stream.messages },
        .counter("walden_stream_received_bytes_total", "Bytes received on the stream.") { $0.stream.bytes },
        .counter("walden_stream_starts_total", "Times streaming began.") { $0.stream.starts },
        .counter("walden_stream_losses_total", "Times the stream was lost.") { $0.stream.losses },
        .gauge("walden_stream_timeline", "Timeline of the log that is streamed.") {
            .whole(UInt64($0.stream.timeline))
        },
    ]

    static let control: [Metric] = [
        .counter("walden_control_probes_total", "Positions and snapshots asked of the primary.") { $0.control.probes },
        .counter("walden_control_heartbeats_total", "Heartbeat messages written to the log.") {
            $0.control.heartbeats
        },
        .gauge("walden_control_up", "1 while probes succeed, else 0.") { .flag($0.control.problem == nil) },
    ]

    static let connections: [Metric] = [
        .gauge("walden_clients", "Clients connected now.") { .count($0.proxy.clients) },
        .counter("walden_clients_accepted_total", "Client connections accepted.") { $0.proxy.accepted },
        .counter("walden_clients_closed_total", by: "cause", "Client connections that ended.") { $0.proxy.closed },
        .counter(
            "walden_authentications_total", by: "result",
            "Clients that Walden authenticated itself: admitted, refused, failed (no secret could be had), overloaded."
        ) { $0.proxy.authentications },
        .gauge("walden_authenticating", "Clients whose password is being worked at, or waits for a thread.") {
            .count($0.proxy.authenticating)
        },
        .counter(
            "walden_transactions_answered_total",
            "BEGINs answered before the server saw them, and ends of transactions that it never saw."
        ) { $0.proxy.localAnswers },
        .counter(
            "walden_commits_in_doubt_total", by: "outcome",
            "COMMITs lost with the primary whose transaction had a name (failover.resolve_commits), by what their "
                + "clients were told: committed, rolled_back, unknown."
        ) { $0.proxy.commitsInDoubt },
        .counter("walden_cancel_requests_total", "Cancel requests received.") { $0.proxy.cancelRequests },
        .counter(
            "walden_cancel_requests_forwarded_total",
            "Those of them that were passed on to another instance (proxy.peers)."
        ) { $0.proxy.cancelRequestsForwarded },
        .counter(
            "walden_cancels_withheld_total",
            "Cancel requests that could have ended a commit's wait for its standbys: the server was not sent them."
        ) { $0.proxy.cancelsWithheld },
        .counter("walden_clients_received_bytes_total", "Bytes received from clients.") { $0.proxy.bytesFromClients },
        .counter("walden_servers_received_bytes_total", "Bytes received from servers.") { $0.proxy.bytesFromServers },
        Metric(
            name: "walden_tls_certificate_expiry_seconds", kind: .gauge, labels: ["shown_to"],
            help: "When the first certificate of the chain shown to clients or to servers expires, since 1970."
        ) { report in
            report.proxy.certificates.map {
                Metric.Sample(labels: [$0.shownTo], value: .whole(UInt64(clamping: $0.expiresAt)))
            }
        },
        .gauge("walden_primary_up", "1 when the last attempt reached the primary, else 0.") {
            .flag($0.proxy.primaryProblem == nil)
        },
    ]

    static let nodes: [Metric] = [
        Metric(name: "walden_node_info", kind: .gauge, labels: ["node", "role"], help: "Always 1; names the role.") {
            $0.nodes.map { Metric.Sample(labels: [$0.name, $0.role], value: .whole(1)) }
        },
        .node("walden_node_up", "1 when the node answered the last time, else 0.") { .flag($0.reachable) },
        .node("walden_node_received_bytes", "Position of the log received; of a primary, written.") {
            .position($0.receivedLSN)
        },
        .node("walden_node_flushed_bytes", "Position of the log on disk.") { .position($0.flushedLSN) },
        .node("walden_node_replayed_bytes", "Position of the log replayed.") { .position($0.replayedLSN) },
        .node("walden_node_lag_bytes", "Log the primary has written beyond what the node replayed.") {
            $0.lagBytes.map(Metric.Value.whole)
        },
        .node("walden_node_lag_seconds", "Age of the state that a read at the node sees.") {
            $0.lagSeconds.map(Metric.Value.number)
        },
        .node("walden_node_covered_seconds", "All that was committed this long ago is known to be visible there.") {
            $0.coveredSeconds.map(Metric.Value.number)
        },
        Metric(
            name: "walden_node_obstacle", kind: .gauge, labels: ["node", "obstacle"],
            help: "1 while no read may go to the replica, by the reason."
        ) { report in
            report.nodes.compactMap { node in
                node.obstacle.map { Metric.Sample(labels: [node.name, $0], value: .whole(1)) }
            }
        },
        .node("walden_node_timeline", "Timeline the node is on.") { .whole(UInt64($0.timeline)) },
        Metric(
            name: "walden_node_reads_total", kind: .counter, labels: ["node"],
            help: "Reads that were routed to the node."
        ) { report in
            report.nodes.map { Metric.Sample(labels: [$0.name], value: .whole($0.reads)) }
        },
        .node("walden_node_outstanding_reads", "Routed reads that the node is working on.") { .count($0.outstanding) },
        Metric(
            name: "walden_slot_retained_bytes", kind: .gauge, labels: ["slot"],
            help: "Log that a replication slot keeps the primary from removing."
        ) { report in
            report.slots.compactMap { slot in
                slot.retainedBytes.map { Metric.Sample(labels: [slot.name], value: .whole($0)) }
            }
        },
        Metric(
            name: "walden_slot_active", kind: .gauge, labels: ["slot"],
            help: "1 while somebody streams from the primary's replication slot."
        ) { report in
            report.slots.map { Metric.Sample(labels: [$0.name], value: .flag($0.isActive)) }
        },
    ]

    static let pool: [Metric] = [
        Metric(
            name: "walden_pool_links", kind: .gauge, labels: ["state"],
            help: "Pooled server connections: serving, idle, preparing (tested, cleaned, closing), login."
        ) { report in
            report.proxy.pool.links.sorted { $0.key < $1.key }
                .map { Metric.Sample(labels: [$0.key], value: .whole($0.value)) }
        },
        .gauge("walden_pool_clients_waiting", "Clients that wait for a server connection now.") {
            .count($0.proxy.pool.waiting)
        },
        .gauge("walden_pool_longest_wait_seconds", "How long the one waits that waits for the longest.") {
            .number($0.proxy.pool.longestWaitSeconds)
        },
        .counter("walden_pool_links_opened_total", "Pooled server connections opened.") { $0.proxy.pool.opened },
        .counter("walden_pool_links_closed_total", "Pooled server connections that ended.") { $0.proxy.pool.closed },
        .counter("walden_pool_login_failures_total", "Pooled server connections that could not be opened.") {
            $0.proxy.pool.loginFailures
        },
    ]

    static let routing: [Metric] = [
        Metric(
            name: "walden_reads_total", kind: .counter, labels: ["route", "reason"],
            help: "Statements that were to be routed, by where they went and why."
        ) { report in
            [
                ("primary", report.routing.primary), ("refused", report.routing.refused),
                ("replica", report.routing.replica),
            ]
            .flatMap { route, counts in
                counts.sorted { $0.key < $1.key }
                    .map { Metric.Sample(labels: [route, $0.key], value: .whole($0.value)) }
            }
        },
        .counter("walden_read_waits_total", "Reads that waited for a replica to catch up.") { $0.routing.waited },
        .counter(
            "walden_read_settles_total",
            "Reads that waited until the primary showed what a replica had shown to their session."
        ) { $0.routing.settled },
        .counter(
            "walden_reads_unsettled_total",
            "Reads sent to the primary although it was not known to show what a replica had shown to their session."
        ) { $0.routing.unsettled },
        .gauge("walden_reads_waiting", "Reads that wait for a replica now.") { .count($0.routing.waiting) },
    ]
}
