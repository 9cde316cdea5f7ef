public import WaldenCore

/// What the clients of one database have asked, since the process started.
public struct DatabaseTraffic: Hashable, Sendable {
    public var database = ""
    /// Units (a Query, or what a Sync ends) after which no transaction was open.
    public var transactions: UInt64 = 0
    public var queries: UInt64 = 0
    /// From clients and to them, in bytes.
    public var received: UInt64 = 0
    public var sent: UInt64 = 0
    /// Time in transactions, with units under way, and waiting for a server, in microseconds, summed over clients.
    public var transactionMicroseconds: UInt64 = 0
    public var queryMicroseconds: UInt64 = 0
    public var waitMicroseconds: UInt64 = 0

    public init(database: String = "") {
        self.database = database
    }

    public mutating func add(_ other: DatabaseTraffic) {
        combine(other, &+)
    }

    /// What has come since `earlier`, of the same database.
    func since(_ earlier: DatabaseTraffic) -> DatabaseTraffic {
        var difference = self
        difference.combine(earlier) { $0 >= $1 ? $0 - $1 : 0 }
        return difference
    }

    private mutating func combine(_ other: DatabaseTraffic, _ operation: (UInt64, UInt64) -> UInt64) {
        for figure in Self.figures { self[keyPath: figure] = operation(self[keyPath: figure], other[keyPath: figure]) }
    }

    private static var figures: [WritableKeyPath<DatabaseTraffic, UInt64>] {
        [
            \.transactions, \.queries, \.received, \.sent, \.transactionMicroseconds, \.queryMicroseconds,
            \.waitMicroseconds,
        ]
    }

    static func sum(_ parts: [DatabaseTraffic]) -> DatabaseTraffic {
        parts.reduce(into: DatabaseTraffic()) { $0.add($1) }
    }
}

/// The averages of `SHOW STATS`: of the period that ended last, as PgBouncer's `stats_period`. Fed once a period.
public struct TrafficAverages: Hashable, Sendable {
    /// How often it is to be fed.
    public static let period = Duration.seconds(60)
    /// Databases that are remembered; others have no averages.
    static let databaseLimit = 1_024

    private var totals: [String: DatabaseTraffic] = [:]
    private var latest: [String: DatabaseTraffic] = [:]
    private var recordedAt: Instant?
    private var seconds = 0.0

    public init() {}

    public mutating func record(_ traffic: [DatabaseTraffic], at now: Instant) {
        let totals = Dictionary(traffic.prefix(Self.databaseLimit).map { ($0.database, $0) }) { first, _ in first }
        if let recordedAt {
            seconds = now.elapsed(since: recordedAt).fractionalSeconds
            latest = totals.mapValues { $0.since(self.totals[$0.database] ?? DatabaseTraffic()) }
        }
        self.totals = totals
        recordedAt = now
    }

    /// Zero before the first period has ended.
    func average(of database: String) -> TrafficAverage { average(latest[database] ?? DatabaseTraffic()) }

    var total: TrafficAverage { average(DatabaseTraffic.sum(Array(latest.values))) }

    private func average(_ traffic: DatabaseTraffic) -> TrafficAverage {
        TrafficAverage(
            transactions: rate(traffic.transactions), queries: rate(traffic.queries), received: rate(traffic.received),
            sent: rate(traffic.sent), transactionTime: mean(traffic.transactionMicroseconds, traffic.transactions),
            queryTime: mean(traffic.queryMicroseconds, traffic.queries), waitTime: rate(traffic.waitMicroseconds))
    }

    private func rate(_ count: UInt64) -> UInt64 {
        // A clock that hardly moved makes rates that no integer holds.
        seconds > 0 ? UInt64(min((Double(count) / seconds).rounded(), 1e18)) : 0
    }

    private func mean(_ sum: UInt64, _ count: UInt64) -> UInt64 { count > 0 ? sum / count : 0 }
}

struct TrafficAverage: Hashable, Sendable {
    let transactions: UInt64
    let queries: UInt64
    let received: UInt64
    let sent: UInt64
    let transactionTime: UInt64
    let queryTime: UInt64
    let waitTime: UInt64
}
