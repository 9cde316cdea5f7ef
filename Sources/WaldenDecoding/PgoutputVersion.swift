/// The version of the logical replication protocol, as asked for with the `proto_version` option of
/// `START_REPLICATION` (protocol chapter, "Logical Streaming Replication Parameters").
enum PgoutputVersion: Int, Comparable {
    case basic = 1
    /// Adds large transactions streamed while they run, and an identifier before the messages within.
    case streaming = 2
    /// Adds transactions handed over at PREPARE TRANSACTION.
    case twoPhase = 3
    /// Adds position and time to the abort of a streamed transaction.
    case parallelStreaming = 4

    /// The version nearest to `number`.
    init(nearest number: Int) {
        switch number {
        case ...1: self = .basic
        case 2: self = .streaming
        case 3: self = .twoPhase
        default: self = .parallelStreaming
        }
    }

    static func < (lhs: PgoutputVersion, rhs: PgoutputVersion) -> Bool {
        lhs.rawValue < rhs.rawValue
    }
}
