public import WaldenCore

/// Why a stream cannot be followed any further.
///
/// Every case means the same to the caller: what follows is unknown, so the connection is to be closed, the cache
/// flushed and the stream begun anew. Nothing is skipped and nothing is guessed. The tag, where there is one, is the
/// first byte of the message. Descriptions hold no row data.
public enum DecodingError: Error, Hashable, Sendable {
    /// A field does not fit its message.
    case malformed(tag: UInt8, ByteError)
    /// Bytes are left after a message's last field.
    case trailingBytes(tag: UInt8, count: Int)
    /// The payload of a CopyData message is neither log data nor a keepalive.
    case unknownFrame(UInt8)
    /// No message of the negotiated protocol version begins so.
    case unknownMessage(tag: UInt8)
    /// A byte that names one of several forms names none of them: kind of tuple, of value or of replica identity.
    case unknownVariant(tag: UInt8, byte: UInt8)
    /// A message that cannot stand here: a row outside a transaction, a Begin within one.
    case misplaced(tag: UInt8)
    /// The end of a transaction does not name the position that its beginning announced.
    case boundaryMismatch(announced: LSN, found: LSN)
    /// A transaction ended at or before a position that the stream had already passed.
    case outOfOrder(position: LSN, found: LSN)
    /// A row of a relation that was never described.
    case unknownRelation(RelationID)
    /// A row has more or fewer values than its relation has columns.
    case columnCount(RelationID, expected: Int, found: Int)
    /// The end, or a later chunk, of a streamed transaction whose beginning was not seen.
    case unknownTransaction(xid: UInt32)
    /// A streamed transaction began twice.
    case repeatedTransaction(xid: UInt32)
    /// COMMIT PREPARED of a transaction whose PREPARE was not seen on this connection.
    case unknownPreparedTransaction(xid: UInt32)
    case limitExceeded(Limit)

    /// What grew past its bound in `StreamLimits`.
    public enum Limit: Hashable, Sendable {
        case frameBytes
        case bufferedBytes
        case catalogBytes
        case streamedTransactions
        case preparedTransactions
    }
}

extension DecodingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let tag, let error): "malformed message \(Self.quoted(tag)): \(error)"
        case .trailingBytes(let tag, let count): "message \(Self.quoted(tag)) is \(count) bytes too long"
        case .unknownFrame(let tag): "unknown frame \(Self.quoted(tag))"
        case .unknownMessage(let tag): "unknown message \(Self.quoted(tag))"
        case .unknownVariant(let tag, let byte): "unknown \(Self.quoted(byte)) in message \(Self.quoted(tag))"
        case .misplaced(let tag): "message \(Self.quoted(tag)) out of place"
        case .boundaryMismatch(let announced, let found): "transaction announced to end at \(announced), not \(found)"
        case .outOfOrder(let position, let found): "transaction at \(found) after position \(position)"
        case .unknownRelation(let id): "row of undescribed relation \(id)"
        case .columnCount(let id, let expected, let found): "row of relation \(id): \(found) values, not \(expected)"
        case .unknownTransaction(let xid): "streamed transaction \(xid) has no beginning"
        case .repeatedTransaction(let xid): "transaction \(xid) began twice"
        case .unknownPreparedTransaction(let xid): "prepared transaction \(xid) has no beginning"
        case .limitExceeded(let limit): "limit exceeded: \(limit)"
        }
    }

    /// A byte as the letter that it is in the documentation, or as a number.
    private static func quoted(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : String(byte)
    }
}
