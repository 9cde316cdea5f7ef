/// A node of the cluster as it was seen last.
public struct ReplicaRow: Hashable, Sendable {
    public var name = ""
    public var host = ""
    public var port = 0
    public var role = ""
    public var isReachable = false
    public var receivedLSN: String?
    public var replayedLSN: String?
    public var lagBytes: UInt64?
    public var lagSeconds: Double?
    public var timeline: UInt32 = 0
    public var problem: String?

    public init() {}
}

extension ReplicaRow: ConsoleRow {
    public static let columns: [RowColumn<ReplicaRow>] = [
        .text("name", "`primary`, or the replica's place in `replicas`") { $0.name },
        .text("host", "") { $0.host },
        .int4("port", "") { $0.port },
        .text("role", "`primary`, `replica`, or `unknown` before the first answer") { $0.role },
        .bool("reachable", "whether it answered last time") { $0.isReachable },
        .text("received_lsn", "log received and flushed") { $0.receivedLSN },
        .text("replayed_lsn", "log replayed; of a primary, written") { $0.replayedLSN },
        .int8("lag_bytes", "log of the primary not replayed yet; null: unknown") { $0.lagBytes },
        .float8("lag_seconds", "age of the state that a read there sees; null: unknown") { $0.lagSeconds },
        .int8("timeline", "") { UInt64($0.timeline) },
        .text("problem", "why it was not reached, or what it suffers from") { $0.problem },
    ]
}

/// How far something that follows the primary is behind.
public struct LagRow: Hashable, Sendable {
    public var name = ""
    public var bytes: UInt64?
    public var seconds: Double?

    public init(name: String, bytes: UInt64?, seconds: Double?) {
        self.name = name
        self.bytes = bytes
        self.seconds = seconds
    }
}

extension LagRow: ConsoleRow {
    public static let columns: [RowColumn<LagRow>] = [
        .text("name", "a replica, or `cache` for the results kept") { $0.name },
        .int8("lag_bytes", "log of the primary not applied yet; null: unknown") { $0.bytes },
        .float8("lag_seconds", "age of the state that a read there sees; null: unknown") { $0.seconds },
    ]
}

/// The lag of one node at one moment.
public struct LagHistoryRow: Hashable, Sendable {
    public var at: WallTime
    public var lag: LagRow

    public init(at: WallTime, lag: LagRow) {
        self.at = at
        self.lag = lag
    }
}

extension LagHistoryRow: ConsoleRow {
    public static let columns: [RowColumn<LagHistoryRow>] = [
        .timestamptz("time", "when it was looked at; the last ten minutes are kept") { $0.at },
        .text("name", "as in `SHOW LAG`") { $0.lag.name },
        .int8("lag_bytes", "as in `SHOW LAG`") { $0.lag.bytes },
        .float8("lag_seconds", "as in `SHOW LAG`") { $0.lag.seconds },
    ]
}

/// Where requests were answered.
public struct RouteRow: Hashable, Sendable {
    public var target = ""
    public var reason = ""
    public var count: UInt64 = 0

    public init(target: String, reason: String, count: UInt64) {
        self.target = target
        self.reason = reason
        self.count = count
    }
}

extension RouteRow: ConsoleRow {
    public static let columns: [RowColumn<RouteRow>] = [
        .text("target", "`cache`, `replica`, `primary`, or `refused`: by the read-only address") { $0.target },
        .text("reason", "why there; the words are those of the metrics") { $0.reason },
        .int8("count", "reads since the start") { $0.count },
    ]
}
