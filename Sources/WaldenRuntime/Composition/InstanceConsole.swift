import Glibc
import Synchronization
import WaldenAdmin
import WaldenCache
import WaldenConsole
import WaldenCore
import WaldenPool
import WaldenPostgres
import WaldenProxy
import WaldenRouting
import WaldenSQLParser
import WaldenSession
import WaldenWire

/// The console of an instance: shows what the status document shows, as tables, and carries commands out.
final class InstanceConsole: ConsoleSource, ConsoleCommands {
    private static let shapeLimit = 1_000

    private let instance: Instance
    private let reloader: Reloader
    private let past = Mutex(Past())

    /// How often the past is recorded.
    static let historyInterval = Duration.seconds(5)

    private struct Past {
        /// Of the cache; the nodes' are kept where they are looked at.
        var lag = LagHistory()
        var averages = TrafficAverages()
        var averagedAt = Instant.distantPast
    }

    init(instance: Instance, reloader: Reloader) {
        self.instance = instance
        self.reloader = reloader
    }

    /// To be called every `historyInterval`.
    func recordHistory() {
        let lag = cacheLag
        let traffic = instance.proxy.traffic
        let now = MonotonicClock.now()
        past.withLock { past in
            past.lag.record(lag, at: now)
            guard past.averagedAt == .distantPast || now.elapsed(since: past.averagedAt) >= TrafficAverages.period
            else { return }
            past.averages.record(traffic, at: now)
            past.averagedAt = now
        }
    }

    // MARK: What it shows

    var version: String { Version.current }
    var clientLimit: Int { instance.configuration.maxClients }
    var averages: TrafficAverages { past.withLock { $0.averages } }
    var lagHistory: [LagHistoryRow] {
        let now = MonotonicClock.now()
        let time = WallClock.microseconds() + Int64(WallClock.epochSeconds) * 1_000_000
        func row(_ node: String, _ point: LagPointReport) -> LagHistoryRow {
            LagHistoryRow(
                at: WallTime(microseconds: time - Int64(point.secondsAgo * 1_000_000)),
                lag: LagRow(name: node, bytes: point.lagBytes, seconds: point.lagSeconds))
        }
        let cache = past.withLock { $0.lag.points }.map { row("cache", LagPointReport($0, now: now)) }
        let nodes = instance.nodes.lagHistories.flatMap { node in node.points.map { row(node.node, $0) } }
        return (cache + nodes).sorted { $0.at < $1.at }
    }

    /// Nil while nothing is kept.
    private var cacheLag: Lag? {
        let report = instance.report()
        guard report.caching else { return nil }
        let age = Duration.seconds(report.stream.lagSeconds)
        return Lag(replayBytes: report.stream.lagBytes, receiveBytes: nil, age: .about(age))
    }

    var databases: [DatabaseRow] {
        var row = DatabaseRow()
        row.name = instance.configuredPrimary.database ?? ""
        (row.host, row.port) = instance.servers[instance.routes.primary.index].endpoint.parts
        row.database = row.name
        row.mode = "session"
        let current = reloader.current
        if current.auth.method != "relay" {
            let pool = current.pool.settings
            row.mode = pool.mode.rawValue
            row.poolSize = pool.limits.pool
            row.minimalPoolSize = pool.limits.minimum
            row.maxConnections = pool.limits.database
        }
        row.isCached = instance.configuration.isCaching
        return [row]
    }

    var config: [ConfigRow] {
        let current = reloader.current
        let standard = Configuration()
        return Setting.all.map { setting in
            var row = ConfigRow()
            row.key = setting.key
            row.value = current.shown(setting).text
            row.standard = standard.shown(setting).text
            row.isReloadable = setting.isReloadable
            return row
        }
    }

    var memory: [MemoryRow] {
        let cache = instance.report().cache
        var kept = MemoryRow()
        kept.name = "result_cache"
        kept.used = UInt64(clamping: cache.entries)
        kept.total = UInt64(clamping: cache.bytes)
        kept.size = kept.used > 0 ? kept.total / kept.used : 0
        kept.free = UInt64(clamping: cache.maxBytes - cache.bytes)
        var process = MemoryRow()
        process.name = "process"
        process.used = 1
        process.total = residentBytes
        process.size = process.total
        return [kept, process]
    }

