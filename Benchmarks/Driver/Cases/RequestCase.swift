/// One shape of load that all systems are put under.
struct RequestCase {
    let name: String
    let load: Load

    private init(_ name: String, _ load: Load) {
        self.name = name
        self.load = load
    }

    private static func point(_ mode: Load.QueryMode, _ connections: Int, depth: Int = 1) -> RequestCase {
        var load = Load()
        load.mode = mode
        load.connections = connections
        load.depth = depth
        return RequestCase("\(mode.rawValue)-\(connections)" + (depth > 1 ? "-depth-\(depth)" : ""), load)
    }

    private static var large: RequestCase {
        var load = Load()
        load.connections = 4
        load.readStatement = "SELECT id, payload FROM bench_payload WHERE id BETWEEN 1000 AND 10999"
        load.expectedRows = 10_000
        load.keys = 1
        return RequestCase("large-result", load)
    }

    private static var mixed: RequestCase {
        var load = Load()
        load.connections = 64
        load.keys = 100_000
        load.distribution = .zipf
        load.writePercent = 5
        return RequestCase("mixed-zipf", load)
    }

    static let all: [RequestCase] =
        [Load.QueryMode.simple, .extended, .prepared].flatMap { mode in [1, 8, 64].map { point(mode, $0) } }
        + [point(.prepared, 8, depth: 8), large, mixed]

    /// Whether the system can run it, and whether that says anything.
    func includes(_ system: SystemKind) -> Bool {
        switch system {
        case .pgbouncer: load.mode != .prepared
        case .pgbouncerSession: load.mode == .prepared
        // Canned answers and misses of one statement are no mixed load.
        case .floor: name != "mixed-zipf"
        // Each miss needs a key of its own.
        case .waldenMiss: load.keys > 1 && name != "mixed-zipf"
        default: true
        }
    }
}

enum SystemKind: String, CaseIterable {
    case floor
    case waldenHit = "walden-hit"
    case pgpool
    case postgresql
    case waldenMiss = "walden-miss"
    case waldenOff = "walden-off"
    case waldenPooled = "walden-pooled"
    case pgbouncer
    case pgbouncerSession = "pgbouncer-session"
    case relay

    func start(_ bench: Workbench) throws -> System {
        switch self {
        case .floor: try .floor(bench)
        case .relay: try .relay(bench)
        case .pgpool: try .pgpool(bench)
        case .postgresql: try System(bench)
        case .pgbouncer: try .pgbouncer(bench, .transaction)
        case .pgbouncerSession: try .pgbouncer(bench, .session)
        case .waldenHit, .waldenMiss: try .walden(bench, named: rawValue, workers: 1)
        case .waldenPooled: try .waldenPool(bench, links: 80, workers: 1)
        case .waldenOff: try .walden(bench, named: rawValue, caching: false, workers: 1)
        }
    }

    var isCache: Bool { self == .waldenHit || self == .pgpool }
}
