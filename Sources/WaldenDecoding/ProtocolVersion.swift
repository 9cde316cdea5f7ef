/// The version of the logical replication protocol, as asked for with the `proto_version` option of
/// `START_REPLICATION` (protocol chapter, "Logical Streaming Replication Parameters").
public enum ProtocolVersion: Int, Comparable, Sendable, CaseIterable {
    case basic = 1
    /// Adds large transactions streamed while they run, and an identifier before the messages within.
    case streaming = 2
    /// Adds transactions handed over at PREPARE TRANSACTION.
    case twoPhase = 3
    /// Adds position and time to the abort of a streamed transaction.
    case parallelStreaming = 4

    /// The version nearest to `number`.
    public init(nearest number: Int) {
        self = ProtocolVersion(rawValue: min(max(number, 1), 4)) ?? .basic
    }

    /// The highest version that a server speaks; it refuses a higher one.
    ///
    /// - Parameter serverVersion: `server_version_num`, e.g. 150004.
    public static func highest(serverVersion: Int) -> ProtocolVersion {
        switch serverVersion {
        case 160_000...: .parallelStreaming
        case 150_000...: .twoPhase
        case 140_000...: .streaming
        default: .basic
        }
    }

    public static func < (lhs: ProtocolVersion, rhs: ProtocolVersion) -> Bool {
        lhs.rawValue < rhs.rawValue
    }
}