    var replicas: [ReplicaRow] {
        let ends = instance.servers.map(\.endpoint.parts)
        return instance.nodes.reports.enumerated().map { index, node in
            var row = ReplicaRow()
            row.name = node.name
            if index < ends.count { (row.host, row.port) = ends[index] }
            row.role = node.role
            row.isReachable = node.reachable
            row.receivedLSN = node.receivedLSN
            row.replayedLSN = node.replayedLSN
            row.lagBytes = node.lagBytes
            row.lagSeconds = node.lagSeconds
            row.timeline = node.timeline
            row.problem = node.problem
            return row
        }
    }

    var lag: [LagRow] {
        let report = instance.report()
        var rows: [LagRow] = []
        if report.caching {
            rows.append(LagRow(name: "cache", bytes: report.stream.lagBytes, seconds: report.stream.lagSeconds))
        }
        return rows
            + report.nodes.enumerated().filter { $0.offset != instance.routes.primary.index }.map(\.element).map {
                LagRow(name: $0.name, bytes: $0.lagBytes, seconds: $0.lagSeconds)
            }
    }

    var peers: [PeerRow] {
        instance.configuration.peers.sorted { $0.key < $1.key }.map { id, endpoint in
            var row = PeerRow()
            row.id = id
            (row.host, row.port) = endpoint.parts
            return row
        }
    }

    var cache: [FigureRow] {
        instance.report().cacheFigures.map { FigureRow(name: $0.name, label: $0.label, value: $0.value) }
    }

    var shapes: [ShapeRow] { instance.cache.shapes(limit: Self.shapeLimit).map { ShapeRow(ShapeReport($0)) } }

    var routes: [RouteRow] {
        let report = instance.report()
        let routes = [
            ("cache", ["hit": report.cache.hits]), ("replica", report.routing.replica),
            ("primary", report.routing.primary), ("refused", report.routing.refused),
        ]
        return routes.flatMap { target, counts in
            counts.sorted { $0.key < $1.key }.map { RouteRow(target: target, reason: $0.key, count: $0.value) }
        }
    }

    // MARK: What it can do

    func flush(_ relation: RelationName?) async -> ConsoleOutcome {
        guard let relation else { return .done(remarks: ["\(instance.cache.flush()) results were dropped"]) }
        guard let meant = instance.statements.relations(named: relation.name, in: relation.schema) else {
            return .refused(
                ConsoleRefusal(
                    .objectNotInPrerequisite, "the catalog has not been read",
                    detail: "Nothing is kept either; SHOW CACHE says why.", hint: "FLUSH drops all there is."))
        }
        guard !meant.isEmpty else {
            return .refused(
                ConsoleRefusal(
                    .undefinedTable, "relation \"\(relation.text)\" does not exist in the cached database",
                    hint: "A name with upper-case letters or other signs is written between double quotes."))
        }
        return .done(remarks: ["\(instance.cache.flush(readersOf: meant)) results were dropped"])
    }

    func reload() async -> ConsoleOutcome {
        do {
            let change = try reloader.reload()
            var remarks = change.faults
            if !change.needRestart.isEmpty {
                remarks.append("these take effect with a restart: " + change.needRestart.joined(separator: ", "))
            }
            return .done(remarks: remarks)
        } catch {
            return .refused(
                ConsoleRefusal(
                    .configFileError, "the configuration was not taken over", detail: "\(error)",
                    hint: "Nothing has changed. Correct the file and say RELOAD again."))
        }
    }

    /// `/proc/self/statm` (proc(5)): pages, of which the second figure is resident.
    private var residentBytes: UInt64 {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 128)
        let count = fread(&line, 1, line.count, file)
        let figures = line[..<count].split(separator: UInt8(ascii: " "))
        guard figures.count > 1, let pages = UInt64(String(decoding: figures[1], as: UTF8.self)) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

extension [String] {
    /// As the environment writes it; nil when there is no value.
    fileprivate var text: String? { isEmpty ? nil : joined(separator: ";") }
}

extension Endpoint {
    fileprivate var parts: (String, Int) {
        switch self {
        case .tcp(let host, let port): (host, port)
        case .unix(let path): (path, 0)
        }
    }
}

extension ShapeRow {
    fileprivate init(_ report: ShapeReport) {
        self.init()
        id = report.id
        hits = report.hits
        misses = report.misses
        fillsBegun = report.fillsBegun
        fillsKept = report.fillsKept
        fillsTainted = report.fillsTainted
        fillsDeclined = report.fillsDeclined
        invalidations = report.invalidations.values.reduce(0, +)
        executionSeconds = report.executionSeconds
        resultBytes = report.resultBytes
        savedSeconds = report.savedSeconds
        benefit = report.benefit
        standing = report.standing
        text = report.text
    }
}
