import WaldenCore

/// The payload of one CopyData message from a walsender (protocol chapter, "Streaming Replication Protocol").
enum ReplicationFrame: Hashable {
    /// 'w': log data. Within logical replication, one message of the output plugin.
    case data(DataHeader)
    /// 'k': the walsender is alive and has sent everything before `end`.
    case keepalive(end: LSN, clock: Int64, replyRequested: Bool)

    struct DataHeader: Hashable {
        let start: LSN
        let end: LSN
        /// Microseconds since 2000-01-01 UTC on the server.
        let clock: Int64
    }

    /// The bytes before the payload of 'w'.
    static let headerBytes = 25

    static func decode(_ bytes: borrowing RawSpan) throws(DecodingError) -> ReplicationFrame {
        guard bytes.byteCount <= Int(Int32.max) else { throw .limitExceeded(.frameBytes) }
        var reader = try MessageReader(in: bytes)
        switch reader.tag {
        case UInt8(ascii: "w"):
            return .data(
                DataHeader(
                    start: try reader.lsn(in: bytes), end: try reader.lsn(in: bytes),
                    clock: try reader.integer(in: bytes)))
        case UInt8(ascii: "k"):
            let frame = ReplicationFrame.keepalive(
                end: try reader.lsn(in: bytes), clock: try reader.integer(in: bytes),
                replyRequested: try reader.byte(in: bytes) != 0)
            try reader.end(in: bytes)
            return frame
        default:
            throw .unknownFrame(reader.tag)
        }
    }
}
