/// The figures of one look at `/v1/status`.
public struct WaldenFigures: Sendable {
    public let json: JSONValue

    public var hits: Int { json["hits"].int ?? 0 }
    public var misses: Int { json["misses"].int ?? 0 }
    /// Statements that were not looked up, by reason.
    public var bypasses: [String: JSONValue] { json["bypasses"].members }
    public var bypassCount: Int { json["bypasses"].total }
    /// Entries dropped because of what happened in the database, not for room.
    public var invalidations: Int { json["invalidations"].total - (json["invalidations"]["eviction"].int ?? 0) }
    public var entries: Int { json["entries"].int ?? 0 }
    /// Whether the stream is alive, so that results may be kept and served.
    public var isCaching: Bool { json["caching"].bool ?? false }
    /// Why nothing is kept or served; nil when it is.
    public var reason: String? { json["reason"].string }
    /// How far the stream has been applied to the cache, as PostgreSQL prints a position.
    public var watermark: String { json["stream"]["watermark"].string ?? "0/0" }
}
