/// One figure of the status document.
public struct FigureRow: Hashable, Sendable {
    public var name = ""
    /// What is counted apart under the name; nil for a figure of its own.
    public var label: String?
    public var value: String?

    public init(name: String, label: String? = nil, value: String?) {
        self.name = name
        self.label = label
        self.value = value
    }
}

extension FigureRow: ConsoleRow {
    public static let columns: [RowColumn<FigureRow>] = [
        .text("name", "as in `/v1/status`") { $0.name },
        .text("label", "the reason or cause that is counted apart; null: none") { $0.label },
        .text("value", "") { $0.value },
    ]
}

/// What is known of one statement shape.
public struct ShapeRow: Hashable, Sendable {
    public var id = ""
    public var hits: UInt64 = 0
    public var misses: UInt64 = 0
    public var fillsBegun: UInt64 = 0
    public var fillsKept: UInt64 = 0
    public var fillsTainted: UInt64 = 0
    public var fillsDeclined: UInt64 = 0
    public var invalidations: UInt64 = 0
    public var executionSeconds = 0.0
    public var resultBytes = 0.0
    public var savedSeconds = 0.0
    public var benefit = 0.0
    public var standing = ""
    public var text = ""

    public init() {}
}

extension ShapeRow: ConsoleRow {
    public static let columns: [RowColumn<ShapeRow>] = [
        .text("shape", "its number, as rules and `/explain` name it") { $0.id },
        .int8("hits", "") { $0.hits },
        .int8("misses", "") { $0.misses },
        .int8("fills_begun", "") { $0.fillsBegun },
        .int8("fills_kept", "") { $0.fillsKept },
        .int8("fills_tainted", "") { $0.fillsTainted },
        .int8("fills_declined", "") { $0.fillsDeclined },
        .int8("invalidations", "results dropped") { $0.invalidations },
        .float8("execution_seconds", "mean of late") { $0.executionSeconds },
        .float8("result_bytes", "mean of late") { $0.resultBytes },
        .float8("saved_seconds", "time at the server that hits have saved") { $0.savedSeconds },
        .float8("benefit", "what a fill saves by what it costs, of late") { $0.benefit },
        .text("standing", "`kept`, `declined`, or `quarantined`") { $0.standing },
        .text("text", "the statement without its constants") { $0.text },
    ]
}

/// One setting.
public struct ConfigRow: Hashable, Sendable {
    public var key = ""
    public var value: String?
    public var standard: String?
    public var isReloadable = false

    public init() {}
}

extension ConfigRow: ConsoleRow {
    public static let columns: [RowColumn<ConfigRow>] = [
        .text("key", "as in the file") { $0.key },
        .text("value", "secrets are left out") { $0.value },
        .text("default", "null: none") { $0.standard },
        .text("changeable", "`yes`: takes effect with `RELOAD`; `no`: with a restart") {
            $0.isReloadable ? "yes" : "no"
        },
    ]
}

/// Memory that one part of the process holds.
public struct MemoryRow: Hashable, Sendable {
    public var name = ""
    public var size: UInt64 = 0
    public var used: UInt64 = 0
    public var free: UInt64 = 0
    public var total: UInt64 = 0

    public init() {}
}

extension MemoryRow: ConsoleRow {
    public static let columns: [RowColumn<MemoryRow>] = [
        .text("name", "`result_cache`, or `process`: what the system counts as resident") { $0.name },
        .int8("size", "bytes of one item, on average") { $0.size },
        .int8("used", "items") { $0.used },
        .int8("free", "bytes that may be taken before the limit; 0: no limit") { $0.free },
        .int8("memtotal", "bytes") { $0.total },
    ]
}

/// A count of things.
struct ListRow: ConsoleRow {
    let list: String
    let items: Int

    static let columns: [RowColumn<ListRow>] = [
        .text("list", "what is counted") { $0.list },
        .int4("items", "how many") { $0.items },
    ]
}

/// A single text.
struct VersionRow: ConsoleRow {
    let version: String

    static let columns: [RowColumn<VersionRow>] = [.text("version", "") { $0.version }]
}

/// A host name and what it meant when a server was connected.
struct HostRow: ConsoleRow {
    let host: String
    let addresses: [String]

    static let columns: [RowColumn<HostRow>] = [
        .text("hostname", "as configured") { $0.host },
        .int8("ttl", "0: a name is resolved anew for each connection") { _ in 0 },
        .text("addrs", "the addresses that server connections go to now") { $0.addresses.joined(separator: ",") },
    ]
}

/// Another Walden behind the same address.
public struct PeerRow: Hashable, Sendable {
    public var id = 0
    public var host = ""
    public var port = 0

    public init() {}
}

extension PeerRow: ConsoleRow {
    public static let columns: [RowColumn<PeerRow>] = [
        .int4("peer_id", "as in `proxy.peers`") { $0.id },
        .text("host", "a path for a Unix socket") { $0.host },
        .int4("port", "") { $0.port },
        .int4("pool_size", "always null: each request has a connection of its own") { _ in nil },
    ]
}
