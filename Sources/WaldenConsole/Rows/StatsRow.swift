/// The traffic of one database: totals and averages.
struct StatsRow: Hashable, Sendable {
    let total: DatabaseTraffic
    let average: TrafficAverage
}

extension StatsRow: ConsoleRow {
    static let columns: [RowColumn<StatsRow>] = [
        .text("database", "") { $0.total.database },
        .numeric("total_xact_count", "units after which no transaction was open") { $0.total.transactions },
        .numeric("total_query_count", "units: a simple query, or what one Sync ends; hits too") { $0.total.queries },
        .numeric("total_received", "bytes from clients") { $0.total.received },
        .numeric("total_sent", "bytes to clients") { $0.total.sent },
        .numeric("total_xact_time", "µs in transactions at a server") { $0.total.transactionMicroseconds },
        .numeric("total_query_time", "µs with something under way at a server") { $0.total.queryMicroseconds },
        .numeric("total_wait_time", "µs that clients have waited for a server") { $0.total.waitMicroseconds },
        .numeric("avg_xact_count", "a second, in the last minute that is complete; so are all averages") {
            $0.average.transactions
        },
        .numeric("avg_query_count", "a second") { $0.average.queries },
        .numeric("avg_recv", "bytes a second") { $0.average.received },
        .numeric("avg_sent", "bytes a second") { $0.average.sent },
        .numeric("avg_xact_time", "µs a transaction") { $0.average.transactionTime },
        .numeric("avg_query_time", "µs a query") { $0.average.queryTime },
        .numeric("avg_wait_time", "µs a second") { $0.average.waitTime },
    ]
}

/// The totals alone.
struct StatsTotalsRow: ConsoleRow {
    let total: DatabaseTraffic

    static let columns: [RowColumn<StatsTotalsRow>] = [
        .text("database", "") { $0.total.database },
        .numeric("xact_count", "as `total_xact_count` of `SHOW STATS`; so are the others") { $0.total.transactions },
        .numeric("query_count", "") { $0.total.queries },
        .numeric("bytes_received", "") { $0.total.received },
        .numeric("bytes_sent", "") { $0.total.sent },
        .numeric("xact_time", "") { $0.total.transactionMicroseconds },
        .numeric("query_time", "") { $0.total.queryMicroseconds },
        .numeric("wait_time", "") { $0.total.waitMicroseconds },
    ]
}

/// The averages alone.
struct StatsAveragesRow: ConsoleRow {
    let database: String
    let average: TrafficAverage

    static let columns: [RowColumn<StatsAveragesRow>] = [
        .text("database", "") { $0.database },
        .numeric("xact_count", "as `avg_xact_count` of `SHOW STATS`; so are the others") { $0.average.transactions },
        .numeric("query_count", "") { $0.average.queries },
        .numeric("bytes_received", "") { $0.average.received },
        .numeric("bytes_sent", "") { $0.average.sent },
        .numeric("xact_time", "") { $0.average.transactionTime },
        .numeric("query_time", "") { $0.average.queryTime },
        .numeric("wait_time", "") { $0.average.waitTime },
    ]
}

/// One figure over all databases.
struct TotalsRow: ConsoleRow {
    let name: String
    let value: UInt64

    static let columns: [RowColumn<TotalsRow>] = [
        .text("name", "a column of `SHOW STATS`; there `client_bytes` are the received, `server_bytes` the sent ones") {
            $0.name
        },
        .numeric("value", "over all databases") { $0.value },
    ]

    static func rows(_ total: DatabaseTraffic, _ average: TrafficAverage) -> [TotalsRow] {
        [
            TotalsRow(name: "total_xact_count", value: total.transactions),
            TotalsRow(name: "total_query_count", value: total.queries),
            TotalsRow(name: "total_client_bytes", value: total.received),
            TotalsRow(name: "total_server_bytes", value: total.sent),
            TotalsRow(name: "total_xact_time", value: total.transactionMicroseconds),
            TotalsRow(name: "total_query_time", value: total.queryMicroseconds),
            TotalsRow(name: "total_wait_time", value: total.waitMicroseconds),
            TotalsRow(name: "avg_xact_count", value: average.transactions),
            TotalsRow(name: "avg_query_count", value: average.queries),
            TotalsRow(name: "avg_client_bytes", value: average.received),
            TotalsRow(name: "avg_server_bytes", value: average.sent),
            TotalsRow(name: "avg_xact_time", value: average.transactionTime),
            TotalsRow(name: "avg_query_time", value: average.queryTime),
            TotalsRow(name: "avg_wait_time", value: average.waitTime),
        ]
    }
}
