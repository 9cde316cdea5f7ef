/// The replication stream from the primary.
public struct StreamReport: Hashable, Sendable {
    /// What the stream is doing: `streaming`, `connecting`, …
    public var state = ""
    /// The replication slot in use.
    public var slot: String?
    /// How far the stream has been received and applied.
    public var position = "0/0"
    /// Every transaction that committed before this position has been applied to the cache.
    public var watermark = "0/0"
    /// Log the primary has written beyond `position`.
    public var lagBytes: UInt64 = 0
    /// The age of the state that is served.
    public var lagSeconds = 0.0
    public var transactions: UInt64 = 0
    public var rowChanges: UInt64 = 0
    public var messages: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Times streaming began, and times it was lost.
    public var starts: UInt64 = 0
    public var losses: UInt64 = 0
    /// Why it was lost the last time.
    public var lastLoss: String?
    public var timeline: UInt32 = 0
    /// `system_identifier` of `IDENTIFY_SYSTEM`.
    public var systemIdentifier = ""

    public init() {}
}
